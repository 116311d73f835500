"""A hub with a history: sales and orders of invented stores, received as they would be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub import bootstrap, export, library, publication
from hub.authoring import draft as drafts
from hub.authoring import publishing
from hub.authoring.draft import Draft
from hub.bootstrap import Hub
from hub.demo import poslog_writer, shop, shop_writer, till
from hub.home import Home
from hub.receive import receive

ORDERS = 40
SALES = 30


@pytest.fixture
def hub(home: Home, tmp_path: Path) -> Iterator[Hub]:
    """With orders, refunds inside orders that came again, and sales."""
    orders = list(shop.orders(ORDERS, seed=5))
    bodies = [shop_writer.order(each) for each in orders]
    bodies += [shop_writer.order(each, refunds=(shop.refund(each),)) for each in orders[:4]]
    file = tmp_path / "orders.jsonl"
    file.write_bytes(b"\n".join(bodies))
    day = tmp_path / "day.xml"
    receipts = till.sales(SALES, seed=5, reward_percent=0)
    entries = (poslog_writer.transaction(receipt) for receipt in receipts)
    day.write_bytes(b"".join(poslog_writer.document(entries, dialect="v2")))
    with bootstrap.open_hub(home) as hub:
        assert receive(hub, "shopify", [file]).held == 0
        assert receive(hub, "poslog", [day]).held == 0
        yield hub


def text_of(connector: str, kind: str) -> str:
    """The text that is shipped."""
    return library.shipped_text(connector, kind)[0]


def edited(connector: str, kind: str, *changes: tuple[str, str]) -> Draft:
    """A draft that says something otherwise than the shipped mapping."""
    text = text_of(connector, kind)
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return drafts.drafted(text, "own.yaml", lambda name: None)


def published(hub: Hub, draft: Draft) -> None:
    with hub.engine.begin() as connection:
        publishing.publish(connection, draft, actor="ann", now=hub.now())


def exported(hub: Hub) -> dict[str, dict[str, Any]]:
    """Every canonical document as it is exported, by fact."""
    with hub.engine.begin() as connection:
        lines = [json.loads(line) for line in export.export(connection)]
    return {line["fact"]: line for line in lines}


def in_force(hub: Hub, connector: str, kind: str) -> str:
    with hub.engine.begin() as connection:
        return library.in_force(connection, connector, kind).version


def target(name: str) -> publication.Target:
    return publication.target(name)

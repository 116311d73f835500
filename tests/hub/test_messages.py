"""Messages are found by the names that people have for what they carry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from hub import bootstrap, holds, messages, publication
from hub.bootstrap import Hub
from hub.demo import poslog_writer, shop, shop_writer, till
from hub.messages import Sought
from hub.publication import Target
from hub.receive import receive
from tests import homes

SALES = list(till.sales(4, seed=5, reward_percent=0))
ORDERS = list(shop.orders(3, seed=5))
REFUND = shop.refund(ORDERS[0])
SALE = SALES[1]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """Three orders of which the first comes again with a refund, and a day with a bad sale."""
    home = homes.made(tmp_path / "home")
    bodies = [shop_writer.order(each) for each in ORDERS]
    again = json.loads(shop_writer.order(ORDERS[0], refunds=(REFUND,)))
    bad = poslog_writer.transaction(SALES[3]).replace(b"<Quantity>", b"<Quantity>much", 1)
    day = [*map(poslog_writer.transaction, SALES[:3]), bad]
    with bootstrap.open_hub(home) as hub:
        take(hub, "shopify", tmp_path / "orders.jsonl", b"\n".join(bodies))
        take(hub, "shopify", tmp_path / "later.jsonl", json.dumps(again).encode())
        content = b"".join(poslog_writer.document(day, dialect="v2"))
        take(hub, "poslog", tmp_path / "day.xml", content)
        yield hub


def take(hub: Hub, source: str, file: Path, content: bytes) -> None:
    file.write_bytes(content)
    receive(hub, source, [file])


def numbers(hub: Hub, **said: Any) -> list[int]:
    with hub.engine.begin() as connection:
        return [row["id"] for row in messages.found(hub, connection, Sought(**said))]


def native(order: Any) -> str:
    return str(json.loads(shop_writer.order(order))["id"])


def test_without_anything_all_are_found_the_newest_first(hub: Hub) -> None:
    assert numbers(hub) == [8, 7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("by", ["number", "native id"])
def test_an_order_is_found_in_every_message_that_told_of_it(hub: Hub, by: str) -> None:
    number = json.loads(shop_writer.order(ORDERS[0]))["name"]
    assert numbers(hub, order=number if by == "number" else native(ORDERS[0])) == [4, 1]


def test_a_receipt_is_found_by_till_day_and_sequence(hub: Hub) -> None:
    said = till_of(SALE)
    assert numbers(hub, **said) == [6]
    assert numbers(hub, **said, receipt="other") == []
    assert numbers(hub, store=said["store"]) == [7, 6, 5]


def test_a_receipt_that_was_never_understood_is_found_by_its_name(hub: Hub) -> None:
    assert numbers(hub, **till_of(SALES[3])) == [8]


def till_of(sale: Any) -> dict[str, str]:
    """By which four names a till's receipt goes."""
    connector = registry.load("poslog")
    options = connector.options()
    document = connector.decode(poslog_writer.transaction(sale), b"", options)[0]
    names = ("store", "workstation", "business_date", "sequence")
    return dict(zip(names, connector.name(document, options).key, strict=True))


def test_what_is_held_is_found_by_its_cause_and_its_fingerprint(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        [row] = holds.held(connection)
    assert numbers(hub, code=row["code"]) == [8]
    assert numbers(hub, group=row["fingerprint"]) == [8]
    assert numbers(hub, code="LP-DOC-001") == []
    assert numbers(hub, group="00000000") == []


def test_a_person_is_found_in_every_message_about_them(hub: Hub) -> None:
    fact = f"shopify:order/{native(ORDERS[0])}"
    mine = numbers(hub, person=fact)
    assert {4, 1} <= {*mine}
    assert len(mine) < 8
    assert numbers(hub, person="shopify:order/none") == []


def test_everything_that_is_given_must_fit(hub: Hub) -> None:
    assert numbers(hub, source="poslog", state="held") == [8]
    assert numbers(hub, source="shopify", state="held") == []
    assert numbers(hub, file="later") == [4]
    assert numbers(hub, fact=native(ORDERS[1])) == [2]


def test_messages_are_found_by_their_kind_and_the_version_that_they_went_through(hub: Hub) -> None:
    assert numbers(hub, kind="order") == [4, 3, 2, 1]
    with hub.engine.begin() as connection:
        version = publication.version_in_force(connection, Target("poslog", "retail"))
    assert numbers(hub, mapping=version) == [7, 6, 5]
    assert numbers(hub, mapping=version, kind="order") == []


def test_messages_of_a_time_are_those_whose_record_came_then(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        rows = {row["id"]: row["received_at"] for row in messages.found(hub, connection, Sought())}
    assert numbers(hub, since=rows[4]) == [8, 7, 6, 5, 4]
    assert numbers(hub, until=rows[5]) == [4, 3, 2, 1]
    assert numbers(hub, since=rows[4], until=rows[5]) == [4]
    assert numbers(hub, since="9999") == []
    assert numbers(hub, until="0001") == []

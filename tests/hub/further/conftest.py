"""A hub whose orders hold deliveries by a mapping of its own, and ways to look at them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connectors import registry
from hub import export, publication
from hub.authoring import draft as drafts
from hub.authoring import publishing
from hub.authoring.draft import Draft
from hub.bootstrap import Hub
from hub.receive import Report, receive
from hub.remake import Remade
from hub.store.tables import document
from tests.hub.replaying import replay

SAMPLE = registry.folder("shopify") / "samples" / "order-partly-fulfilled.json"
FACT = "shopify:order+delivery/#1014.1"
OWN = """\
extends: shopify.order
further:
  delivery:
    to: Interaction
    from: fulfillments[]
    key: name
    rules:
      id: id
      kind: = visit
      occurred_at: updated_at
      orders: [/id]
      customers[] from /customer[]:
        kind: = customer
        value: id
"""


def draft(hub: Hub, *changes: tuple[str, str], text: str = OWN) -> Draft:
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = hub.home.mappings / "own.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return drafts.read(file, hub.home)


def published(hub: Hub, made: Draft) -> str:
    with hub.engine.begin() as connection:
        return publishing.publish(connection, made, actor="ann", now=hub.now()).hash


def order(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(SAMPLE.read_bytes())
    return {**body, **changes}


def delivered(**changes: Any) -> list[dict[str, Any]]:
    return [{**each, **changes} for each in order()["fulfillments"]]


def sent(hub: Hub, tmp_path: Path, *bodies: dict[str, Any]) -> Report:
    file = tmp_path / "orders.jsonl"
    file.write_text("\n".join(map(json.dumps, bodies)))
    return receive(hub, "shopify", [file])


def rows(hub: Hub, kind: str = "Interaction") -> dict[str, dict[str, Any]]:
    with hub.engine.begin() as connection:
        lines = [json.loads(line) for line in export.export(connection)]
    return {line["fact"]: line["document"] for line in lines if line["fact"] and _is(line, kind)}


def _is(line: dict[str, Any], kind: str) -> bool:
    return bool(line["kind"] == kind)


def columns(hub: Hub, fact: str, *names: str) -> tuple[Any, ...]:
    with hub.engine.begin() as connection:
        found = select(*(document.c[name] for name in names)).where(document.c.fact == fact)
        return tuple(connection.execute(found).one())


def replayed(hub: Hub) -> Remade:
    with hub.engine.begin() as connection:
        target = publication.target("shopify.order")
        return replay(hub, connection, target)


def counts(done: Remade) -> tuple[int, int, int, int]:
    return done.remade, done.added, done.left, done.failed

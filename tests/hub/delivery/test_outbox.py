"""What is told to whom is written with what it tells: once, and never to where it comes from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from connectors import registry
from hub import holds
from hub.authoring import draft as drafts
from hub.bootstrap import Hub
from hub.demo import poslog_writer
from hub.demo.day import altered, file
from hub.demo.till import sale
from hub.publication import Target
from hub.store.tables import delivery, document, message
from tests.hub.delivery.conftest import Opening, order, received, rows, told
from tests.hub.further.conftest import OWN, published
from tests.hub.further.conftest import SAMPLE as ORDER
from tests.hub.replaying import replay

pytestmark = pytest.mark.databases

SAMPLE = registry.folder("poslog") / "samples" / "v2-cash-sale-with-change.xml"
ORDERS = Target("shopify", "order")


def held(hub: Hub) -> list[int]:
    with hub.engine.begin() as connection:
        return [row["message_id"] for row in holds.held(connection)]


def test_every_destination_is_told_of_what_was_applied(opening: Opening) -> None:
    hub = opening(crm={}, stock={"kinds": ["Transaction"]})
    received(hub, order(0), order(1))
    received(hub, SAMPLE.read_bytes(), source="poslog")
    with hub.engine.begin() as connection:
        facts = set(connection.scalars(select(document.c.fact)))
    crm = [row for row in rows(hub) if row["destination"] == "crm"]
    assert {row["subject"] for row in crm} == facts
    assert len(crm) == len(facts) > 2
    assert [r["kind"] for r in rows(hub) if r["destination"] == "stock"] == ["Transaction"]
    assert {row["state"] for row in rows(hub)} == {"waiting"}
    body = json.loads(crm[0]["content"])
    assert (body["fact"], body["kind"]) == (crm[0]["subject"], crm[0]["kind"])
    assert body["document"]["system"] == "shopify"


def test_what_comes_again_is_told_once(opening: Opening) -> None:
    hub = opening(crm={})
    received(hub, order(0), order(0), order(0, version=1), order(0), order(0, version=1))
    assert len(told(hub, "key")) == len(set(told(hub, "key"))) == 2
    assert [json.loads(c)["document"]["note"] for c in told(hub, "content")] == [
        "version 0",
        "version 1",
    ]


def test_a_name_of_a_delivery_is_taken_once(opening: Opening) -> None:
    hub = opening(crm={})
    received(hub, order(0))
    (row,) = rows(hub)
    named = {"business_hash": "x", "version": "1", "model": "order.v1", "flags": None, "body": "{}"}
    named |= {"fact": row["subject"], "kind": "Order", "message_id": row["message_id"]}
    outbox = hub.outbox
    assert outbox is not None
    for _ in range(2):
        with hub.engine.begin() as connection:
            outbox.write(connection, outbox.news(named, "shopify"))
    assert len(rows(hub)) == 2


def test_several_versions_in_one_batch_are_all_told(opening: Opening) -> None:
    hub = opening(every={}, latest={"mode": "latest"})
    versions = [json.loads(order(0, version=number)) for number in range(3)]
    received(hub, json.dumps({"orders": versions}).encode())
    by: dict[str, list[Any]] = {"every": [], "latest": []}
    for row in rows(hub):
        by[row["destination"]].append(row["message_id"])
    with hub.engine.begin() as connection:
        numbers = list(connection.scalars(select(message.c.id).order_by(message.c.id)))
    assert by == {"every": numbers, "latest": numbers[-1:]}


def test_the_latest_takes_the_place_of_what_was_never_sent(opening: Opening) -> None:
    hub = opening(crm={"mode": "latest"})
    received(hub, order(0), order(1), order(0, version=1))
    assert told(hub, "state") == ["superseded", "waiting", "waiting"]
    with hub.engine.begin() as connection:
        connection.execute(delivery.update().values(attempted_at="then"))
    received(hub, order(0, version=2))
    assert told(hub, "state") == ["superseded", "waiting", "waiting", "waiting"]


def test_nothing_is_sent_back_to_where_it_comes_from(opening: Opening) -> None:
    hub = opening(shop={"system": "shopify"}, tills={"system": "poslog"})
    received(hub, order(0))
    received(hub, SAMPLE.read_bytes(), source="poslog")
    assert sorted(set(told(hub, "destination", "kind"))) == [
        ("shop", "Transaction"),
        ("tills", "Order"),
    ]


def test_a_message_that_is_held_tells_nobody_until_it_is_released(opening: Opening) -> None:
    hub = opening(crm={})
    sold = sale(1, seed=9)
    received(hub, file([sold]), file([altered(sold)]), source="poslog")
    (first,) = rows(hub)
    (number,) = held(hub)
    holds.release(hub, [number], actor="ann", replace=True)
    _, second = rows(hub)
    assert second["subject"] == first["subject"]
    assert second["message_id"] == number


def test_what_stands_again_is_told_again(opening: Opening) -> None:
    hub = opening(crm={})
    sold = sale(1, seed=9)
    for content in (sold, altered(sold), sold):
        received(hub, file([content]), source="poslog")
        holds.release(hub, held(hub), actor="ann", replace=True)
    contents = told(hub, "content")
    assert len(contents) == 3
    assert contents[0] == contents[2] != contents[1]


def test_what_fails_to_be_kept_is_not_told(
    opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub import journal

    hub = opening(crm={})
    kept = journal.settle

    def failing(connection: Any, updates: Any) -> None:
        if any(update.get("state") == "applied" for update in updates):
            raise RuntimeError
        kept(connection, updates)

    monkeypatch.setattr(journal, "settle", failing)
    received(hub, order(0))
    assert rows(hub) == []
    assert len(held(hub)) == 1


def test_a_replay_tells_nobody(opening: Opening) -> None:
    hub = opening(crm={})
    received(hub, ORDER.read_bytes())
    before = rows(hub)
    file = hub.home.mappings / "own.yaml"
    file.write_text(OWN)
    published(hub, drafts.read(file, hub.home))
    with hub.engine.begin() as connection:
        done = replay(hub, connection, ORDERS)
    assert (done.remade, done.added > 0) == (1, True)
    assert rows(hub) == before


def test_without_destinations_nothing_is_written(opening: Opening) -> None:
    hub = opening()
    received(hub, order(0))
    received(hub, poslog_writer.sale(1, seed=1), source="poslog")
    assert rows(hub) == []

"""Further documents in the hub: named, applied once, explained, replayed, and never lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hub import explain, holds
from hub.apply import CONFLICT
from hub.authoring import attempt, examples
from hub.authoring import draft as drafts
from hub.authoring.draft import Draft
from hub.bootstrap import Hub
from tests.hub.further.conftest import (
    FACT,
    OWN,
    SAMPLE,
    columns,
    delivered,
    draft,
    order,
    published,
    rows,
    sent,
)


def test_what_a_message_holds_comes_under_a_name_of_its_own(hub: Hub, tmp_path: Path) -> None:
    version = published(hub, draft(hub))
    assert sent(hub, tmp_path, order()).applied == 1
    found = rows(hub)
    assert list(found) == [FACT]
    assert found[FACT]["orders"] == ["4400000001014"]
    assert columns(hub, FACT, "further", "mapping", "at", "version") == (
        "delivery",
        version,
        "fulfillments[0]",
        None,
    )
    assert columns(hub, "shopify:order/4400000001014", "further") == (None,)


def test_the_same_message_twice_is_a_duplicate(hub: Hub, tmp_path: Path) -> None:
    published(hub, draft(hub))
    sent(hub, tmp_path, order())
    before = rows(hub), rows(hub, "Order")
    assert sent(hub, tmp_path, {"order": order()}).duplicates == 1
    assert (rows(hub), rows(hub, "Order")) == before


def test_a_newer_order_with_the_same_delivery_adds_no_other(hub: Hub, tmp_path: Path) -> None:
    published(hub, draft(hub))
    sent(hub, tmp_path, order())
    newer = order(updated_at="2026-04-01T10:00:00-05:00", note="later")
    assert sent(hub, tmp_path, newer).applied == 1
    assert list(rows(hub)) == [FACT]
    assert columns(hub, FACT, "message_id") == (1,)


def test_an_immutable_one_that_changes_is_a_conflict_for_a_person(hub: Hub, tmp_path: Path) -> None:
    published(hub, draft(hub))
    sent(hub, tmp_path, order())
    other = order(updated_at="2026-04-01T10:00:00-05:00", fulfillments=delivered(status="error"))
    report = sent(hub, tmp_path, other)
    assert (report.held, [p.code for p in report.problems]) == (1, [CONFLICT.code])
    assert report.problems[0].path == FACT


def test_a_snapshot_goes_by_its_version(hub: Hub, tmp_path: Path) -> None:
    published(hub, draft(hub, ("    rules:", "    version: updated_at\n    rules:")))
    new, old = "2026-03-05T09:00:00-05:00", "2026-03-04T09:00:00-05:00"
    for at, status in ((new, "success"), (old, "pending")):
        fulfilments = delivered(updated_at=at, status=status)
        assert sent(hub, tmp_path, order(updated_at=at, fulfillments=fulfilments)).held == 0
    assert rows(hub)[FACT]["occurred_at"]["local"] == new[:19]
    assert columns(hub, FACT, "version") == ("2026-03-05T14:00:00.000000000Z",)


def test_what_cannot_be_named_holds_its_message_and_the_rest_goes_on(
    hub: Hub, tmp_path: Path
) -> None:
    published(hub, draft(hub))
    nameless = order(id=1, fulfillments=delivered(name=None))
    report = sent(hub, tmp_path, nameless, order())
    assert (report.applied, report.held) == (1, 1)
    problem = report.problems[0]
    assert (problem.code, problem.path) == ("LP-MAP-102", "fulfillments[0]")
    assert problem.rule is not None
    assert list(rows(hub)) == [FACT]
    assert list(rows(hub, "Order")) == ["shopify:order/4400000001014"]


def test_what_does_not_fit_holds_its_message_whole(hub: Hub, tmp_path: Path) -> None:
    published(hub, draft(hub))
    wrong = order(fulfillments=delivered(updated_at="yesterday"))
    report = sent(hub, tmp_path, wrong)
    assert (report.held, report.problems[0].path) == (1, "fulfillments[0].updated_at")
    assert (rows(hub), rows(hub, "Order")) == ({}, {})
    published(hub, draft(hub, ("      occurred_at: updated_at\n", "")))
    assert holds.release(hub, [1], actor="ann").states == {1: "applied"}
    assert list(rows(hub)) == [FACT]


def test_every_value_is_explained(hub: Hub, tmp_path: Path) -> None:
    version = published(hub, draft(hub))
    sent(hub, tmp_path, order())
    published(hub, draft(hub, ("kind: = visit", "kind: = call"), ("key: name", "key: id")))
    with hub.engine.begin() as connection:
        found = {each.path: each for each in explain.explain(hub, connection, FACT)}
    assert set(found) >= {"id", "kind", "occurred_at.local", "orders[0]", "customers[0].value"}
    assert found["id"].source == "fulfillments[0].id"
    assert found["orders[0]"].source == "id"
    assert found["customers[0].value"].source == "customer.id"
    assert (found["kind"].rule, found["kind"].version) == ("kind: = visit", version)


def test_a_document_inside_a_message_tells_places_of_the_message(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        made = draft(hub)
        stored = attempt.of_file(hub, SAMPLE, made.target, None)
        first, second = attempt.attempted(hub, connection, made, stored, reveal=False)
    assert (first.further, second.further) == (None, "delivery")
    assert second.fact == FACT
    values = {each.path: each for each in second.values}
    assert values["id"].source == "fulfillments[0].id"
    assert values["id"].rule == "id: id"
    assert second.model is not None


def test_a_trial_tells_why_a_further_document_would_be_held(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_text(json.dumps(order(fulfillments=delivered(updated_at="yesterday"))))
    with hub.engine.begin() as connection:
        made = draft(hub)
        stored = attempt.of_file(hub, file, made.target, None)
        first, second = attempt.attempted(hub, connection, made, stored, reveal=False)
    assert first.problem is None
    assert second.problem is not None
    assert (second.further, second.problem.target) == ("delivery", "occurred_at")


def test_examples_say_what_further_documents_become(hub: Hub) -> None:
    made = draft(hub)
    shipped = json.loads(SAMPLE.with_name(f"{SAMPLE.stem}.canonical.json").read_text())
    (ran,) = examples.of_mapping(_example(hub, made, shipped, "2026-03-03T11:00:01"))
    assert ran.problem is None
    assert ran.well, ran.differences
    (ran,) = examples.of_mapping(_example(hub, made, shipped, "2026-03-03T11:00:02"))
    assert [each.path for each in ran.differences] == ["order+delivery[0].occurred_at.local"]
    stray = [*shipped, {"message": "order+parcel", "document": {"id": "1"}}]
    (ran,) = examples.of_mapping(_example(hub, made, stray, "2026-03-03T11:00:01"))
    assert [each.path for each in ran.differences] == ["order+parcel[0]"]


def _example(hub: Hub, made: Draft, shipped: list[Any], local: str) -> Draft:
    """The draft with an example of its own."""
    moment = {"local": local, "offset": "-05:00", "utc": "2026-03-03T16:00:01Z"}
    said = {
        "system": "shopify",
        "id": "5000000001014",
        "kind": "visit",
        "occurred_at": {**moment, "zone_origin": "source"},
        "orders": ["4400000001014"],
        "customers": [{"kind": "customer", "value": "5500000000001"}],
    }
    expected = [*shipped, {"message": "order+delivery", "document": said}]
    (hub.home.mappings / "expected.json").write_text(json.dumps(expected))
    line = f"examples:\n  - {{from: {SAMPLE.name}, expect: expected.json}}\n"
    file = hub.home.mappings / "own.yaml"
    file.write_text(OWN + line)
    return drafts.read(file, hub.home)

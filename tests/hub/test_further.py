"""Further documents in the hub: named, applied once, explained, replayed, and never lost."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connectors import registry
from hub import bootstrap, explain, export, holds, publication
from hub.apply import CONFLICT
from hub.authoring import attempt, examples, publishing
from hub.authoring import draft as drafts
from hub.authoring.draft import Draft
from hub.bootstrap import Hub
from hub.home import Home
from hub.receive import Report, receive
from hub.replay import Replayed, replay
from hub.store.tables import document
from hub.translate import OTHER_STORE
from schemas.problem import LynchpinError, Rejected

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


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    bootstrap.create(home)
    return home


@pytest.fixture
def hub(home: Home) -> Iterator[Hub]:
    with bootstrap.open_hub(home) as hub:
        yield hub


def draft(hub: Hub, *changes: tuple[str, str]) -> Draft:
    text = OWN
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


def replayed(hub: Hub) -> Replayed:
    with hub.engine.begin() as connection:
        target = publication.target("shopify.order")
        return replay(hub, connection, target, actor="ann")


def counts(done: Replayed) -> tuple[int, int, int, int]:
    return done.remade, done.added, done.left, done.failed


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


def test_a_replay_brings_what_a_new_entry_finds_and_does_it_once(hub: Hub, tmp_path: Path) -> None:
    first = order()
    other = order(id=2, fulfillments=delivered(name="#2.1"))
    sent(hub, tmp_path, first, other, order(id=3, fulfillments=[]))
    assert rows(hub) == {}
    published(hub, draft(hub))
    assert counts(replayed(hub)) == (3, 2, 0, 0)
    assert set(rows(hub)) == {FACT, "shopify:order+delivery/#2.1"}
    before = rows(hub), rows(hub, "Order")
    assert counts(replayed(hub)) == (0, 0, 0, 0)
    assert sent(hub, tmp_path, {"order": first}).duplicates == 1
    assert (rows(hub), rows(hub, "Order")) == before


def test_a_replay_makes_them_again_by_changed_rules_under_the_same_names(
    hub: Hub, tmp_path: Path
) -> None:
    published(hub, draft(hub))
    sent(hub, tmp_path, order())
    name = columns(hub, FACT, "business_hash")
    version = published(hub, draft(hub, ("kind: = visit", "kind: = call")))
    assert counts(replayed(hub)) == (2, 0, 0, 0)
    assert rows(hub)[FACT]["kind"] == "call"
    assert columns(hub, FACT, "business_hash") == name
    assert columns(hub, FACT, "mapping") == (version,)


def test_what_an_entry_made_stays_when_it_goes(hub: Hub, tmp_path: Path) -> None:
    version = published(hub, draft(hub))
    sent(hub, tmp_path, order())
    before = rows(hub)
    with hub.engine.begin() as connection:
        target = publication.target("shopify.order")
        publishing.rollback(connection, target, None, actor="ann", now=hub.now())
    for remade in (1, 0):
        assert counts(replayed(hub)) == (remade, 0, 1, 0)
        assert rows(hub) == before
    with hub.engine.begin() as connection:
        (found,) = explain.explain(hub, connection, FACT, "kind")
    assert found.version == version
    newer = order(updated_at="2026-04-01T10:00:00-05:00")
    assert sent(hub, tmp_path, newer).applied == 1
    assert rows(hub) == before


def test_what_an_entry_no_longer_chooses_stays_as_well(hub: Hub, tmp_path: Path) -> None:
    published(hub, draft(hub))
    sent(hub, tmp_path, order())
    published(hub, draft(hub, ("from: fulfillments[]", "from: fulfillments[] where no")))
    assert counts(replayed(hub)) == (1, 0, 1, 0)
    assert counts(replayed(hub)) == (0, 0, 1, 0)
    assert list(rows(hub)) == [FACT]


def test_a_replay_leaves_what_fails_as_it_was_and_tells_why(hub: Hub, tmp_path: Path) -> None:
    sent(hub, tmp_path, order(), order(id=2, fulfillments=delivered(name=None)))
    published(hub, draft(hub))
    done = replayed(hub)
    assert counts(done) == (1, 1, 0, 1)
    assert [p.code for p in done.problems.values()] == ["LP-MAP-102"]
    before = columns(hub, "shopify:order/2", "mapping")
    assert before != columns(hub, FACT, "mapping")


def test_a_replay_does_not_bring_back_what_a_newer_order_does_not_hold(
    hub: Hub, tmp_path: Path
) -> None:
    newer = order(updated_at="2026-04-01T10:00:00-05:00", fulfillments=[])
    sent(hub, tmp_path, order(), newer)
    published(hub, draft(hub))
    assert counts(replayed(hub)) == (1, 0, 0, 0)
    assert rows(hub) == {}


def test_a_replay_takes_from_an_earlier_order_only_what_stands_by_it(
    hub: Hub, tmp_path: Path
) -> None:
    published(hub, draft(hub))
    newer = order(updated_at="2026-04-01T10:00:00-05:00", fulfillments=[])
    sent(hub, tmp_path, order(), newer)
    assert columns(hub, FACT, "message_id") == (1,)
    both = OWN + OWN.partition("further:\n")[2].replace("  delivery:", "  parcel:")
    published(
        hub,
        draft(
            hub,
            (OWN, both),
        ),
    )
    assert counts(replayed(hub)) == (2, 0, 0, 0)
    assert list(rows(hub)) == [FACT]


def test_what_is_left_is_of_the_mapping_that_is_replayed(hub: Hub) -> None:
    """A refund inside an order is of another mapping, and what lies in it as well."""
    file = hub.home.mappings / "refunds.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    entry = "  one: {to: Interaction, from: ., key: id, rules: {id: id, kind: = call}}\n"
    file.write_text(f"extends: shopify.refund\nfurther:\n{entry}")
    published(hub, drafts.read(file, hub.home))
    assert receive(hub, "shopify", [SAMPLE.with_name("order-with-refund-inside.json")]).held == 0
    (fact,) = rows(hub)
    assert fact.startswith("shopify:refund+one/")
    published(hub, draft(hub))
    assert counts(replayed(hub))[2] == 0


def test_two_messages_that_say_different_things_of_one_are_told_in_a_replay(
    hub: Hub, tmp_path: Path
) -> None:
    sent(hub, tmp_path, order(), order(id=2, fulfillments=delivered(status="error")))
    published(hub, draft(hub))
    done = replayed(hub)
    assert counts(done) == (1, 1, 0, 1)
    assert done.problems[2].code == CONFLICT.code
    assert list(rows(hub)) == [FACT]


def test_a_draft_with_a_further_document_of_no_kind_is_refused(hub: Hub) -> None:
    with pytest.raises(LynchpinError) as caught:
        draft(hub, ("to: Interaction", "to: Intraction"))
    assert "did you mean 'Interaction'?" in str(caught.value)
    assert caught.value.problem.rule == "mappings/own.yaml:4"


TILLS = """\
extends: poslog.retail
further:
  answer:
    to: Interaction
    from: RetailTransaction.acs:Survey.acs:Answer[] where .@Given = true
    key: [/RetailStoreID, /WorkstationID, /BusinessDayDate, /SequenceNumber, .@Question]
    rules:
      id: = {/RetailStoreID}-{/SequenceNumber}-{.@Question}
      kind: = survey_answer
      store: /RetailStoreID
      occurred_at: /EndDateTime
      outcome: .
"""
SALE = registry.folder("poslog") / "samples" / "v2-cash-sale-with-change.xml"
SURVEY = (
    b'<acs:Survey><acs:Answer Given="true" Question="again">yes</acs:Answer>'
    b'<acs:Answer Given="false" Question="why"/></acs:Survey></RetailTransaction>'
)


def asked(tmp_path: Path, survey: bytes = SURVEY) -> Path:
    file = tmp_path / "day.xml"
    content = SALE.read_bytes()
    assert content.count(b"</RetailTransaction>") == 1
    file.write_bytes(content.replace(b"</RetailTransaction>", survey))
    return file


def test_a_till_says_several_things_in_one_transaction(hub: Hub, tmp_path: Path) -> None:
    file = hub.home.mappings / "tills.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(TILLS)
    published(hub, drafts.read(file, hub.home))
    assert receive(hub, "poslog", [asked(tmp_path)]).held == 0
    ((fact, said),) = rows(hub).items()
    assert fact.startswith("poslog:retail+answer/")
    assert fact.endswith("/again")
    assert (said["outcome"], said["kind"]) == ("yes", "survey_answer")
    with hub.engine.begin() as connection:
        found = {each.path: each for each in explain.explain(hub, connection, fact)}
    assert found["outcome"].source.endswith("RetailTransaction.acs:Survey.acs:Answer[0]")
    assert found["store"].source.endswith("RetailStoreID")
    again = asked(tmp_path, SURVEY + b"<!-- sent once more -->")
    assert receive(hub, "poslog", [again]).applied == 0
    assert list(rows(hub)) == [fact]


def test_a_sender_of_one_store_says_nothing_of_another_one(hub: Hub, tmp_path: Path) -> None:
    file = hub.home.mappings / "tills.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    # The further document does not say of which store it is.
    file.write_text(TILLS.replace("      store: /RetailStoreID\n", ""))
    made = drafts.read(file, hub.home)
    published(hub, made)
    (stored,) = attempt.of_file(hub, asked(tmp_path), made.target, None)
    with hub.engine.begin() as connection:
        translator = hub.translator(connection, stored)
        _, answer = translator.named(stored)
        for stores in (None, '["501"]'):
            limited = dataclasses.replace(stored, stores=stores)
            assert translator.translated(limited, answer).kind == "Interaction"
        with pytest.raises(Rejected) as caught:
            translator.translated(dataclasses.replace(stored, stores='["502"]'), answer)
    assert caught.value.problem.code == OTHER_STORE.code

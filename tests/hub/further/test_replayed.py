"""A replay brings further documents, and takes none away."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub import explain, publication
from hub.apply import CONFLICT
from hub.authoring import draft as drafts
from hub.authoring import publishing
from hub.bootstrap import Hub
from hub.receive import receive
from schemas.problem import LynchpinError
from tests.hub.further.conftest import (
    FACT,
    OWN,
    SAMPLE,
    columns,
    counts,
    delivered,
    draft,
    order,
    published,
    replayed,
    rows,
    sent,
)


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

"""Replays by query as jobs: planned, done in steps, and done twice as done once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, update

from hub import doctor, messages, publication
from hub.apply import SAME_VERSION
from hub.bootstrap import Hub
from hub.demo import shop_writer
from hub.jobs import ask as asks
from hub.jobs.ask import NOTHING_ASKED, Ask
from hub.messages import Sought
from hub.publication import Target
from hub.receive import receive
from hub.store.tables import claim, document, mapping_version, message
from schemas.problem import Refused, Rejected
from tests.hub.jobs.conftest import (
    ORDERS,
    PLACED,
    RECEIPTS,
    SALES,
    audited,
    decided,
    done,
    due,
    exported,
    hand,
    job,
    planned,
    sought,
    started,
)

pytestmark = pytest.mark.databases
EVERYTHING = Ask(all=True)


def test_what_the_plan_counts_is_what_the_job_goes_through(hub: Hub, readers: Engine) -> None:
    due(hub)
    made = planned(hub, sought(source="shopify"))
    # One order stands by its second message, with the refund that lies in it.
    assert (made.messages, made.documents, made.outdated) == (ORDERS, ORDERS + 1, ORDERS)
    assert [(p.source, p.kind, p.documents) for p in made.parts] == [
        ("shopify", "Order", ORDERS),
        ("shopify", "Reversal", 1),
    ]
    assert [each.id for each in made.sample] == [2, 3, 4, 5, 6, 7, 8]
    found = done(hub, readers, sought(source="shopify"))
    assert (found.state, found.done, found.total) == ("done", made.messages, made.messages)
    assert (found.remade, found.unchanged, found.failed) == (made.outdated, 1, 0)
    assert planned(hub, sought(source="shopify")).outdated == 0


def test_done_twice_the_second_time_changes_nothing(hub: Hub, readers: Engine) -> None:
    before = exported(hub)
    due(hub)
    assert done(hub, readers, EVERYTHING).remade == ORDERS
    after = exported(hub)
    again = done(hub, readers, EVERYTHING)
    assert (again.remade, again.unchanged, again.added) == (0, ORDERS + 1 + SALES, 0)
    assert before != after == exported(hub)


def test_what_the_version_in_force_made_is_made_again_and_is_the_same(
    hub: Hub, readers: Engine
) -> None:
    before = exported(hub)
    found = done(hub, readers, EVERYTHING)
    assert (found.remade, found.unchanged) == (0, ORDERS + 1 + SALES)
    assert exported(hub) == before


def test_a_flag_from_when_it_came_is_kept(hub: Hub, readers: Engine) -> None:
    """Two orders of one version that say different things: it is not seen in the later one."""
    body = json.loads(shop_writer.order(PLACED[1]))
    file = hub.home.path.parent / "later.json"
    file.write_text(json.dumps({**body, "note": "another"}))
    assert receive(hub, "shopify", [file]).flagged == 1
    before = exported(hub)
    assert sum(SAME_VERSION.code in line for line in before) == 1
    assert done(hub, readers, EVERYTHING).remade == 0
    assert exported(hub) == before


ASKED: list[dict[str, Any]] = [
    {"source": "poslog"},
    {"kind": "order"},
    {"state": "applied", "file": "orders"},
    {"order": str(PLACED[0].id)},
    {"order": "nothing"},
    {"store": RECEIPTS[0].store.number},
    {"store": RECEIPTS[0].store.number, "source": "shopify"},
    {"sequence": RECEIPTS[1].key[3], "workstation": RECEIPTS[1].key[1]},
    {"person": f"shopify:order/{PLACED[0].id}"},
    {"fact": f"order/{PLACED[2].id}"},
    {"since": "2000"},
    {"until": "2000"},
]


def test_it_takes_what_a_search_finds_as_far_as_documents_stand_by_it(hub: Hub) -> None:
    counts = set()
    with hub.engine.begin() as connection:
        standing = set(connection.scalars(select(document.c.message_id)))
        for said in ASKED:
            found = messages.found(hub, connection, Sought(**said), limit=500)
            wanted = sorted(row["id"] for row in found if row["id"] in standing)
            ask = asks.settled(hub, connection, sought(**said))
            assert asks.numbers(hub, connection, ask, after=0, last=500, limit=500) == wanted, said
            counts.add(len(wanted))
    assert {0, 1, SALES, ORDERS} <= counts, counts


def test_documents_of_a_mapping_that_another_version_made(hub: Hub, readers: Engine) -> None:
    ask = Ask(target=Target("shopify", "order"))
    assert planned(hub, ask).messages == 0
    due(hub)
    some = replace(ask, runs=((1, 3), (5, 5), (90, 99)))
    assert [each.id for each in planned(hub, some).sample] == [2, 3, 5]
    assert done(hub, readers, some).remade == 3
    assert [each.id for each in planned(hub, ask).sample] == [4, 6, 7, 8]
    assert done(hub, readers, ask).remade == ORDERS - 3
    # Of the refund in the order nothing was asked.
    assert planned(hub, ask).documents == 0


def test_nothing_is_asked_by_oversight(hub: Hub) -> None:
    with pytest.raises(Refused, match=NOTHING_ASKED.code):
        planned(hub, Ask())
    assert planned(hub, EVERYTHING).messages == ORDERS + SALES


def test_whose_documents_it_is_about_is_settled_when_it_is_asked_for(
    hub: Hub, readers: Engine
) -> None:
    """A replay may change who somebody is, and must not lose them on the way."""
    fact = f"shopify:order/{PLACED[1].id}"
    number = started(hub, sought(person=fact))
    before = job(hub, number)
    assert fact in (before.ask.people or ())
    with hub.engine.begin() as connection:
        connection.execute(delete(claim))
    worker = hand(hub, readers)
    while worker.step() is not None:
        pass
    assert job(hub, number).done == before.total > 0


def test_an_ask_is_kept_as_it_was_asked() -> None:
    whole = Ask(
        Sought(source="poslog", since="2031"),
        all=True,
        target=Target("shopify", "order"),
        plan="20310506-201500-3f1c0a",
        effects="corrections",
        people=("a", "b"),
        runs=((1, 3), (5, 5)),
    )
    for ask in (whole, EVERYTHING, replace(whole, people=(), runs=())):
        assert Ask.of(ask.text()) == ask


def test_what_comes_in_later_is_not_of_the_job(hub: Hub, readers: Engine) -> None:
    number = started(hub, EVERYTHING)
    file = hub.home.path.parent / "orders.jsonl"
    body = json.loads(file.read_bytes().splitlines()[0])
    file.write_text(json.dumps({**body, "id": 77}))
    assert receive(hub, "shopify", [file]).applied == 1
    worker = hand(hub, readers)
    while worker.step() is not None:
        pass
    assert (job(hub, number).state, job(hub, number).done) == ("done", ORDERS + SALES)


def test_it_is_in_the_audit_before_anything_is_done(hub: Hub, readers: Engine) -> None:
    due(hub)
    before = exported(hub)
    number = started(hub, sought(source="shopify"))
    [line] = audited(hub, "job.")
    assert (line["actor"], line["act"], line["subject"]) == ("ann", "job.start", f"job {number}")
    assert json.loads(line["detail"]) == {
        "asked": {"source": "shopify"},
        "effects": "none",
        "messages": ORDERS,
        "reason": "a test",
    }
    assert exported(hub) == before
    worker = hand(hub, readers)
    while worker.step() is not None:
        pass
    assert exported(hub) != before
    assert [line["act"] for line in audited(hub, "job.")] == ["job.start", "job.done"]


def test_a_message_that_fails_is_counted_and_told_and_stops_nothing(
    hub: Hub, readers: Engine
) -> None:
    due(hub)
    before = exported(hub)
    with hub.engine.begin() as connection:
        other = connection.scalar(select(message.c.payload).where(message.c.id == 9))
        connection.execute(update(message).where(message.c.id == 4).values(payload=other))
    found = done(hub, readers, sought(source="shopify"))
    assert (found.state, found.done, found.failed) == ("done", ORDERS, 1)
    assert (found.remade, found.unchanged) == (ORDERS - 1, 1)
    assert list(found.problems) == [4]
    assert found.problems[4].code == "LP-DOC-003"
    fact = f"shopify:order/{PLACED[3].id}"
    assert [line for line in before if fact in line] == [
        line for line in exported(hub) if fact in line
    ]


def test_a_job_that_cannot_go_on_says_why_and_is_resumed_once_that_is_mended(
    hub: Hub, readers: Engine
) -> None:
    due(hub)
    number = started(hub, Ask(target=Target("shopify", "order")))
    with hub.engine.begin() as connection:
        version = publication.version_in_force(connection, Target("shopify", "order"))
        mine = mapping_version.c.hash == version
        text = connection.execute(select(mapping_version.c.text).where(mine)).scalar_one()
        torn = text.replace("paid: due", "paid: [due", 1)
        connection.execute(update(mapping_version).where(mine).values(text=torn))
    _forget()
    worker = hand(hub, readers)
    stopped = worker.step()
    assert stopped is not None
    assert (stopped.state, stopped.done) == ("failed", 0)
    assert stopped.problem is not None
    assert stopped.problem.code.startswith("LP-MAP")
    assert worker.step() is None
    assert [each.well for each in doctor.examine(hub.home) if each.what == "jobs"] == [False]
    with hub.engine.begin() as connection:
        connection.execute(update(mapping_version).where(mine).values(text=text))
    decided(hub, number, "resume")
    while worker.step() is not None:
        pass
    assert (job(hub, number).state, job(hub, number).remade) == ("done", ORDERS)
    assert job(hub, number).problem is None
    assert [each.well for each in doctor.examine(hub.home) if each.what == "jobs"] == [True]


def _forget() -> None:
    """A text never changes under its hash, so it is kept once it was read."""
    from hub import library

    library._loaded.clear()


def test_pausing_and_cancelling_hold_from_the_next_step_on(hub: Hub, readers: Engine) -> None:
    due(hub)
    number = started(hub, EVERYTHING)
    worker = hand(hub, readers)
    assert worker.step() is not None
    assert decided(hub, number, "pause").state == "paused"
    at = job(hub, number)
    assert (at.done, worker.step(), worker.step()) == (3, None, None)
    assert job(hub, number) == at
    with pytest.raises(Rejected, match="LP-JOB-004"):
        decided(hub, number, "pause")
    assert decided(hub, number, "resume").state == "running"
    second = worker.step()
    assert second is not None
    assert second.done == 6
    assert decided(hub, number, "cancel").state == "cancelled"
    assert worker.step() is None
    assert (job(hub, number).done, job(hub, number).remade) == (6, 6)
    for act in ("pause", "resume", "cancel"):
        with pytest.raises(Rejected, match="LP-JOB-004"):
            decided(hub, number, act)
    acts = [line["act"] for line in audited(hub, "job.")]
    assert acts == ["job.start", "job.pause", "job.resume", "job.cancel"]
    with pytest.raises(Rejected, match="LP-JOB-003"):
        decided(hub, 99, "pause")


def test_jobs_are_done_one_after_the_other(hub: Hub, readers: Engine) -> None:
    first, second = started(hub, sought(source="shopify")), started(hub, sought(source="poslog"))
    worker = hand(hub, readers)
    ended = [each.id for each in iter(worker.step, None) if each.state == "done"]
    assert ended == [first, second]


def test_where_a_process_was_killed_another_goes_on(hub: Hub, readers: Engine) -> None:
    """What the killed one had not committed is not there, and where the job is says the same.

    Where several may share the database, its time must be over; of a file nobody else has any.
    """
    due(hub)
    number = started(hub, EVERYTHING)
    seconds = 0 if hub.bus.shared else 30
    assert hand(hub, readers, seconds=seconds).step() is not None
    with hub.engine.connect() as connection:
        killed = hand(hub, readers, seconds=seconds)
        killed.begin = lambda work: work(connection)
        assert killed.step() is not None
        connection.rollback()
    assert (job(hub, number).done, job(hub, number).position) == (3, 4)
    worker = hand(hub, readers)
    while worker.step() is not None:
        pass
    found = job(hub, number)
    assert (found.state, found.done, found.remade) == ("done", ORDERS + SALES, ORDERS)

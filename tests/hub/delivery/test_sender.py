"""What is due is sent in order, each thing until it is answered; nothing ends in silence."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from random import Random

import pytest

from hub.delivery import queue
from hub.delivery.post import Answer
from hub.delivery.schedule import FAILURES
from hub.people.masking import HIDDEN
from tests.hub.delivery.conftest import Wired, order, received, rows, told
from tests.hub.delivery.receiver import Call, Receiver

pytestmark = pytest.mark.databases

DAY = 86_400


def notes(receiver: Receiver) -> list[tuple[str, str]]:
    """The subjects that were told, each with the version of it."""
    bodies = [json.loads(call.body)["data"] for call in receiver.calls]
    return [(body["fact"], body["document"]["note"]) for body in bodies]


def test_what_waits_is_sent_in_order_and_once(wired: Callable[..., Wired]) -> None:
    crm = wired(personal=True)
    received(crm.hub, order(0), order(1), order(0, version=1), order(0, version=2))
    crm.rounds()
    assert sorted(crm.receiver.ids) == sorted(told(crm.hub, "key"))
    first = [note for fact, note in notes(crm.receiver) if fact == rows(crm.hub)[0]["subject"]]
    assert first == ["version 0", "version 1", "version 2"]
    assert set(told(crm.hub, "state", "content", "payload")) == {("delivered", None, None)}
    crm.clock.pass_by(DAY)
    assert crm.rounds() == 0


def test_what_is_told_is_an_envelope(wired: Callable[..., Wired]) -> None:
    crm = wired(personal=True)
    received(crm.hub, order(0))
    (row,) = rows(crm.hub)
    crm.rounds()
    (call,) = crm.receiver.calls
    body = json.loads(call.body)
    assert (body["type"], body["timestamp"]) == ("order.v1", row["created_at"])
    assert body["data"] == json.loads(row["content"])


@pytest.mark.parametrize("mode", ["every", "latest"])
def test_people_are_masked_unless_a_person_said_otherwise(
    wired: Callable[..., Wired], mode: str
) -> None:
    crm = wired(mode=mode)
    placed = order(0)
    received(crm.hub, placed)
    crm.rounds()
    (call,) = crm.receiver.calls
    assert json.loads(call.body)["data"]["document"]["note"] == HIDDEN
    assert json.loads(placed)["email"].encode() not in call.body
    assert b"@example" not in call.body


def test_what_was_tried_once_stays_as_it_is(wired: Callable[..., Wired]) -> None:
    crm = wired(mode="latest", personal=True)
    crm.receiver.reply = lambda call: 500 if len(crm.receiver.calls) < 3 else 204
    received(crm.hub, order(0))
    crm.rounds()
    received(crm.hub, order(0, version=1), order(0, version=2))
    crm.until_done()
    first, again, third, last = crm.receiver.calls
    assert first.body == again.body == third.body
    assert first.id == again.id == third.id != last.id
    assert [note for _, note in notes(crm.receiver)][2:] == ["version 0", "version 2"]
    assert told(crm.hub, "state") == ["delivered", "superseded", "delivered"]


def test_what_is_refused_waits_for_a_person_and_holds_up_its_subject_alone(
    wired: Callable[..., Wired],
) -> None:
    crm = wired()
    received(crm.hub, order(0), order(1), order(0, version=1), order(1, version=1))
    bad = told(crm.hub, "key")[0]
    crm.receiver.reply = lambda call: 422 if call.id == bad else 204
    crm.rounds()
    assert told(crm.hub, "state") == ["parked", "delivered", "waiting", "delivered"]
    assert told(crm.hub, "failure")[0] == "it answered 422"
    crm.clock.pass_by(30 * DAY)
    assert crm.rounds() == 0
    assert crm.receiver.ids.count(bad) == 1


def test_what_fails_is_tried_again_later(wired: Callable[..., Wired]) -> None:
    crm = wired()
    received(crm.hub, order(0))
    crm.receiver.reply = lambda call: (302, {"Location": "/elsewhere"})
    crm.rounds()
    ((state, attempts, due, failure),) = told(crm.hub, "state", "attempts", "due_at", "failure")
    assert (state, attempts, failure) == ("waiting", 1, "it answered 302")
    assert due > crm.clock()


def test_a_destination_that_is_gone_is_left_alone(wired: Callable[..., Wired]) -> None:
    crm = wired()
    received(crm.hub, order(0), order(1))
    crm.receiver.reply = lambda call: 410
    crm.rounds()
    crm.clock.pass_by(30 * DAY)
    assert crm.rounds() == 0
    assert len(crm.receiver.calls) == 1
    assert crm.status().paused
    assert told(crm.hub, "state", "attempts") == [("waiting", 1), ("waiting", 0)]


def test_a_destination_says_when_to_come_again(wired: Callable[..., Wired]) -> None:
    crm = wired()
    received(crm.hub, order(0), order(1))
    crm.receiver.reply = lambda call: (429, {"Retry-After": "600"})
    crm.rounds()
    crm.clock.pass_by(599)
    assert crm.rounds() == 0
    assert len(crm.receiver.calls) == 1
    crm.receiver.reply = lambda call: 204
    crm.until_done()
    assert told(crm.hub, "state") == ["delivered", "delivered"]


def test_a_destination_that_fails_is_asked_now_and_then(wired: Callable[..., Wired]) -> None:
    crm = wired()
    received(crm.hub, *(order(index) for index in range(FAILURES + 4)))
    crm.receiver.reply = lambda call: 503
    crm.rounds()
    assert len(crm.receiver.calls) == FAILURES
    status = crm.status()
    assert (status.failures, status.closed, status.waiting) == (FAILURES, True, FAILURES + 4)
    assert told(crm.hub, "attempts") == [1] * FAILURES + [0] * 4
    crm.clock.pass_by(10)
    crm.rounds()
    # One to see whether it is well again.
    assert len(crm.receiver.calls) == FAILURES + 1


def test_three_days_down_and_nothing_is_lost_doubled_or_out_of_order(
    wired: Callable[..., Wired],
) -> None:
    crm = wired(personal=True)
    down = crm.clock.at.timestamp() + 3 * DAY
    answered: list[Call] = []

    def reply(call: Call) -> int:
        if crm.clock.at.timestamp() < down:
            return 503
        answered.append(call)
        return 204

    crm.receiver.reply = reply
    for version in range(3):
        received(crm.hub, *(order(index, version=version) for index in range(4)))
        crm.rounds()
        crm.clock.pass_by(DAY / 3)
    tried = len(crm.receiver.calls)
    assert tried < 20
    while crm.clock.at.timestamp() < down:
        crm.rounds()
        crm.clock.pass_by(3 * 3600)
    assert not answered
    crm.until_done(step=300)
    assert len(answered) == 12
    assert sorted(call.id for call in answered) == sorted(told(crm.hub, "key"))
    by: dict[str, list[str]] = {}
    for call in answered:
        data = json.loads(call.body)["data"]
        by.setdefault(data["fact"], []).append(data["document"]["note"])
    assert len(by) == 4
    assert set(map(tuple, by.values())) == {("version 0", "version 1", "version 2")}


def test_what_a_killed_sender_took_is_sent_again_under_the_same_id(
    wired: Callable[..., Wired],
) -> None:
    crm = wired()
    received(crm.hub, order(0), order(0, version=1))
    assert crm.killed()
    assert crm.rounds() == 0
    crm.clock.pass_by(3600)
    crm.rounds()
    one, two = told(crm.hub, "key")
    assert crm.receiver.ids == [one, one, two]
    assert crm.receiver.calls[0].body == crm.receiver.calls[1].body


def test_a_hub_that_has_its_database_to_itself_sends_again_at_once(
    wired: Callable[..., Wired],
) -> None:
    crm = wired()
    received(crm.hub, order(0))
    to, now = crm.hub.settings.destinations["crm"], crm.clock()
    with crm.hub.engine.begin() as connection:
        taken = queue.take(connection, "crm", to, holder="dead", limit=9, now=now, until="9")
        assert len(taken) == 1
    assert crm.rounds() == 0
    with crm.hub.engine.begin() as connection:
        queue.let_go(connection, now)
    crm.rounds()
    assert told(crm.hub, "state") == ["delivered"]


def test_whoever_was_taken_for_dead_changes_nothing(wired: Callable[..., Wired]) -> None:
    crm = wired()
    received(crm.hub, order(0))
    to, now = crm.hub.settings.destinations["crm"], crm.clock()
    taking = partial(queue.take, name="crm", to=to, limit=9, now=now, until=now)
    with crm.hub.engine.begin() as connection:
        (slow,) = taking(connection, holder="slow")
        (_,) = taking(connection, holder="quick")
        queue.finish(connection, slow, Answer(422), now=now, dice=Random(1))
    assert told(crm.hub, "state", "holder") == [("waiting", "quick")]


def test_a_destination_has_no_more_in_a_second_than_it_may(wired: Callable[..., Wired]) -> None:
    crm = wired(per_second=3)
    received(crm.hub, *(order(index) for index in range(8)))
    counts = []
    for _ in range(4):
        crm.rounds()
        counts.append(len(crm.receiver.calls))
        crm.clock.pass_by(1)
    assert counts == [3, 6, 8, 8]


def test_a_slow_destination_has_one_in_so_many_seconds(wired: Callable[..., Wired]) -> None:
    crm = wired(per_second=0.1)
    received(crm.hub, order(0), order(1))
    for seconds, count in ((0, 1), (9, 1), (1, 2)):
        crm.clock.pass_by(seconds)
        crm.rounds()
        assert len(crm.receiver.calls) == count


def test_what_came_too_late_is_told_to_nobody_and_said(
    wired: Callable[..., Wired], caplog: pytest.LogCaptureFixture
) -> None:
    crm = wired(expires_seconds=60)
    received(crm.hub, order(0), order(1))
    crm.receiver.reply = lambda call: 422 if call.id == told(crm.hub, "key")[0] else 503
    crm.rounds()
    crm.clock.pass_by(59)
    received(crm.hub, order(2))
    crm.receiver.reply = lambda call: 204
    crm.clock.pass_by(1)
    crm.until_done()
    states = told(crm.hub, "state", "failure")
    assert ("discarded", "it was not told within 60 s") in states
    assert states[-1] == ("delivered", None)
    assert "expired" in [line.getMessage() for line in caplog.records]

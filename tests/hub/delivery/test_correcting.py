"""Who only adds hears what does not hold any more, by its id; who hears once hears nothing more."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

import pytest

from hub import publication
from hub.bootstrap import Hub
from hub.delivery import correcting, deciding
from hub.jobs.ask import Ask
from hub.jobs.plan import Effect
from hub.messages import Sought
from hub.publication import Target
from hub.settings import Destination
from tests.hub.delivery.conftest import SECRET, Wired, order, received, rows, told
from tests.hub.delivery.receiver import Call, Ledger, Receiver
from tests.hub.jobs.conftest import done, due, planned

pytestmark = pytest.mark.databases

Wire = Callable[..., Wired]
HOUR = 3600


def booked(receiver: Receiver) -> Ledger:
    ledger = Ledger()
    for call in receiver.calls:
        ledger.book(call)
    return ledger


def said(receiver: Receiver) -> list[str]:
    """What was told, in short: the note of a version, or of a reversal which call it takes back."""
    found = []
    for call in receiver.calls:
        data = json.loads(call.body)["data"]
        back = data.get("reverses")
        found.append(f"not {receiver.ids.index(back)}" if back else data["document"]["note"])
    return found


def decided(hub: Hub, act: str, *numbers: int) -> None:
    with hub.engine.begin() as connection:
        who = {"actor": "ann", "now": hub.now()}
        if act == "discard":
            deciding.discard(connection, numbers, reason="by hand", **who)
        elif act == "retry":
            deciding.retry(connection, numbers, **who)
        else:
            deciding.resend(connection, deciding.Told(numbers), **who)


@pytest.mark.parametrize("mode", ["every", "latest"])
def test_a_later_version_takes_back_the_one_before(wired: Wire, mode: str) -> None:
    crm = wired(mode=mode, corrections="append", personal=True)
    for version in range(3):
        received(crm.hub, order(0, version=version))
        crm.rounds()
    assert said(crm.receiver) == ["version 0", "not 0", "version 1", "not 2", "version 2"]
    back = crm.receiver.calls[1]
    first = rows(crm.hub)[0]
    assert json.loads(back.body) == {
        "type": "order.v1.reversed",
        "timestamp": rows(crm.hub)[1]["created_at"],
        "data": {
            "kind": "Order",
            "model": "order.v1.reversed",
            "fact": first["subject"],
            "reverses": crm.receiver.ids[0],
        },
    }
    assert sorted(crm.receiver.ids) == sorted(told(crm.hub, "key"))
    assert booked(crm.receiver).notes == ["version 2"]
    # What comes again is told to nobody.
    received(crm.hub, order(0, version=1), order(0, version=2))
    assert crm.rounds() == 0


def test_versions_of_one_batch_take_back_one_another(wired: Wire) -> None:
    crm = wired(corrections="append", personal=True)
    versions = [json.loads(order(0, version=number)) for number in range(3)]
    received(crm.hub, json.dumps({"orders": versions}).encode(), order(1))
    crm.rounds()
    assert booked(crm.receiver).notes == ["version 0", "version 2"]
    assert len(crm.receiver.calls) == 6


def test_a_replay_takes_back_what_is_otherwise_now(wired: Wire) -> None:
    crm = wired(corrections="append", personal=True)
    received(crm.hub, order(0), order(1), order(2))
    crm.rounds()
    before = booked(crm.receiver)
    due(crm.hub)
    ask = Ask(Sought(source="shopify"), effects="corrections")
    effect = Effect("crm", "every", "append", "corrections", 6)
    assert planned(crm.hub, ask).destinations == (effect,)
    assert done(crm.hub, crm.readers, ask).told == 4
    crm.rounds()
    after = booked(crm.receiver)
    payments = [sorted(d["document"]["payment"] for d in b.held.values()) for b in (before, after)]
    assert payments == [["authorized", "paid", "paid"], ["authorized", "due", "due"]]
    # The one that is only made by another version is told nobody.
    assert len(before.held.keys() & after.held.keys()) == 1
    # What is unchanged is no correction; going back is one.
    assert done(crm.hub, crm.readers, ask).told == 0
    with crm.hub.engine.begin() as connection:
        target = Target("shopify", "order")
        publication.rollback(connection, target, actor="ann", now=crm.hub.now())
    assert done(crm.hub, crm.readers, ask).told == 4
    crm.rounds()
    again = booked(crm.receiver).held.values()
    assert sorted(map(json.dumps, again)) == sorted(map(json.dumps, before.held.values()))


def test_what_was_never_tried_is_replaced_and_not_taken_back(wired: Wire) -> None:
    crm = wired(mode="latest", corrections="append", personal=True)
    received(crm.hub, order(0), order(0, version=1))
    crm.rounds()
    received(crm.hub, order(0, version=2), order(0, version=3))
    crm.rounds()
    assert said(crm.receiver) == ["version 1", "not 0", "version 3"]


def test_what_is_parked_is_taken_back_once_it_was_told(wired: Wire) -> None:
    crm = wired(corrections="append", personal=True)
    crm.receiver.reply = lambda call: 422
    received(crm.hub, order(0))
    crm.rounds()
    received(crm.hub, order(0, version=1))
    crm.receiver.reply = lambda call: 204
    crm.rounds()
    assert told(crm.hub, "state") == ["parked", "waiting", "waiting"]
    decided(crm.hub, "retry", 1)
    crm.rounds()
    assert said(crm.receiver) == ["version 0", "version 0", "not 0", "version 1"]


@pytest.mark.parametrize("early", [True, False])
def test_what_was_given_up_untold_is_never_taken_back(wired: Wire, early: bool) -> None:  # noqa: FBT001
    crm = wired(corrections="append", personal=True)
    crm.receiver.reply = lambda call: 422
    received(crm.hub, order(0))
    crm.rounds()
    if early:
        decided(crm.hub, "discard", 1)
    received(crm.hub, order(0, version=1))
    if not early:
        decided(crm.hub, "discard", 1)
    crm.receiver.reply = lambda call: 204
    crm.rounds()
    assert said(crm.receiver)[1:] == ["version 1"]
    if not early:
        assert told(crm.hub, "state", "failure")[1] == ("superseded", correcting.NEVER_TOLD)
    received(crm.hub, order(0, version=2))
    crm.rounds()
    assert said(crm.receiver)[1:] == ["version 1", "not 1", "version 2"]


@pytest.mark.parametrize("mode", ["every", "latest"])
def test_what_was_told_again_and_given_up_then_was_told_all_the_same(
    wired: Wire, mode: str
) -> None:
    crm = wired(mode=mode, corrections="append", personal=True)
    received(crm.hub, order(0))
    crm.rounds()
    crm.receiver.reply = lambda call: 422
    decided(crm.hub, "resend", 1)
    crm.rounds()
    decided(crm.hub, "discard", 1)
    received(crm.hub, order(0, version=1))
    crm.receiver.reply = lambda call: 204
    crm.rounds()
    assert said(crm.receiver)[2:] == ["not 0", "version 1"]
    with crm.hub.engine.begin() as connection:
        feed = deciding.feed(crm.hub, connection, "crm", after=0, limit=9, personal=True)
    assert [entry["id"] for entry in feed] == [crm.receiver.ids[0], *crm.receiver.ids[2:]]


def test_what_is_told_again_is_not_replaced(wired: Wire) -> None:
    crm = wired(mode="latest", corrections="append", personal=True)
    received(crm.hub, order(0))
    crm.rounds()
    decided(crm.hub, "resend", 1)
    received(crm.hub, order(0, version=1))
    crm.rounds()
    assert said(crm.receiver)[2:] == ["not 0", "version 1"]
    assert booked(crm.receiver).notes == ["version 1"]


@pytest.mark.parametrize("mode", ["every", "latest"])
def test_an_answer_that_the_hub_did_not_live_to_write_down_is_taken_back(
    wired: Wire, mode: str
) -> None:
    crm = wired(mode=mode, corrections="append", personal=True)
    received(crm.hub, order(0))
    crm.killed()
    received(crm.hub, order(0, version=1))
    crm.clock.pass_by(HOUR)
    crm.rounds()
    assert said(crm.receiver) == ["version 0", "version 0", "not 0", "version 1"]
    received(crm.hub, order(0, version=2))
    # The first of two that it took: it is the reversal.
    crm.killed()
    crm.clock.pass_by(HOUR)
    crm.rounds()
    assert said(crm.receiver)[4:] == ["not 3", "not 3", "version 2"]
    assert crm.receiver.calls[4].id == crm.receiver.calls[5].id
    assert crm.receiver.calls[4].body == crm.receiver.calls[5].body
    assert booked(crm.receiver).notes == ["version 2"]


@pytest.mark.parametrize("left", ["given up", "untried"])
def test_who_used_to_replace_takes_back_the_last_that_it_was_told(wired: Wire, left: str) -> None:
    crm = wired(mode="latest", personal=True)
    for version in range(2):
        received(crm.hub, order(0, version=version))
        crm.rounds()
    received(crm.hub, order(0, version=2))
    if left == "given up":
        crm.receiver.reply = lambda call: 422
        crm.rounds()
        decided(crm.hub, "discard", 3)
        crm.receiver.reply = lambda call: 204
    crm = wired(mode="latest", personal=True, corrections="append")
    received(crm.hub, order(0, version=3))
    crm.rounds()
    assert said(crm.receiver)[-2:] == ["not 1", "version 3"]


@pytest.mark.parametrize("mode", ["every", "latest"])
def test_whatever_happens_who_only_adds_ends_with_one_of_each(wired: Wire, mode: str) -> None:
    dice = Random(7)
    crm = wired(mode=mode, corrections="append", personal=True)
    ledger, versions = Ledger(), [0, 0, 0]

    def reply(call: Call) -> int:
        if call.id not in ledger.seen and dice.random() < 0.3:
            return dice.choice([422, 503])
        ledger.book(call)
        return 204

    crm.receiver.reply = reply
    for _ in range(24):
        index = dice.randrange(3)
        received(crm.hub, order(index, version=versions[index]))
        versions[index] += 1
        act = dice.choice(["round", "kill", "retry", "resend", "discard"])
        state = "delivered" if act == "resend" else "parked"
        # Whoever gives a reversal up has taken the other thing back by hand.
        chosen = [
            row["id"]
            for row in rows(crm.hub)
            if row["state"] == state and not (act == "discard" and row["reverses"])
        ]
        if act == "kill":
            crm.killed()
        elif chosen and act in ("retry", "resend", "discard"):
            decided(crm.hub, act, dice.choice(chosen))
        crm.rounds()
        crm.clock.pass_by(dice.choice([1, HOUR]))
    dice.random = lambda: 1.0  # type: ignore[method-assign]
    while parked := [row["id"] for row in rows(crm.hub) if row["state"] == "parked"]:
        decided(crm.hub, "retry", *parked)
        crm.until_done(step=HOUR)
    crm.until_done(step=HOUR)
    assert sorted(ledger.held) == sorted(
        {row["subject"]: row["key"] for row in rows(crm.hub) if row["told_at"]}.values()
    )


def test_who_hears_once_hears_nothing_more(wired: Wire) -> None:
    crm = wired(corrections="never", personal=True)
    received(crm.hub, order(0))
    crm.rounds()
    received(crm.hub, order(0, version=1), order(1))
    crm.rounds()
    assert said(crm.receiver) == ["version 0", "version 0"]
    assert told(crm.hub, "state") == ["delivered"] * 2
    due(crm.hub)
    ask = Ask(Sought(source="shopify"), effects="corrections")
    assert planned(crm.hub, ask).destinations == (Effect("crm", "every", "never", "none", 0),)
    assert done(crm.hub, crm.readers, ask).told == 0
    # A person may still have it told again.
    decided(crm.hub, "resend", 1)
    crm.rounds()
    assert crm.receiver.ids.count(told(crm.hub, "key")[0]) == 2


def test_who_hears_once_hears_a_later_one_where_the_first_was_given_up(wired: Wire) -> None:
    crm = wired(corrections="never", personal=True)
    crm.receiver.reply = lambda call: 422
    received(crm.hub, order(0), order(1))
    crm.rounds()
    later = [json.loads(order(i, version=v)) for v in range(1, 20) for i in (0, 1)]
    received(crm.hub, json.dumps({"orders": later}).encode())
    crm.receiver.reply = lambda call: 204
    decided(crm.hub, "discard", 1)
    decided(crm.hub, "retry", 2)
    crm.rounds()
    assert said(crm.receiver)[2:] == ["version 0", "version 1"]
    states = told(crm.hub, "state", "failure")
    assert states[:2] == [("discarded", "it answered 422"), ("delivered", None)]
    assert states.count(("superseded", correcting.TOLD_ONCE)) == 37


def test_a_reversal_never_expires() -> None:
    preset = {"url": "https://crm.example.org/hook", "secrets": [SECRET], "expires_seconds": 60}
    with pytest.raises(ValueError, match="does not go with"):
        Destination.model_validate({**preset, "corrections": "append"})
    Destination.model_validate({**preset, "corrections": "never"})

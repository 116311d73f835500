"""What names a held message as its cause waits behind it; everything else goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from connectors import registry
from hub import holds
from hub.authoring import draft as drafts
from hub.authoring import publishing
from hub.bootstrap import Hub
from hub.demo import poslog_writer
from hub.door import take_in
from hub.settle import Settled, settle_pending
from hub.store.tables import audit, document, hold, message
from hub.translate import Translator
from hub.waiting import BEHIND, Queue
from schemas.problem import Rejected

pytestmark = pytest.mark.databases

ORDER, OTHER = 4400000001014, 4400000009999
FACT = f"shopify:order/{ORDER}"
MENDED = "extends: shopify.order\nrules:\n  total: subtotal_price\n"
"""A mapping that does not read what is broken."""


def order(minute: int, number: int = ORDER, **changes: Any) -> dict[str, Any]:
    sample = registry.folder("shopify") / "samples" / "order-partly-fulfilled.json"
    body: dict[str, Any] = json.loads(sample.read_bytes())
    return {**body, "id": number, "updated_at": f"2026-03-20T10:{minute:02}:00Z", **changes}


def refund(number: int = ORDER) -> dict[str, Any]:
    sample = registry.folder("shopify") / "samples" / "refund-alone.json"
    body: dict[str, Any] = json.loads(sample.read_bytes())
    return {**body, "order_id": number}


def broken(minute: int, **changes: Any) -> dict[str, Any]:
    return order(minute, total_price="a lot", **changes)


def send(hub: Hub, *bodies: dict[str, Any], at_once: bool = True) -> Settled:
    total = Settled()
    for body in bodies:
        with hub.engine.begin() as connection:
            content = json.dumps(body).encode()
            take_in(connection, hub.door("shopify"), [content], name="o.json", now=hub.now())
        if not at_once:
            total.add(settled(hub))
    total.add(settled(hub))
    return total


def settled(hub: Hub) -> Settled:
    return settle_pending(hub.engine, hub.bus, hub.translator, hub.now)


def states(hub: Hub) -> list[str]:
    with hub.engine.begin() as connection:
        return list(connection.scalars(select(message.c.state).order_by(message.c.id)))


def version(hub: Hub, number: int = ORDER) -> str | None:
    with hub.engine.begin() as connection:
        fact = f"shopify:order/{number}"
        found: str | None = connection.scalar(
            select(document.c.version).where(document.c.fact == fact)
        )
        return found and found[14:16]


def waits_on(hub: Hub) -> dict[int, int | None]:
    with hub.engine.begin() as connection:
        return {row["message_id"]: row["waits_on"] for row in holds.held(connection)}


def mend(hub: Hub) -> None:
    file = hub.home.mappings / "mended.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(MENDED)
    with hub.engine.begin() as connection:
        made = drafts.read(file, hub.home)
        publishing.publish(connection, made, actor="ann", now=hub.now())


@pytest.mark.parametrize("at_once", [True, False])
def test_what_comes_after_a_held_snapshot_waits_and_all_else_goes_on(
    hub: Hub, *, at_once: bool
) -> None:
    bodies = [order(1), broken(2), order(3), order(3, OTHER), refund(), refund(OTHER), order(4)]
    done = send(hub, *bodies, at_once=at_once)
    assert states(hub) == ["applied", "held", "held", "applied", "held", "applied", "held"]
    assert waits_on(hub) == {2: None, 3: 2, 5: 2, 7: 2}
    assert {done.problems[number].code for number in (3, 5, 7)} == {BEHIND.code}
    assert version(hub) == "01"


def test_what_waits_follows_in_order_when_its_cause_is_released(hub: Hub) -> None:
    send(hub, order(1), broken(2), order(3), refund(), order(4))
    mend(hub)
    done = holds.release(hub, [2], actor="ann")
    assert done.states == {2: "applied", 3: "applied", 4: "applied", 5: "applied"}
    assert waits_on(hub) == {}
    assert version(hub) == "04"
    with hub.engine.begin() as connection:
        rows = connection.execute(select(audit.c.act, audit.c.subject).order_by(audit.c.id))
        acts = [tuple(row) for row in rows if row[0].startswith("hold.")]
        outcomes = dict(connection.execute(select(hold.c.message_id, hold.c.outcome)).all())
    follow = [("hold.follow", f"message {number}") for number in (3, 4, 5)]
    assert acts == [("hold.release", "message 2"), *follow]
    assert outcomes == dict.fromkeys((2, 3, 4, 5), "applied")


def test_each_snapshot_is_applied_none_passed_over(hub: Hub) -> None:
    # Had the third one not waited, the second would come too late.
    send(hub, order(1), broken(2), order(3))
    mend(hub)
    holds.release(hub, [2], actor="ann")
    assert states(hub) == ["applied", "applied", "applied"]


def test_what_waits_goes_on_when_its_cause_is_given_up(hub: Hub) -> None:
    send(hub, order(1), broken(2), order(3), refund())
    done = holds.discard(hub, [2], actor="ann", reason="sent by mistake")
    assert done.states == {2: "discarded", 3: "applied", 4: "applied"}
    assert version(hub) == "03"


def test_what_follows_and_fails_is_the_cause_of_what_comes_after_it(hub: Hub) -> None:
    send(hub, broken(2), broken(3, tags="other"), order(4), refund())
    assert waits_on(hub) == {1: None, 2: 1, 3: 1, 4: 1}
    done = holds.discard(hub, [1], actor="ann", reason="sent by mistake")
    assert done.states == {1: "discarded", 2: "held", 3: "held", 4: "held"}
    assert waits_on(hub) == {2: None, 3: 2, 4: 2}
    assert holds.discard(hub, [2], actor="ann", reason="this too").states[4] == "applied"


def test_what_waits_cannot_be_released_before_its_cause(hub: Hub) -> None:
    send(hub, broken(2), order(3))
    done = holds.release(hub, [2], actor="ann")
    assert done.states == {2: "held"}
    assert waits_on(hub) == {1: None, 2: 1}


def test_a_cause_that_is_released_and_fails_again_stays_the_cause(hub: Hub) -> None:
    send(hub, broken(2), order(3))
    holds.release(hub, [1], actor="ann")
    assert waits_on(hub) == {1: None, 2: 1}


def test_what_comes_twice_or_too_late_waits_for_nothing(hub: Hub) -> None:
    send(hub, order(5), broken(6), order(5), order(4))
    assert states(hub) == ["applied", "held", "duplicate", "stale"]


def test_what_came_before_the_held_one_does_not_wait_when_it_is_released(hub: Hub) -> None:
    send(hub, broken(2), order(3))
    done = holds.release(hub, [1, 2], actor="ann")
    assert done.states == {1: "held", 2: "held"}
    mend(hub)
    done = holds.release(hub, [2, 1], actor="ann")
    assert done.states == {1: "applied", 2: "applied"}
    assert version(hub) == "03"


@pytest.mark.parametrize("at_once", [True, False])
def test_one_bad_sale_parks_no_till_nor_its_own_correction(hub: Hub, *, at_once: bool) -> None:
    good = poslog_writer.sale(1, seed=1)
    total = b'TotalType="TransactionGrandAmount">'
    bad = good.replace(total, total + b"x")
    assert bad != good
    for content in (bad, good, poslog_writer.sale(2, seed=1)):
        with hub.engine.begin() as connection:
            take_in(connection, hub.door("poslog"), [content], name="s.xml", now=hub.now())
        if not at_once:
            settled(hub)
    settled(hub)
    assert states(hub) == ["held", "applied", "applied"]


def test_a_message_that_nobody_foresaw_is_a_cause_too(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    translated = Translator.translated

    def fail(self: Translator, stored: Any, named: Any) -> Any:
        if b'"note": "boom"' in stored.payload:
            raise RuntimeError
        return translated(self, stored, named)

    monkeypatch.setattr(Translator, "translated", fail)
    send(hub, order(1), order(2, note="boom"), order(3))
    assert waits_on(hub) == {2: None, 3: 2}


def test_nothing_is_done_that_could_not_be_audited(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(hub, broken(2), order(3))

    def full(*_: Any, **__: Any) -> None:
        raise OSError

    monkeypatch.setattr("hub.audit.write", full)
    with pytest.raises(OSError):  # noqa: PT011
        holds.discard(hub, [1], actor="ann", reason="sent by mistake")
    with pytest.raises(OSError):  # noqa: PT011
        holds.release(hub, [1], actor="ann")
    assert waits_on(hub) == {1: None, 2: 1}


def test_what_is_not_held_is_refused_and_nothing_follows(hub: Hub) -> None:
    send(hub, order(1), broken(2), order(3))
    with pytest.raises(Rejected):
        holds.discard(hub, [1, 2], actor="ann", reason="both")
    assert waits_on(hub) == {2: None, 3: 2}


def test_many_things_are_looked_up_in_parts(hub: Hub) -> None:
    send(hub, broken(2))
    with hub.engine.begin() as connection:
        queue = Queue(connection)
        queue._learn([*(f"shopify:order/{number}" for number in range(1200)), FACT])
        assert queue._first(9, [FACT]) == 1

"""A held message that a person mended: it replays from the edit, and what came in is kept."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from hub import edit, holds, journal
from hub.bootstrap import Hub
from hub.edit import EDIT_SAME, EDIT_SIZE
from hub.publication import Target
from hub.store.tables import audit, document
from hub.store.tables import edit as kept
from schemas.problem import Refused, Rejected
from tests.hub.replaying import replay
from tests.hub.test_waiting import broken, mend, order, send, states, version, waits_on

pytestmark = pytest.mark.databases

CARD = "4111111111111111"


def said(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


def payload(hub: Hub, number: int) -> bytes:
    with hub.engine.begin() as connection:
        stored = journal.entry(connection, number)
        assert stored is not None
        assert stored.digest == journal.digest(stored.payload)
        return stored.payload


def original(hub: Hub, number: int) -> bytes:
    with hub.engine.begin() as connection:
        query = select(kept.c.payload, kept.c.digest).where(kept.c.message_id == number)
        packed, digest = connection.execute(query).one()
        came = journal.decompress(packed)
        assert journal.digest(came) == digest
        return came


def body(hub: Hub) -> dict[str, Any]:
    with hub.engine.begin() as connection:
        text = connection.scalar(select(document.c.body).where(document.c.message_id == 1))
        found: dict[str, Any] = json.loads(text or "{}")
        return found


def refused(hub: Hub, content: bytes) -> str:
    with pytest.raises(Refused) as error:
        edit.edit(hub, 1, content, actor="ann", reason="test")
    return error.value.problem.code


def test_an_edit_is_applied_and_what_came_in_is_kept(hub: Hub) -> None:
    came = broken(1)
    send(hub, came)
    done = edit.edit(hub, 1, said(order(1)), actor="ann", reason="the total was cut")
    assert (done.states, states(hub)) == ({1: "applied"}, ["applied"])
    assert (payload(hub, 1), original(hub, 1)) == (said(order(1)), said(came))
    with hub.engine.begin() as connection:
        lines = connection.execute(select(audit.c.act, audit.c.detail).order_by(audit.c.id)).all()
        assert edit.edited_at(connection, 1) is not None
    acts = [(act, json.loads(detail)) for act, detail in lines if act.startswith("hold.")]
    assert [act for act, _ in acts] == ["hold.edit", "hold.release"]
    assert acts[0][1]["reason"] == "the total was cut"
    assert acts[0][1]["before"] == journal.digest(said(came))


def test_what_waits_behind_it_follows(hub: Hub) -> None:
    send(hub, broken(1), order(2))
    done = edit.edit(hub, 1, said(order(1)), actor="ann", reason="test")
    assert done.states == {1: "applied", 2: "applied"}
    assert version(hub) == "02"


def test_an_edit_that_fails_is_held_as_edited_and_may_be_edited_again(hub: Hub) -> None:
    came = broken(1)
    send(hub, came)
    second = broken(1, note="second")
    assert edit.edit(hub, 1, said(second), actor="ann", reason="test").states == {1: "held"}
    assert (payload(hub, 1), original(hub, 1)) == (said(second), said(came))
    assert edit.edit(hub, 1, said(order(1)), actor="ann", reason="test").states == {1: "applied"}
    assert original(hub, 1) == said(came)


def test_a_replay_goes_by_the_edit(hub: Hub) -> None:
    send(hub, broken(1))
    edit.edit(hub, 1, said(order(1, note="mended")), actor="ann", reason="test")
    mend(hub)
    with hub.engine.begin() as connection:
        done = replay(hub, connection, Target("shopify", "order"))
    assert (done.remade, done.failed) == (1, 0)
    assert body(hub)["note"] == "mended"


def test_a_card_number_in_an_edit_reaches_no_disk(hub: Hub) -> None:
    send(hub, broken(1))
    edit.edit(hub, 1, said(order(1, note=f"card {CARD}")), actor="ann", reason="test")
    assert CARD.encode() not in payload(hub, 1)
    assert CARD not in json.dumps(body(hub))


def test_what_is_no_edit_is_refused_and_changes_nothing(hub: Hub) -> None:
    came = broken(1)
    send(hub, came)
    assert refused(hub, b"") == EDIT_SIZE.code
    assert refused(hub, b" " * (4 * 1024 * 1024 + 1)) == EDIT_SIZE.code
    assert refused(hub, said(came)) == EDIT_SAME.code
    assert (states(hub), payload(hub, 1)) == (["held"], said(came))
    holds.discard(hub, [1], actor="ann", reason="test")
    with pytest.raises(Rejected):
        edit.edit(hub, 1, said(order(1)), actor="ann", reason="test")
    assert payload(hub, 1) == said(came)


def test_nothing_is_edited_that_could_not_be_audited(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(hub, broken(1), order(2))

    def full(*_: Any, **__: Any) -> None:
        raise OSError

    monkeypatch.setattr("hub.audit.write", full)
    with pytest.raises(OSError):  # noqa: PT011
        edit.edit(hub, 1, said(order(1)), actor="ann", reason="test")
    assert (payload(hub, 1), waits_on(hub)) == (said(broken(1)), {1: None, 2: 1})


def test_what_an_edit_would_come_to_is_looked_at_and_nothing_of_it_kept(hub: Hub) -> None:
    came = broken(1)
    send(hub, came, order(2))
    for content, becomes in ((order(1), {1: "applied", 2: "applied"}), (broken(1, note="x"), None)):
        made = edit.preview(hub, 1, said(content), actor="ann")
        assert made.settled.states == (becomes or {1: "held"})
        assert made.payload == said(content)
        assert states(hub) == ["held", "held"]
        assert payload(hub, 1) == said(came)
    assert made.settled.problems[1].code == held_for(hub)
    assert made.documents == ()
    with hub.engine.begin() as connection:
        assert edit.edited_at(connection, 1) is None
        acts = connection.scalars(select(audit.c.act)).all()
        assert [act for act in acts if act.startswith("hold.")] == []
        assert connection.scalars(select(document.c.fact)).all() == []


def held_for(hub: Hub) -> str:
    with hub.engine.begin() as connection:
        found = journal.problem_of(connection, 1)
    assert found is not None
    return found.code


def test_an_edit_of_what_somebody_else_edited_meanwhile_is_none(hub: Hub) -> None:
    came = broken(1)
    send(hub, came)
    seen = journal.digest(said(came))
    other = said(broken(1, note="second"))
    edit.edit(hub, 1, other, actor="ann", reason="test", instead_of=seen)
    for way in (edit.preview, partial(edit.edit, reason="test")):
        with pytest.raises(Rejected, match="LP-HUB-028"):
            way(hub, 1, said(order(1)), actor="ben", instead_of=seen)
    assert payload(hub, 1) == other

"""Retention: payloads go after their days, names stay, and what comes again is still known."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import insert, select, update

from hub import edit, explain, holds, integrity, journal, retention, upkeep
from hub.bootstrap import Hub
from hub.jobs.ask import Ask
from hub.jobs.plan import affected, plan
from hub.plan.passed import passed_over
from hub.plan.report import Window
from hub.publication import Target
from hub.settings import Journal
from hub.store.tables import audit, delivery, document, message, record
from hub.store.tables import edit as edits
from hub.weight import weights
from hub.writer import writing
from schemas.problem import Rejected
from tests.hub.replaying import replay
from tests.hub.test_waiting import FACT, OTHER, mend, order, refund, send

pytestmark = pytest.mark.databases

KEPT = Journal()


def later(hub: Hub, days: int) -> str:
    return retention.before(hub.now(), -days)


def sweep(hub: Hub, days: int, kept: Journal = KEPT) -> int:
    removed, after = 0, 0
    while True:
        with hub.engine.begin() as connection:
            done = retention.sweep(connection, kept, after=after, actor="ann", now=later(hub, days))
        removed += done.removed
        if done.last is None:
            return removed
        after = done.last


def removed(hub: Hub) -> list[int]:
    with hub.engine.begin() as connection:
        gone = message.c.removed_at.is_not(None)
        return list(connection.scalars(select(message.c.id).where(gone).order_by(message.c.id)))


def test_what_a_message_said_goes_after_its_days_and_its_name_stays(hub: Hub) -> None:
    send(hub, order(1), refund())
    assert sweep(hub, 399) == 0
    with hub.engine.begin() as connection:
        connection.execute(update(record).values(context=b"head"))
        before = connection.execute(select(message).order_by(message.c.id)).mappings().all()
        bodies = connection.execute(select(document).order_by(document.c.fact)).all()
    assert sweep(hub, 401) == 2
    assert sweep(hub, 401) == 0
    with hub.engine.begin() as connection:
        after = connection.execute(select(message).order_by(message.c.id)).mappings().all()
        assert connection.execute(select(document).order_by(document.c.fact)).all() == bodies
        assert set(connection.scalars(select(record.c.context))) == {b""}
        [told] = connection.scalars(select(audit.c.detail).where(audit.c.act == "journal.sweep"))
    assert json.loads(told) == {"messages": 2, "from": 1, "to": 2}
    assert [row["payload"] for row in after] == [b"", b""]
    lost = {"payload": None, "context": None, "removed_at": None}
    assert [{**row, **lost} for row in after] == [{**row, **lost} for row in before]
    assert list(integrity.examine(hub.settings.database(hub.home))) == []


def test_what_comes_again_afterwards_is_still_known(hub: Hub) -> None:
    send(hub, order(2), refund())
    sweep(hub, 401)
    states = send(hub, order(2), refund(), order(1)).states
    assert list(states.values()) == ["duplicate", "duplicate", "stale"]


def test_what_is_open_or_to_be_told_is_kept(hub: Hub) -> None:
    send(hub, order(1, total_price="much"), order(2), refund())
    with hub.engine.begin() as connection:
        connection.execute(
            insert(delivery).values(
                key="k", destination="crm", subject="s", kind="Order", message_id=1,
                created_at="", state="waiting", due_at="",
            )
        )  # fmt: skip
    assert sweep(hub, 401) == 0
    with hub.engine.begin() as connection:
        numbers = [row["message_id"] for row in holds.held(connection)]
    holds.discard(hub, numbers, actor="ann", reason="a test")
    sweep(hub, 401)
    assert removed(hub) == [2, 3]
    with hub.engine.begin() as connection:
        done = update(delivery).values(state="delivered", done_at="2031-01-01")
        connection.execute(done)
    sweep(hub, 401)
    assert removed(hub) == [1, 2, 3]


def test_the_head_of_a_record_stays_as_long_as_one_of_its_messages_needs_it(hub: Hub) -> None:
    send(hub, {"orders": [order(1), order(1, OTHER, total_price="much")]})
    with hub.engine.begin() as connection:
        connection.execute(update(record).values(context=b"head"))
    assert sweep(hub, 401) == 1
    with hub.engine.begin() as connection:
        assert connection.scalar(select(record.c.context)) == b"head"


def test_a_kind_or_a_source_may_be_kept_otherwise(hub: Hub) -> None:
    send(hub, order(1), refund())
    kept = Journal(keep_days=10, keep={"shopify/order": 800, "shopify": 20})
    assert (kept.days("shopify", "order"), kept.days("shopify", "refund")) == (800, 20)
    assert (kept.days("poslog", None), kept.days_min) == (10, 10)
    assert Journal(keep={"*/order": 5, "shopify": 9}).days("shopify", "order") == 5
    assert sweep(hub, 11, kept) == 0
    assert sweep(hub, 21, kept) == 1
    assert removed(hub) == [2]
    assert sweep(hub, 801, kept) == 1


def test_an_edit_goes_whole(hub: Hub) -> None:
    send(hub, order(1, total_price="much"))
    edit.edit(hub, 1, json.dumps(order(1)).encode(), actor="ann", reason="a test")
    sweep(hub, 401)
    with hub.engine.begin() as connection:
        assert connection.scalar(select(edits.c.payload)) == b""
        assert edit.edited_at(connection, 1) is not None


def test_whoever_asks_for_what_is_gone_is_told_so(hub: Hub) -> None:
    send(hub, order(1))
    sweep(hub, 401)
    target = Target("shopify", "order")
    with hub.engine.begin() as connection:
        stored = journal.entry(connection, 1)
        assert stored is not None
        for ask in (
            lambda: stored.said,
            lambda: hub.translator(connection, stored).named(stored),
            lambda: explain.explain(hub, connection, FACT),
        ):
            with pytest.raises(Rejected, match="LP-HUB-025"):
                ask()
        assert passed_over(connection, Window(last=1), "shopify") == {"removed": 1}
    mend(hub)
    with hub.engine.begin() as connection:
        assert affected(connection, target) == 0
        planned = plan(hub, connection, Ask(target=target))
        assert (planned.documents, planned.removed) == (0, 1)
        done = replay(hub, connection, target)
    assert (done.remade, done.failed) == (0, 0)


def test_a_hub_at_rest_sweeps_once_a_day(hub: Hub) -> None:
    send(hub, order(1))
    moment = later(hub, 401)
    hub.now = lambda: moment
    sweeping = upkeep.Sweeping()
    with writing(hub) as writer:
        assert sweeping.due(hub.now())
        sweeping.go_on(writer)
        assert not sweeping.due(hub.now())
        assert sweeping.due(later(hub, 1))
    assert removed(hub) == [1]


def test_the_weight_says_what_goes_next(hub: Hub) -> None:
    send(hub, order(1), refund())
    kept = Journal(keep={"*/order": 30})
    with hub.engine.begin() as connection:
        [before] = weights(connection, kept)
        came = connection.scalar(select(record.c.received_at).order_by(record.c.id))
    assert came is not None
    assert before.expires_at == retention.before(came, -30)
    assert {each.kind: each.keep_days for each in before.kinds} == {"order": 30, "refund": 400}
    sweep(hub, 31, kept)
    with hub.engine.begin() as connection:
        [after] = weights(connection, kept)
    assert (before.messages, before.removed) == (2, 0)
    assert (after.messages, after.removed) == (2, 1)
    assert after.stored_bytes < before.stored_bytes
    assert [each.expires_at is None for each in after.kinds] == [True, False]

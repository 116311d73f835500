"""A part of what there is to be made again: what a plan found affected, or what came in since."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.bootstrap import Hub
from hub.demo import shop, shop_writer
from hub.jobs import ask as asks
from hub.jobs.ask import Ask
from hub.jobs.plan import plan as planned_replay
from hub.messages import Sought
from hub.plan import shelf
from hub.plan.report import Report, Window
from hub.receive import receive
from hub.remake import Remade, remake
from hub.store.tables import document
from schemas.problem import LynchpinError
from tests.hub.plan.conftest import ORDERS, edited, exported, published, target
from tests.hub.plan.test_plan import CODE, FAILING, planned

ORDER = target("shopify.order")


def part_of(*, plan: str | None = None, since: str | None = None) -> Ask:
    return Ask(Sought(since=since), target=ORDER, plan=plan)


def remade(hub: Hub, part: Ask, limit: int = 7) -> Remade:
    """Small batches, so that there are many."""
    total, after = Remade(), 0
    while True:
        with hub.engine.begin() as connection:
            ask = asks.settled(hub, connection, part)
            batch = asks.numbers(hub, connection, ask, after=after, last=2**62, limit=limit)
            if not batch:
                return total
            total.add(remake(hub, connection, batch, ask.kinds))
        after = batch[-1]


def due(hub: Hub, part: Ask) -> int:
    with hub.engine.begin() as connection:
        return planned_replay(hub, connection, part).documents


def made_by(hub: Hub, version: str) -> set[str]:
    with hub.engine.begin() as connection:
        return set(connection.scalars(select(document.c.fact).where(document.c.mapping == version)))


def test_what_a_plan_found_affected_is_all_that_a_replay_would_change(hub: Hub) -> None:
    before = exported(hub)
    report = planned(hub, CODE)
    part = part_of(plan=report.id)
    published(hub, CODE)
    assert 0 < report.counts.changed < ORDERS
    assert due(hub, part) == report.counts.changed
    assert remade(hub, part).remade == report.counts.changed
    after = exported(hub)
    changed = {fact for fact in after if after[fact] != before[fact]}
    assert made_by(hub, CODE.mapping.version) == changed
    assert len(changed) == report.counts.changed
    assert due(hub, part) == 0

    # All the rest changes nothing but who made it.
    rest = remade(hub, part_of())
    documents = {fact: line["document"] for fact, line in after.items()}
    assert rest.remade == due_before_rest(before) - len(changed)
    assert {fact: line["document"] for fact, line in exported(hub).items()} == documents


def due_before_rest(before: dict[str, dict[str, object]]) -> int:
    return sum(line["kind"] == "Order" for line in before.values())


def test_what_a_plan_says_fails_is_told_and_stays(hub: Hub) -> None:
    before = exported(hub)
    report = planned(hub, FAILING)
    published(hub, FAILING)
    done = remade(hub, part_of(plan=report.id))
    assert (done.remade, done.failed) == (0, report.counts.newly_failing)
    assert exported(hub) == before


def test_what_is_stored_otherwise_is_affected_though_both_texts_agree(hub: Hub) -> None:
    published(hub, CODE)
    note = edited("shopify", "order", ("  note:                     note\n", "  note: name\n"))
    published(hub, note)
    # The next text says the same as the one in force; what is stored is of the one before.
    same = edited("shopify", "order", ("  note:                     note\n", "  note:   name\n"))
    report = planned(hub, same)
    assert (report.counts.changed, report.counts.drifted) == (0, report.counts.documents)
    published(hub, same)
    assert remade(hub, part_of(plan=report.id)).remade == report.counts.drifted > 0


@pytest.mark.parametrize("way", ["not in force", "cut short", "unknown"])
def test_a_plan_of_something_else_makes_nothing_again(hub: Hub, way: str) -> None:
    report = planned(hub, CODE)
    published(hub, edited("shopify", "order") if way == "not in force" else CODE)
    if way == "cut short":
        report.done = False
        shelf.write(hub.home, report)
    name = "20310506-201500-3f1c0a" if way == "unknown" else report.id
    for ask in (remade, due):
        with pytest.raises(LynchpinError) as caught:
            ask(hub, part_of(plan=name))
        code = "LP-PLAN-001" if way == "unknown" else "LP-PLAN-004"
        assert caught.value.problem.code == code


def test_only_what_came_in_since_is_made_again(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "later.jsonl"
    later = list(shop.orders(ORDERS + 5, seed=5))[ORDERS:]
    file.write_bytes(b"\n".join(shop_writer.order(each) for each in later))
    hub.now = lambda: "2099-05-06T20:15:00.000000Z"
    receive(hub, "shopify", [file])
    published(hub, CODE)
    since = part_of(since="2099-01-01T00:00:00.000000Z")
    assert due(hub, since) == remade(hub, since, limit=2).remade == 5
    assert due(hub, since) == 0
    assert due(hub, part_of()) == ORDERS


def numbers(report: Report) -> list[int]:
    return [number for first, last in report.affected for number in range(first, last + 1)]


@pytest.mark.parametrize(
    ("found", "runs"),
    [
        ((), []),
        ((3,), [(3, 3)]),
        ((3, 3, 4, 5, 5), [(3, 5)]),
        ((1, 3, 4, 9), [(1, 1), (3, 4), (9, 9)]),
    ],
)
def test_affected_messages_are_kept_as_runs(
    found: Iterable[int], runs: list[tuple[int, int]]
) -> None:
    draft = edited("shopify", "order")
    report = Report(
        id="p1",
        connector="shopify",
        kind="order",
        file="own.yaml",
        proposed=draft.mapping.version,
        published=draft.mapping.version,
        begun_at="2031-05-06T20:15:00.000000Z",
        window=Window(last=0),
    )
    for number in found:
        report.affects(number)
    assert report.affected == runs
    assert numbers(report) == sorted(set(found))

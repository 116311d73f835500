"""A plan says beforehand what publishing and replaying then does, document for document."""

from __future__ import annotations

import json
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub import holds
from hub.authoring.difference import differences
from hub.authoring.draft import Draft
from hub.bootstrap import Hub
from hub.demo import shop, shop_writer
from hub.plan import planning
from hub.plan.report import Report, Thresholds, breaches
from hub.receive import receive
from hub.remake import Remade
from hub.store.tables import audit, document, message
from tests.hub.plan.conftest import ORDERS, edited, exported, published, target
from tests.hub.replaying import replay

RULE = edited("shopify", "order", ("  currency:                 currency\n", "  currency: = USD\n"))
CODE = edited(
    "shopify", "order", ("paid: paid, partially_refunded", "paid: due, partially_refunded")
)
NO_CODE = edited("shopify", "order", (" authorized: authorized,", ""))
FAILING = edited(
    "shopify",
    "order",
    (
        "  total:                    total_price\n",
        """
  when financial_status = pending:
    total: name
  when financial_status != pending:
    total: total_price
""",
    ),
)
SHIPPED = edited("shopify", "order")


def planned(hub: Hub, draft: Draft) -> Report:
    report = planning.begun(hub, draft, source=None, since=None)
    return planning.plan(hub, draft, report)


def replayed(hub: Hub, name: str) -> Remade:
    with hub.engine.begin() as connection:
        return replay(hub, connection, target(name))


def leaves(before: dict[str, Any], after: dict[str, Any]) -> Counter[str]:
    """Values that differ between two exports, by path."""
    found: Counter[str] = Counter()
    for fact, line in after.items():
        for each in differences(before[fact]["document"], line["document"]):
            found[re.sub(r"\[\d+\]", "[]", each.path)] += 1
    return found


def totals(
    before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]], facts: set[str]
) -> dict[str, tuple[Decimal, Decimal]]:
    """What the orders of these facts amount to, before and after, by currency."""
    sums: dict[str, list[Decimal]] = {}
    for fact in facts:
        for side, lines in enumerate((before, after)):
            order = lines[fact]["document"]
            pair = sums.setdefault(order["currency"], [Decimal(0), Decimal(0)])
            pair[side] += Decimal(order["total"])
    return {currency: (one, other) for currency, (one, other) in sums.items()}


def money(report: Report) -> dict[str, tuple[Decimal, Decimal]]:
    return {currency: (each.before, each.after) for currency, each in report.money.items()}


@pytest.mark.parametrize("draft", [RULE, CODE, NO_CODE], ids=["rule", "code", "unknown"])
def test_export_changes_as_the_plan_said(hub: Hub, draft: Draft) -> None:
    before = exported(hub)
    report = planned(hub, draft)
    assert exported(hub) == before
    published(hub, draft)
    done = replayed(hub, "shopify.order")
    after = exported(hub)
    changed = {fact for fact in after if after[fact] != before[fact]}
    orders = sum(line["kind"] == "Order" for line in before.values())
    counts = report.counts
    assert counts.changed == len(changed) > 0
    assert (counts.equal, done.remade, done.failed) == (orders - len(changed), orders, 0)
    assert (counts.newly_failing, counts.newly_fixed, counts.still_failing) == (0, 0, 0)
    assert counts.drifted == 0
    said = {each.path: each.count for each in report.changes if "flag" not in each.kind}
    assert said == leaves(before, after)
    assert before.keys() == after.keys()
    assert money(report) == totals(before, after, changed)


def test_what_goes_up_does_not_make_up_for_what_goes_down(hub: Hub) -> None:
    rule = "  total:                    total_price\n"
    text = """
  when financial_status = pending:
    total: total_price | times 2
  when financial_status != pending:
    total: total_price | times 0.5
"""
    report = planned(hub, edited("shopify", "order", (rule, text)))
    differing: dict[str, Decimal] = {}
    for line in exported(hub).values():
        if line["kind"] == "Order":
            order = line["document"]
            share = 1 if order.get("payment") == "due" else Decimal("0.5")
            known = differing.get(order["currency"], Decimal(0))
            differing[order["currency"]] = known + share * Decimal(order["total"])
    assert {name: each.moved for name, each in report.money.items()} == differing
    net = {name: abs(each.after - each.before) for name, each in report.money.items()}
    assert any(net[name] < differing[name] for name in net)
    assert breaches(report, Thresholds(money=differing)) == []
    assert breaches(report, Thresholds(money=net))
    # A report of before, which has but the sums.
    for each in report.money.values():
        each.moved = Decimal(0)
    assert breaches(report, Thresholds(money=net)) == []
    assert breaches(report, Thresholds(money={}))


def test_what_would_fail_stays_as_it_is(hub: Hub) -> None:
    before = exported(hub)
    report = planned(hub, FAILING)
    due = {fact for fact, line in before.items() if line["document"].get("payment") == "due"}
    assert report.counts.newly_failing == len(due) > 0
    assert report.counts.changed == 0
    (failure,) = report.failures
    assert (failure.code, failure.path, failure.count) == ("LP-MAP-101", "name", len(due))
    assert failure.samples[0].before == "#9999"
    lost = sum(Decimal(before[fact]["document"]["total"]) for fact in due)
    assert {each.failing for each in report.money.values()} == {lost}

    published(hub, FAILING)
    done = replayed(hub, "shopify.order")
    assert exported(hub) == before
    assert done.problems
    assert done.failed == len(due)
    with hub.engine.begin() as connection:
        assert not holds.held(connection)
        kept = connection.execute(
            select(document.c.fact, document.c.mapping).where(document.c.kind == "Order")
        ).all()
    assert {fact for fact, version in kept if version == SHIPPED.mapping.version} == due


def test_what_would_be_fixed_is_what_is_held_for_it(hub: Hub, tmp_path: Path) -> None:
    published(hub, FAILING)
    file = tmp_path / "more.jsonl"
    orders = list(shop.orders(80, seed=9))[ORDERS:]
    file.write_bytes(b"\n".join(shop_writer.order(each) for each in orders))
    held = receive(hub, "shopify", [file]).held
    assert held > 0
    report = planned(hub, SHIPPED)
    before = exported(hub)
    # Some that are stored could not be made any more.
    stored = [
        line["document"] for line in before.values() if line["document"].get("payment") == "due"
    ]
    assert (report.counts.newly_fixed, report.counts.newly_failing) == (held + len(stored), 0)
    published(hub, SHIPPED)
    with hub.engine.begin() as connection:
        numbers = [row["message_id"] for row in holds.held(connection)]
    holds.release(hub, numbers, actor="ann")
    new = [line["document"] for fact, line in exported(hub).items() if fact not in before]
    assert len(new) == held
    worth = sum(Decimal(order["total"]) for order in (*new, *stored))
    assert sum(each.fixed for each in report.money.values()) == worth


def test_a_second_replay_changes_nothing(hub: Hub) -> None:
    published(hub, RULE)
    replayed(hub, "shopify.order")
    before = exported(hub)
    with hub.engine.begin() as connection:
        lines = len(connection.execute(select(audit)).all())
    done = replayed(hub, "shopify.order")
    assert (done.remade, done.failed) == (0, 0)
    assert exported(hub) == before
    with hub.engine.begin() as connection:
        assert len(connection.execute(select(audit)).all()) == lines


def test_a_message_knows_what_made_its_documents_again(hub: Hub) -> None:
    published(hub, NO_CODE)
    replayed(hub, "shopify.order")
    with hub.engine.begin() as connection:
        rows = connection.execute(
            select(message.c.fact, message.c.mapping, message.c.flags, document.c.flags)
            .join(document, document.c.message_id == message.c.id)
            .where(document.c.kind == "Order", message.c.kind == "order")
        ).all()
    assert {version for _, version, _, _ in rows} == {NO_CODE.mapping.version}
    assert any(count for _, _, count, _ in rows)
    for _, _, count, flags in rows:
        assert count == len(json.loads(flags or "[]"))

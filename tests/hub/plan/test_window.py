"""What a plan looks at and says of it: sales too, a part of the sources, what it passes over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from hub import holds
from hub.authoring.draft import Draft
from hub.bootstrap import Hub
from hub.demo import poslog_writer, shop, shop_writer
from hub.demo.retailer import NEW_YORK
from hub.plan import planning
from hub.plan.report import Report
from hub.receive import receive
from hub.remake import Remade
from hub.store.tables import document, message, record
from tests.hub.plan.conftest import ORDERS, edited, exported, published, target
from tests.hub.plan.test_plan import CODE, leaves, planned
from tests.hub.replaying import replay

TENDER = edited("poslog", "retail", ("CreditDebit: card,", "CreditDebit: account,"))
NO_TENDER = edited("poslog", "retail", ("CreditDebit: card, ", ""))
OPERATOR = edited(
    "poslog", "retail", ("operator:                 OperatorID", "operator: TransactionID")
)


def of(hub: Hub, name: str) -> Report:
    report = planning.begun(hub, CODE, source=name, since=None)
    return planning.plan(hub, CODE, report)


def replayed(hub: Hub) -> Remade:
    with hub.engine.begin() as connection:
        return replay(hub, connection, target("poslog.retail"))


@pytest.fixture
def day(hub: Hub, tmp_path: Path) -> Hub:
    """With a whole day of a store: sales, returns, suspended baskets, post-voids, controls."""
    file = tmp_path / "whole-day.xml"
    file.write_bytes(poslog_writer.day(NEW_YORK, seed=5))
    assert receive(hub, "poslog", [file]).held == 0
    return hub


@pytest.mark.parametrize("draft", [TENDER, NO_TENDER, OPERATOR], ids=["code", "unknown", "rule"])
def test_a_day_of_sales_changes_as_the_plan_said(day: Hub, draft: Draft) -> None:
    before = exported(day)
    report = planned(day, draft)
    assert exported(day) == before
    published(day, draft)
    done = replayed(day)
    after = exported(day)
    changed = {fact for fact in after if after[fact] != before[fact]}
    counts = report.counts
    assert counts.changed == len(changed) > 0
    assert (counts.documents, done.failed) == (done.remade, 0)
    assert (counts.newly_failing, counts.drifted) == (0, 0)
    said = {each.path: each.count for each in report.changes if "flag" not in each.kind}
    assert said == leaves(before, after)
    # What is paid with is no matter of how much: revenue stays as it is.
    assert all(each.before == each.after for each in report.money.values())


def test_what_is_stored_otherwise_than_published_is_counted_as_drifted(hub: Hub) -> None:
    changed = planned(hub, CODE).counts.changed
    published(hub, CODE)
    lines = [line for line in exported(hub).values() if line["kind"] == "Order"]
    # Of these, what is published now makes the same as what they were made by.
    same = [line for line in lines if line["document"]["payment"] != "paid"][:3]
    with hub.engine.begin() as connection:
        for line in same:
            other = json.dumps({**line["document"], "note": "written by hand"})
            mine = update(document).where(document.c.fact == line["fact"])
            connection.execute(mine.values(body=other))
    counts = planned(hub, edited("shopify", "order")).counts
    assert (len(same), counts.changed, counts.drifted) == (3, changed, changed + 3)


def test_a_plan_of_one_source_sees_nothing_of_another(hub: Hub) -> None:
    whole = planned(hub, CODE)
    assert of(hub, "shopify").counts == whole.counts
    none = of(hub, "poslog")
    assert (none.counts.documents, none.window.passed, none.changes) == (0, {}, [])
    assert none.window.source == "poslog"


def test_what_is_passed_over_is_counted_by_what_became_of_it(hub: Hub, tmp_path: Path) -> None:
    # Four of the orders of this hub came again with a refund, and so took the place of the first.
    assert planned(hub, CODE).window.passed == {"superseded": 4}
    orders = list(shop.orders(ORDERS, seed=5))
    again = tmp_path / "again.jsonl"
    again.write_bytes(b"\n".join(shop_writer.order(each) for each in orders[2:9]))
    broken = tmp_path / "broken.jsonl"
    broken.write_bytes(b'{"id": 1, "admin_graphql_api_id": "gid://shopify/Order/1"}')
    # Two of these have a newer one by now; the others say the same again.
    receive(hub, "shopify", [again])
    held = receive(hub, "shopify", [broken]).held
    assert held == 1
    with hub.engine.begin() as connection:
        numbers = [row["message_id"] for row in holds.held(connection)]
    holds.discard(hub, numbers, actor="ann", reason="nonsense")
    passed = planned(hub, CODE).window.passed
    assert passed == {"superseded": 6, "duplicate": 5, "discarded": 1}
    # Whatever came in is looked at or passed over.
    with hub.engine.begin() as connection:
        mine = select(record.c.id).where(record.c.connector == "shopify")
        total = select(func.count()).where(message.c.record_id.in_(mine))
        looked_at = select(func.count(document.c.message_id.distinct()))
        looked_at = looked_at.join(message, message.c.id == document.c.message_id)
        seen = connection.scalar(looked_at.where(message.c.record_id.in_(mine)))
        assert connection.scalar(total) == (seen or 0) + sum(passed.values())


def test_a_document_on_which_lynchpin_fails_stops_no_plan(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("Ann")

    # Nothing that a mapping or a document says does that, so far as anybody knows.
    monkeypatch.setattr("hub.plan.comparison._made", fail)
    report = planned(hub, CODE)
    assert report.counts.still_failing > 0
    assert {failure.code for failure in report.failures} == {"LP-HUB-030"}
    assert "Ann" not in report.model_dump_json()

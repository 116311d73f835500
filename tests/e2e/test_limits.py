"""Limits on what a plan may say, as commands: here, and through a hub that is up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hub import library
from hub.demo import shop, shop_writer
from hub.plan.report import Report

if TYPE_CHECKING:
    from tests.e2e.conftest import House

TOTAL = "  total:                    total_price\n"
PHONE = "  customer.phone:           phone or customer.phone\n"
OTHERWISE = """
  when financial_status = pending:
    total: name
  when financial_status != pending:
    total: total_price | times 2
"""
"""Some orders fail, the others are worth twice as much."""

Options = dict[str, list[object]]


@pytest.fixture(params=["here", "there"])
def orders(request: pytest.FixtureRequest, house: House) -> Iterator[House]:
    """A house with orders: its home is opened by each command, or a hub that is up is asked."""
    bodies = [shop_writer.order(each) for each in shop.orders(40, seed=5)]
    house.send("shopify", b"\n".join(bodies), "orders.jsonl")
    if request.param == "here":
        yield house
    else:
        with house.up():
            yield house


def _otherwise(house: House) -> Path:
    text = library.shipped_text("shopify", "order")[0]
    for old, new in ((TOTAL, OTHERWISE), (PHONE, "  customer.phone: = +12025550199\n")):
        assert text.count(old) == 1
        text = text.replace(old, new)
    # Its examples come out otherwise, which is another reason to refuse it.
    return house.file(text.partition("examples:")[0].encode(), "order.yaml")


def _planned(house: House, file: Path) -> Report:
    done = house.lynchpin("map", "plan", file, "--json")
    assert done.returncode == 0, done.stderr
    return Report.model_validate(json.loads(done.stdout))


def test_a_mapping_beyond_a_limit_is_not_published(orders: House) -> None:
    file = _otherwise(orders)
    report = _planned(orders, file)
    counts, moved = report.counts, report.people.joins + report.people.leaves
    worth = {name: abs(each.after - each.before) for name, each in report.money.items()}
    assert all((counts.newly_failing, counts.changed, moved, *worth.values()))
    within: Options = {
        "--max-failing": [counts.newly_failing],
        "--max-changed": [100],
        "--max-moved": [moved],
        "--max-money": [f"{currency}={amount}" for currency, amount in worth.items()],
    }
    beyond: Options = {
        "--max-failing": [counts.newly_failing - 1],
        "--max-changed": [100 * counts.changed / counts.documents - 0.1],
        "--max-moved": [moved - 1],
        "--max-money": [f"{currency}=0.01" for currency in worth],
    }
    publish = ("map", "publish", file, "--plan", report.id)
    for name in within:
        options = {**within, name: beyond[name]}
        refused = orders.lynchpin(*publish, *_typed(options))
        assert (refused.returncode, "LP-PLAN-003" in refused.stderr) == (2, True), refused.stderr
        assert _log(orders) == ["shipped"]
    done = orders.lynchpin(*publish, *_typed(within))
    assert done.returncode == 0, done.stderr
    assert _log(orders) == ["shipped", "publish"]


def _typed(options: Options) -> list[str]:
    return [
        word for name, values in options.items() for each in values for word in (name, f"{each}")
    ]


def _log(house: House) -> list[str]:
    said = house.lynchpin("map", "log", "shopify.order", "--json").stdout
    return [line["act"] for line in json.loads(said)]


def test_limits_that_say_nothing_are_told(house: House) -> None:
    file = _otherwise(house)
    for options in (("--max-failing", "0"), ("--max-money", "USD=1")):
        done = house.lynchpin("map", "publish", file, *options)
        assert (done.returncode, "name one with --plan" in done.stderr) == (2, True)
    for wrong in ("USD", "usd=1", "USD=-1", "USD=1e9", "=1"):
        done = house.lynchpin("map", "publish", file, "--plan", "x", "--max-money", wrong)
        assert (done.returncode, "--max-money USD=100.00" in done.stderr) == (2, True)

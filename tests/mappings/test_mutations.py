"""A mapping with one thing wrong does not get by: something notices it, and the test says what."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mappings.mutants import every_mutant, noticed_by, shipped

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(f"{path.parent.name}.{path.stem}" for path in (ROOT / "mappings").glob("*/*.yaml"))

MISTAKES = {
    "wrong path": (
        "shopify.order",
        "total:                    total_price\n",
        "total:                    total_line_items_price\n",
        "examples",
    ),
    "wrong sign": (
        "layout.csv_sales",
        "amount | absolute | negate",
        "amount | absolute",
        "examples",
    ),
    "dropped field": ("poslog.retail", "  operator:                 OperatorID\n", "", "coverage"),
    "swapped code": (
        "poslog.retail",
        "tender: {Cash: cash, CreditDebit: card,",
        "tender: {Cash: card, CreditDebit: cash,",
        "examples",
    ),
    "code left out": (
        "twilio.call",
        "busy: busy, failed: failed, no-answer: no_answer,",
        "busy: busy, failed: failed,",
        "examples",
    ),
    "wrong list": (
        "shopify.order",
        "  shipping[] from shipping_lines[]:",
        "  shipping[] from line_items[]:",
        "coverage",
    ),
    "dropped where": (
        "poslog.retail",
        "LineItem[] where Tender:",
        "LineItem[]:",
        "examples",
    ),
    "wrong constant": (
        "shopify.refund",
        "kind:                     = refund",
        "kind:                     = return",
        "examples",
    ),
    "condition inverted": (
        "poslog.retail_v6",
        "when Sale.Quantity < 0 and",
        "when Sale.Quantity > 0 and",
        "examples",
    ),
    "wrong code table": (
        "shopify.order",
        "financial_status or = pending | code payment",
        "financial_status or = pending | code fulfilment",
        "examples",
    ),
    "gross for net": (
        "poslog.retail_v6",
        "tax:                      RetailTransaction.Total[@TotalType=TransactionTaxAmount]",
        "tax:                      RetailTransaction.Total[@TotalType=TransactionGrandAmount]",
        "examples",
    ),
    "item kinds swapped": (
        "layout.rtlog",
        "item[] from gtin[]:\n      kind:                 = gtin",
        "item[] from gtin[]:\n      kind:                 = sku",
        "examples",
    ),
    "condition on the other side": (
        "poslog.retail_v6",
        "when .@VoidFlag = true, 1 and Sale.Quantity > 0:",
        "when .@VoidFlag = true, 1 and Sale.Quantity < 0:",
        "examples",
    ),
    "never reached": (
        "poslog.control",
        "  when ControlTransaction.NoSale:\n",
        "  when ControlTransaction.OperatorSignOff and ControlTransaction.NoSale:\n",
        "coverage",
    ),
    "written back elsewhere": (
        "shopify.customer",
        "  given_name:               first_name\n  family_name:              last_name\n",
        "  given_name:               last_name\n  family_name:              first_name\n",
        "round trip",
    ),
    "misspelt field": ("events.event", "  campaign: ", "  campain: ", "check"),
}

ALSO_SKIPPED = "a line with a tender is nothing else; the `otherwise` at the end skips it as well"
UNNOTICED = {
    "poslog.retail": {"left out: when Tender: skip": ALSO_SKIPPED},
    "poslog.retail_v6": {"left out: when Tender: skip": ALSO_SKIPPED},
}
"""The mutants that nothing can notice, and why: they make the same of every document there can be.
Any other rule needs a sample that tells."""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_noticed(mistake: str) -> None:
    name, right, wrong, expected = MISTAKES[mistake]
    text = shipped()[name].text
    assert text.count(right) >= 1, "the shipped mapping says something else by now"
    noticed = list(noticed_by(text.replace(right, wrong, 1), shipped()[name]))
    assert expected in noticed, f"{mistake}: noticed by {noticed or 'nothing'}"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_noticed_of_what_is_shipped(name: str) -> None:
    assert list(noticed_by(shipped()[name].text, shipped()[name])) == []


def test_every_way_of_noticing_was_seen_and_every_mapping_counted() -> None:
    assert {m[3] for m in MISTAKES.values()} == {"check", "coverage", "examples", "round trip"}
    assert set(NAMES) == set(shipped())


@pytest.mark.parametrize("name", NAMES)
def test_every_mutant_is_noticed_but_those_that_make_the_same(name: str) -> None:
    of = shipped()[name]
    mutants = list(every_mutant(of.text))
    missed = [m for m in mutants if next(noticed_by(m.text, of), None) is None]
    print(f"{name}: {len(mutants)} mutants, {len(missed)} unnoticed")  # noqa: T201 (with pytest -s)
    assert len(mutants) >= 15
    assert sorted(m.told for m in missed) == sorted(UNNOTICED.get(name, {})), missed

"""The invented day is repeatable, balanced, invented, and what its ledger says it is.

Everything is recomputed from the written bytes, never with the generators' own arithmetic.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from hub.demo import poslog_writer, shop, shop_writer, till
from hub.demo.dice import Dice
from hub.demo.ledger import tally
from hub.demo.receipt import Key, Receipt
from hub.demo.retailer import NEW_YORK, NEW_YORK_UPTOWN, STORES, VIENNA, Store, person

ROOT = Path(__file__).resolve().parents[3]
ACS = "{http://www.ncr.com/rsd/acs/tlog/markup/poslog/2.1}"
SEED = 7
ORDERS = list(shop.orders(300, seed=SEED))


def parse(document: bytes) -> list[etree._Element]:
    """The transactions of a document, ARTS elements without their namespace."""
    root = etree.fromstring(document)
    for element in root.iter("*"):
        name = etree.QName(element)
        if "nrf-arts" in (name.namespace or ""):
            element.tag = name.localname
    return list(root.iterchildren("Transaction"))


def money(element: etree._Element, path: str) -> Decimal:
    text = element.findtext(path)
    assert text is not None, path
    return Decimal(text)


def grand_total(transaction: etree._Element) -> Decimal:
    return money(transaction, "RetailTransaction/Total[@TotalType='TransactionGrandAmount']")


def v2_parts(transaction: etree._Element) -> tuple[Decimal, Decimal]:
    """The sums of what was sold and of what was tendered, by the rule proven on a real day."""
    sold = Decimal(0)
    for sale in transaction.iter("Sale"):
        sold += money(sale, "ExtendedAmount")
    for taken_back in transaction.iter("Return"):
        sold -= money(taken_back, "ExtendedAmount")
    for tax in transaction.iter("Tax"):
        sold += money(tax, "Amount")
    for reward in transaction.iter("LoyaltyReward"):
        if (
            reward.get(f"{ACS}summarizedActivity") == "true"
            and reward.findtext(f"{ACS}RewardCategory") == "Monetary"
        ):
            sold += money(reward, f"{ACS}ExtendedRewardAmount")
    tendered = sum((money(t, "Amount") for t in transaction.iter("Tender")), Decimal(0))
    return sold, tendered


def v6_parts(transaction: etree._Element) -> tuple[Decimal, Decimal]:
    """The same for prices with tax: voided lines are skipped, refund tenders are negative."""
    sold = Decimal(0)
    for line in transaction.iter("LineItem"):
        if line.find("Sale") is not None and line.get("VoidFlag") == "false":
            sold += money(line, "Sale/ExtendedAmount")
    tendered = Decimal(0)
    for tender in transaction.iter("Tender"):
        sign = -1 if tender.get("TypeCode") == "Refund" else 1
        tendered += sign * money(tender, "Amount")
    return sold, tendered


def key_of(transaction: etree._Element) -> Key:
    return (
        transaction.findtext("RetailStoreID") or transaction.findtext("BusinessUnit/UnitID") or "",
        transaction.findtext("WorkstationID") or "",
        transaction.findtext("BusinessDayDate") or "",
        transaction.findtext("SequenceNumber") or "",
    )


def assert_balanced(document: bytes, store: Store) -> None:
    parts = v6_parts if store.dialect == "v6" else v2_parts
    retail = [t for t in parse(document) if t.find("RetailTransaction") is not None]
    assert retail
    for transaction in retail:
        total = grand_total(transaction)
        assert parts(transaction) == (total, total), key_of(transaction)


# What comes out is the same everywhere.


def everything(seed: int) -> bytes:
    documents = [poslog_writer.day(store, seed=seed) for store in STORES]
    documents += [poslog_writer.sale(seed=seed), *poslog_writer.sales(20, seed=seed)]
    documents += [shop_writer.order(order) for order in shop.orders(20, seed=seed)]
    return b"".join(documents)


def test_another_process_with_another_hash_order_writes_the_same_bytes() -> None:
    program = (
        "import hashlib, runpy, sys;"
        f"everything = runpy.run_path({str(Path(__file__))!r})['everything'];"
        f"print(hashlib.sha256(everything({SEED})).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    }
    assert digests == {hashlib.sha256(everything(SEED)).hexdigest()}


def test_another_seed_gives_another_day() -> None:
    assert everything(SEED) != everything(SEED + 1)


def test_the_dice_fall_as_they_always_did() -> None:
    dice = Dice("fixed", 1)
    assert [dice.below(1000) for _ in range(6)] == [116, 66, 950, 393, 485, 371]


# A store's day.


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**63))
@pytest.mark.parametrize("store", STORES, ids=lambda store: store.number)
def test_every_receipt_of_a_day_balances(store: Store, seed: int) -> None:
    assert_balanced(poslog_writer.day(store, seed=seed), store)


@pytest.mark.parametrize("store", STORES, ids=lambda store: store.number)
def test_sequences_have_no_gap_and_the_clock_does_not_go_back(store: Store) -> None:
    by_till = defaultdict(list)
    transactions = parse(poslog_writer.day(store, seed=SEED))
    for transaction in transactions:
        _, workstation, _, sequence = key_of(transaction)
        by_till[workstation].append(int(sequence))
    assert set(by_till) == set(store.tills)
    for numbers in by_till.values():
        assert all(after == before + 1 for before, after in pairwise(numbers))
    clock = [transaction.findtext("EndDateTime") or "" for transaction in transactions]
    assert clock == sorted(clock)


@pytest.mark.parametrize("store", [NEW_YORK, NEW_YORK_UPTOWN], ids=lambda store: store.number)
@pytest.mark.parametrize(
    "path",
    [
        "ControlTransaction/OperatorSignOn",
        "ControlTransaction/OperatorSignOff",
        "ControlTransaction/NoSale",
        f"RetailTransaction/LineItem[@{ACS}weightItem='true']/Sale",
        "RetailTransaction/LineItem[@VoidFlag='true']/Sale",
        "RetailTransaction/LineItem/Return",
        "RetailTransaction/TransactionLink[@ReasonCode='Return']",
        "RetailTransaction/LineItem/Tax",
        "RetailTransaction/LineItem/Tender[@TenderType='CreditDebit']/Cashback",
        "RetailTransaction/LineItem/Tender[@TenderType='Cash']/TenderChange/Amount",
        f"RetailTransaction/LineItem/{ACS}LoyaltyMembership/{ACS}MembershipID",
        f"RetailTransaction/LineItem/LoyaltyReward[@{ACS}detailedData='true']",
        f"RetailTransaction/LineItem/LoyaltyReward[@{ACS}summarizedActivity='true']",
    ],
)
def test_every_v2_day_has_the_case(store: Store, path: str) -> None:
    day = parse(poslog_writer.day(store, seed=SEED))
    assert any(transaction.find(path) is not None for transaction in day)


@pytest.mark.parametrize(
    "path",
    [
        "BusinessUnit[2]/UnitID[@TypeCode='Country']",
        "ControlTransaction/OperatorSignOn",
        "ControlTransaction/NoSale",
        "RetailTransaction/LineItem[@VoidFlag='true']/Sale",
        "RetailTransaction/LineItem/Sale/Tax",
        "RetailTransaction/LineItem/Tax",
        "RetailTransaction/LineItem/Sale/TransactionLink/BusinessDayDate/Date",
        "RetailTransaction/LineItem/Tender[@TypeCode='Refund']",
        "RetailTransaction/LoyaltyAccount/LoyaltyCard/PrimaryAccountNumber",
    ],
)
def test_every_v6_day_has_the_case(path: str) -> None:
    day = parse(poslog_writer.day(VIENNA, seed=SEED))
    assert any(transaction.find(path) is not None for transaction in day)


def test_no_household_is_written_as_zeros() -> None:
    day = parse(poslog_writer.day(NEW_YORK, seed=SEED))
    households = {e.text or "" for t in day for e in t.iter(f"{ACS}HouseholdID")}
    assert {len(household) for household in households} == {25}
    assert "0" * 25 in households
    assert len(households) > 1


def test_a_v6_receipt_begins_in_utc_and_ends_in_the_zone_of_its_store() -> None:
    for transaction in parse(poslog_writer.day(VIENNA, seed=SEED)):
        begin, end = transaction.findtext("BeginDateTime"), transaction.findtext("EndDateTime")
        assert begin
        assert begin.endswith("Z")
        assert end
        assert end.endswith("+01:00")
        rung = datetime.fromisoformat(end) - datetime.fromisoformat(begin)
        assert rung == timedelta(seconds=35)


def test_a_v2_void_is_summed_and_a_v6_void_is_skipped() -> None:
    v2 = parse(poslog_writer.day(NEW_YORK, seed=SEED))
    v6 = parse(poslog_writer.day(VIENNA, seed=SEED))
    void = "RetailTransaction/LineItem[@VoidFlag='true']/Sale"
    assert all(money(sale, "ExtendedAmount") < 0 for t in v2 for sale in t.findall(void))
    assert all(money(sale, "ExtendedAmount") > 0 for t in v6 for sale in t.findall(void))


@pytest.mark.parametrize("store", STORES, ids=lambda store: store.number)
def test_a_return_names_an_earlier_receipt_that_sold_the_item(store: Store) -> None:
    seen: dict[Key, etree._Element] = {}
    returns = 0
    for transaction in parse(poslog_writer.day(store, seed=SEED)):
        for link in transaction.iter("TransactionLink"):
            returns += 1
            original = seen[
                (
                    link.findtext("RetailStoreID") or link.findtext("BusinessUnit/UnitID") or "",
                    link.findtext("WorkstationID") or "",
                    link.findtext("BusinessDayDate/Date") or link.findtext("BusinessDayDate") or "",
                    link.findtext("SequenceNumber") or "",
                )
            ]
            sold = {e.text for e in original.iter("POSItemID")}
            assert {e.text for e in transaction.iter("POSItemID")} <= sold
            assert grand_total(transaction) < 0
        seen[key_of(transaction)] = transaction
    assert returns == len(store.tills)


def test_the_tax_of_a_v6_receipt_is_told_twice_and_counts_once() -> None:
    for transaction in parse(poslog_writer.day(VIENNA, seed=SEED)):
        if transaction.find("RetailTransaction") is None:
            continue
        whole = sum(
            (money(t, "Amount") for t in transaction.findall("RetailTransaction/LineItem/Tax")),
            Decimal(0),
        )
        total = "RetailTransaction/Total[@TotalType='{}']"
        assert money(transaction, total.format("TransactionTaxAmount")) == whole
        for sale in transaction.iter("Sale"):
            inside = money(sale, "Tax/TaxableAmount") + money(sale, "Tax/Amount")
            assert inside == money(sale, "ExtendedAmount")
        net = money(transaction, total.format("TransactionNetAmount"))
        assert net + whole == grand_total(transaction)


# The ledger.


def test_the_ledger_says_what_the_bytes_say() -> None:
    refunds = [shop.refund(order) for order in ORDERS[:5]]
    entries = [entry for store in STORES for entry in till.day(store, seed=SEED)]
    ledger = tally(entries, ORDERS, refunds)

    totals: dict[str, Decimal] = defaultdict(Decimal)
    store_totals: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    kinds: Counter[str] = Counter()
    for store in STORES:
        for transaction in parse(poslog_writer.day(store, seed=SEED)):
            if transaction.find("ControlTransaction") is not None:
                kinds["control"] += 1
                continue
            kinds["retail"] += 1
            currency = transaction.findtext("CurrencyCode") or ""
            totals[currency] += grand_total(transaction)
            store_totals[key_of(transaction)[0], currency] += grand_total(transaction)
    assert (ledger.transactions, ledger.controls) == (kinds["retail"], kinds["control"])
    assert ledger.totals == totals
    assert ledger.store_totals == store_totals
    assert set(totals) == {"EUR", "USD"}

    bodies = [json.loads(shop_writer.order(order)) for order in ORDERS]
    paid_back = [json.loads(shop_writer.refund(r))["transactions"] for r in refunds]
    assert (ledger.orders, ledger.refunds) == (len(bodies), len(paid_back))
    assert ledger.order_totals == {"EUR": sum(Decimal(b["total_price"]) for b in bodies)}
    assert ledger.refund_totals == {"EUR": sum(Decimal(t["amount"]) for (t,) in paid_back)}


def test_a_value_has_the_key_and_total_of_its_bytes() -> None:
    for store in STORES:
        entries = till.day(store, seed=SEED)
        transactions = parse(poslog_writer.day(store, seed=SEED))
        for entry, transaction in zip(entries, transactions, strict=True):
            assert entry.key == key_of(transaction)
            if isinstance(entry, Receipt):
                assert entry.total == grand_total(transaction)


# Sales in any number.


def test_streamed_sales_are_one_document_that_their_oracle_knows() -> None:
    document = b"".join(poslog_writer.sales(200, seed=SEED))
    assert_balanced(document, NEW_YORK)
    written = {key_of(t): grand_total(t) for t in parse(document)}
    assert written == {r.key: r.total for r in till.sales(200, seed=SEED)}
    assert len(written) == 200


def test_a_stream_is_not_gathered_before_it_starts() -> None:
    pieces = list(islice(poslog_writer.sales(10**12, seed=SEED), 3))
    assert pieces[0].startswith(b"<POSLog ")
    assert [piece.startswith(b"<Transaction>") for piece in pieces[1:]] == [True, True]


def test_a_single_sale_is_the_one_of_the_stream() -> None:
    stream = list(till.sales(50, seed=SEED))
    assert till.sale(37, seed=SEED) == stream[37]


def test_load_sequences_have_no_gap_over_the_days() -> None:
    first, later = till.sale(3, seed=SEED), till.sale(3 + 8 * 2000, seed=SEED)
    assert (first.till, later.till) == ("4", "4")
    assert later.sequence == first.sequence + 2000
    assert (later.business_date - first.business_date).days == 1


def test_the_number_of_lines_is_as_asked() -> None:
    for transaction in parse(b"".join(poslog_writer.sales(5, seed=SEED, lines=3))):
        assert len(list(transaction.iter("Sale"))) == 3


@pytest.mark.parametrize(("size", "low", "high"), [("4 kB", 3500, 5500), ("18 kB", 16000, 20000)])
def test_a_sale_of_ten_lines_has_the_size(size: Any, low: int, high: int) -> None:
    for index in range(20):
        document = poslog_writer.sale(index, seed=SEED, size=size)
        assert low < len(document) < high
        assert_balanced(document, NEW_YORK)
        assert len(list(parse(document)[0].iter("Sale"))) == 10


def test_load_customers_are_mixed_as_promised() -> None:
    shown = [receipt.loyalty for receipt in till.sales(4000, seed=SEED)]
    known_cards = {person(number).card for number in range(till.KNOWN_CUSTOMERS)}
    anonymous = shown.count(None)
    known = sum(c is not None and c.card in known_cards for c in shown)
    assert 0.38 < anonymous / 4000 < 0.42
    # A third of the misleading cards are a known person's, in a household of somebody else.
    assert 0.35 < known / 4000 < 0.42
    assert {c.card for c in shown if c} >= {"0", "8999999"}


# Broken sales.


def test_a_sale_without_total_is_well_formed_and_has_none() -> None:
    for store in STORES:
        entries = till.day(store, seed=SEED)
        receipt = next(entry for entry in entries if isinstance(entry, Receipt))
        broken = poslog_writer.without_total(receipt)
        document = b"".join(poslog_writer.document([broken], dialect=store.dialect))
        (transaction,) = parse(document)
        assert key_of(transaction) == receipt.key
        assert transaction.find(".//Total") is None
        assert transaction.find(".//ExtendedAmount") is not None


def test_a_sale_cut_short_is_the_start_of_a_sale() -> None:
    for store in STORES:
        receipt = next(e for e in till.day(store, seed=SEED) if isinstance(e, Receipt))
        whole, cut = poslog_writer.transaction(receipt), poslog_writer.cut_short(receipt)
        assert whole.startswith(cut)
        assert b"SequenceNumber" in cut
        with pytest.raises(etree.XMLSyntaxError):
            parse(b"".join(poslog_writer.document([cut], dialect=store.dialect)))


# The shop.

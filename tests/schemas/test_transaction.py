"""Transactions are closed, frozen and exact, and each line is of the type its kind names."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.envelope import Envelope
from schemas.transaction import (
    ChargeLine,
    DiscountLine,
    ItemLine,
    RoundingLine,
    TaxLine,
    Transaction,
)

BASKET: dict[str, Any] = {
    "system": "tills-nowhere",
    "store": "0042",
    "workstation": "007",
    "business_date": "2031-02-03",
    "sequence": "000100",
    "receipt": "00042007000100",
    "occurred_at": {"local": "2031-02-04T00:31:00", "offset": "+01:00"},
    "currency": "EUR",
    "total": "12.98",
    "lines": [
        {
            "kind": "sale",
            "number": "1",
            "amount": "19.90",
            "quantity": "2",
            "item": [{"kind": "gtin", "value": "0000000000017"}],
        },
        {
            "kind": "return",
            "number": "2",
            "amount": "-5.00",
            "quantity": "-1",
            "origin": {"store": "0007", "sequence": "000099", "line": "01"},
        },
        {"kind": "order_payment", "number": "3", "amount": "0.10", "reference": "0001042"},
        {"kind": "discount", "number": "4", "amount": "-2.00", "applies_to": ["1"]},
        {"kind": "tax", "number": "5", "amount": "2.17", "counts": False, "rate": "20.0"},
        {"kind": "rounding", "number": "6", "amount": "-0.02"},
    ],
    "tenders": [
        {"number": "1", "kind": "cash", "amount": "20.00"},
        {"number": "2", "kind": "cash", "role": "change", "amount": "-7.02"},
    ],
    "customers": [{"kind": "loyalty", "value": "0000123"}],
}


def _with(*path: str | int, value: Any) -> dict[str, Any]:
    """The basket with one value replaced or added."""
    basket = copy.deepcopy(BASKET)
    part: Any = basket
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return basket


def test_json_and_back_is_the_same_to_the_byte() -> None:
    transaction = Transaction.model_validate(BASKET)
    text = transaction.model_dump_json()
    assert Transaction.model_validate_json(text) == transaction
    assert Transaction.model_validate_json(text).model_dump_json() == text


def test_leading_zeros_stay() -> None:
    transaction = Transaction.model_validate_json(Transaction(**BASKET).model_dump_json())
    sale, returned, payment = transaction.lines[:3]
    assert (transaction.store, transaction.workstation) == ("0042", "007")
    assert (transaction.sequence, transaction.receipt) == ("000100", "00042007000100")
    assert transaction.customers[0].value == "0000123"
    assert isinstance(sale, ItemLine)
    assert sale.item[0].value == "0000000000017"
    assert isinstance(returned, ItemLine)
    assert returned.origin is not None
    assert (returned.origin.sequence, returned.origin.line) == ("000099", "01")
    assert isinstance(payment, ChargeLine)
    assert payment.reference == "0001042"


def test_the_kind_of_a_line_chooses_its_type() -> None:
    types = [type(line) for line in Transaction.model_validate(BASKET).lines]
    assert types == [ItemLine, ItemLine, ChargeLine, DiscountLine, TaxLine, RoundingLine]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("lines", 0, "kind"), "sell"),
        (("lines", 5, "rate"), "20.0"),
        (("lines", 0, "unit_prize"), "9.95"),
        (("colour",), "blue"),
        (("occurred_at", "place"), "till"),
    ],
)
def test_an_unknown_kind_or_field_is_refused(path: tuple[str | int, ...], value: str) -> None:
    with pytest.raises(ValidationError):
        Transaction.model_validate(_with(*path, value=value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("sequence",), 100),
        (("sequence",), ""),
        (("store",), "9" * 201),
        (("currency",), "euro"),
        (("business_date",), "2031-02-30"),
        (("status",), "done"),
        (("lines", 0, "amount"), "NaN"),
        (("tenders", 0, "card"), {"last4": "12345"}),
        (("tenders", 0, "card"), {"last4": "12x4"}),
        (("occurred_at", "local"), "04.02.2031 00:31"),
        (("occurred_at", "offset"), "CET"),
        (("occurred_at", "utc"), "2031-02-03T23:31:00"),
    ],
)
def test_a_value_of_the_wrong_form_is_refused(path: tuple[str | int, ...], value: object) -> None:
    with pytest.raises(ValidationError):
        Transaction.model_validate(_with(*path, value=value))


@pytest.mark.parametrize("field", sorted(k for k in BASKET if k in Transaction.model_fields))
def test_nothing_of_it_can_be_set_again(field: str) -> None:
    transaction = Transaction.model_validate(BASKET)
    with pytest.raises(ValidationError):
        setattr(transaction, field, BASKET[field])


def test_its_lists_cannot_grow() -> None:
    transaction = Transaction.model_validate(BASKET)
    assert all(isinstance(transaction.model_dump()[f], tuple) for f in ("lines", "tenders"))
    with pytest.raises(ValidationError):
        transaction.lines[0].amount = Decimal(0)


def test_the_counted_parts_of_the_basket_add_up() -> None:
    transaction = Transaction.model_validate(BASKET)
    lines = sum(line.amount for line in transaction.lines if line.counts)
    tenders = sum(tender.amount for tender in transaction.tenders if tender.counts)
    assert lines == tenders == transaction.total


@pytest.mark.parametrize(
    ("changes", "revenue"),
    [
        ({}, True),
        ({"training": True}, False),
        ({"status": "suspended"}, False),
        ({"status": "cancelled"}, False),
        ({"status": "post_void"}, False),
    ],
)
def test_only_a_completed_sale_is_revenue(changes: dict[str, Any], *, revenue: bool) -> None:
    assert Transaction.model_validate(BASKET | changes).is_revenue is revenue


def test_an_envelope_carries_only_a_known_kind() -> None:
    envelope = {"kind": "Transaction", "model": "transaction.v1", "fact": "f", "document": BASKET}
    assert Envelope.model_validate(envelope).document["sequence"] == "000100"
    with pytest.raises(ValidationError):
        Envelope.model_validate(envelope | {"kind": "Receipt"})

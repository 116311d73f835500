"""Which thing of the shop a document is, and when two documents of it are the same."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.api import Document, Name
from connectors.formats.json_text import JsonOptions, decode_json
from connectors.shopify import connector
from connectors.shopify.content import CUSTOMER, ORDER, REFUND, written
from schemas.problem import Rejected

OPTIONS = JsonOptions()
SAMPLES = Path(__file__).resolve().parents[3] / "connectors" / "shopify" / "samples"


def sample(name: str) -> Any:
    return decode_json((SAMPLES / f"{name}.json").read_bytes())


def name(kind: str, body: Any) -> Name:
    return connector.name(Document(kind, body), OPTIONS)


def changed(body: Any, path: str, value: Any) -> Any:
    """The body with one value replaced; a path like ``line_items.0.price``."""
    copy = json.loads(json.dumps(body, default=str))
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    inner = copy
    for step in steps:
        inner = inner[step]
    inner[last] = value
    return copy


def test_an_order_is_a_snapshot_with_the_time_of_its_change() -> None:
    named = name("order", sample("order-paid-bare"))
    assert (named.kind, named.key) == ("snapshot", ("order", "4400000001001"))
    assert named.version == "2026-03-01T15:15:02.000000Z"


def test_a_customer_is_a_snapshot_and_a_refund_a_fact() -> None:
    customer = name("customer", sample("customer-bare"))
    assert (customer.kind, customer.key) == ("snapshot", ("customer", "5500000000001"))
    assert customer.version == "2026-03-01T15:15:00.000000Z"
    refund = name("refund", sample("refund-alone"))
    assert (refund.kind, refund.key) == ("fact", ("refund", "3300000001003"))
    assert refund.version is None


def test_versions_sort_as_the_moments_they_are() -> None:
    in_order = [
        "0999-12-31T23:59:59Z",
        "2026-03-01T10:00:00+02:00",
        "2026-03-01T08:00:00.5Z",
        "2026-03-01T08:00:01Z",
        "2026-03-01T04:00:00-05:00",
        "2026-03-01T09:00:00.000001+00:00",
    ]
    body = sample("order-paid-bare")
    versions = [name("order", {**body, "updated_at": text}).version for text in in_order]
    assert versions == sorted(versions, key=str)
    assert len(set(versions)) == len(versions)
    assert {len(str(version)) for version in versions} == {27}


@pytest.mark.parametrize(
    "updated", [None, "", "yesterday", "2026-03-01T10:00:00", 20260301, "0001-01-01T00:00:00+09:00"]
)
def test_a_snapshot_that_cannot_be_ordered_is_held(updated: Any) -> None:
    with pytest.raises(Rejected) as caught:
        name("order", {**sample("order-paid-bare"), "updated_at": updated})
    assert (caught.value.problem.code, caught.value.problem.path) == ("LP-DOC-005", "updated_at")


def test_an_id_as_text_is_the_same_id() -> None:
    body = sample("refund-alone")
    as_text = {**body, "id": str(body["id"]), "order_id": str(body["order_id"])}
    assert name("refund", as_text) == name("refund", body)


def test_a_refund_is_the_same_alone_inside_and_with_other_trimmings() -> None:
    alone = sample("refund-alone")
    inside = sample("order-with-refund-inside")["refunds"][0]
    assert name("refund", inside) == name("refund", alone)
    trimmed = {
        key: value
        for key, value in alone.items()
        if key not in {"note", "total_duties_set", "duties", "processed_at", "restock"}
    }
    for line in trimmed["refund_line_items"]:
        del line["line_item"]
    settled = changed(trimmed, "transactions.0.status", "failure")
    assert name("refund", settled) == name("refund", alone)


def test_the_order_of_lines_is_no_content() -> None:
    body = sample("refund-multi-line-wrapped")["refund"]
    turned = {
        **body,
        "refund_line_items": body["refund_line_items"][::-1],
        "transactions": body["transactions"][::-1],
    }
    assert turned != body
    assert name("refund", turned) == name("refund", body)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("order_id", 1),
        ("refund_line_items.0.quantity", 3),
        ("refund_line_items.0.line_item_id", 1),
        ("refund_line_items", []),
        ("transactions.0.amount", "46.81"),
        ("transactions.0.kind", "void"),
        ("transactions.0.id", 1),
        ("transactions", []),
        ("order_adjustments.0.amount", "-4.91"),
        ("order_adjustments.0.tax_amount", "0.01"),
        ("order_adjustments", []),
    ],
)
def test_another_refund_of_the_same_id_has_other_content(path: str, value: Any) -> None:
    body = sample("refund-with-adjustment")
    other = name("refund", changed(body, path, value))
    assert other.key == name("refund", body).key
    assert other.content != name("refund", body).content


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("total_price", "67.71"),
        ("currency", "CAD"),
        ("financial_status", "refunded"),
        ("fulfillment_status", "fulfilled"),
        ("cancelled_at", "2026-03-02T08:00:00-05:00"),
        ("customer.id", 1),
        ("line_items.0.quantity", 2),
        ("line_items.1.price", "9.96"),
        ("shipping_address.zip", "0007"),
        ("email", None),
    ],
)
def test_another_state_of_an_order_has_other_content(path: str, value: Any) -> None:
    body = sample("order-paid-bare")
    assert name("order", changed(body, path, value)).content != name("order", body).content


def test_amounts_are_the_same_by_value() -> None:
    for price in ("199.00", "199", "199.0", 199, Decimal("199.00"), Decimal("1.99E+2"), "0199.000"):
        assert written({"total_price": price}, ("total_price",)) == b'["199"]'
    for zero in ("0.00", "-0.00", 0, Decimal("0E-8"), "0"):
        assert written({"total_price": zero}, ("total_price",)) == b'["0"]'


def test_long_amounts_are_not_rounded_into_one() -> None:
    digits = "1234567890123456789012345678901234567"
    one, other = (written({"price": f"0.{digits}{end}"}, ("price",)) for end in "12")
    assert one != other
    assert written({"price": "1e999999999"}, ("price",)) == b'["1e999999999"]'


def test_texts_are_not_amounts() -> None:
    for field in ("zip", "phone", "sku", "id"):
        assert written({field: "0123"}, (field,)) != written({field: "123"}, (field,))


def test_nothing_can_slip_from_one_field_into_the_next() -> None:
    pairs = [("a", "b"), ('a","b', ""), ("a", None), (None, "a"), ("", "a"), ("None", "a")]
    bodies = [{"email": one, "phone": two} for one, two in pairs]
    assert len({written(body, ("email", "phone")) for body in bodies}) == len(pairs)


def test_an_absent_field_counts_as_null() -> None:
    for fields in (ORDER, REFUND, CUSTOMER):
        empty = {name if isinstance(name, str) else name[0]: None for name in fields}
        assert written({}, fields) == written(empty, fields)

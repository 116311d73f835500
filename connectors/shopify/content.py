"""What makes two Shopify documents the same: the fields that count, written down unambiguously.

A field is a name, or a name with the fields below it. An object gives one row; a list gives a row
for each member, sorted, because Shopify promises no order. A field that is absent counts as null.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, TypeAlias

from schemas.money import plain

__all__ = ["CUSTOMER", "ORDER", "REFUND", "VERSION", "Fields", "written"]

VERSION = 1
"""Goes up with every change of a list below: hashes of two versions are never compared."""

Fields: TypeAlias = "tuple[str | tuple[str, Fields], ...]"

_ADDRESS: Fields = (
    *("first_name", "last_name", "name", "company", "address1", "address2", "city"),
    *("province_code", "zip", "country_code", "phone"),
)
_CONSENT: Fields = ("state", "opt_in_level", "consent_updated_at")

ORDER: Fields = (
    *("id", "name", "currency", "presentment_currency", "taxes_included", "test"),
    *("financial_status", "fulfillment_status", "cancelled_at", "cancel_reason", "closed_at"),
    *("subtotal_price", "total_discounts", "total_tax", "total_price"),
    *("current_subtotal_price", "current_total_discounts", "current_total_tax"),
    *("current_total_price", "email", "phone", "note", "tags", "location_id", "user_id"),
    ("customer", ("id",)),
    ("billing_address", _ADDRESS),
    ("shipping_address", _ADDRESS),
    ("line_items", ("id", "variant_id", "sku", "quantity", "price", "total_discount")),
    ("shipping_lines", ("code", "title", "price")),
    ("tax_lines", ("title", "rate", "price")),
    ("discount_codes", ("code", "amount")),
    ("fulfillments", ("id", "status", "tracking_company", "tracking_number")),
    ("refunds", ("id",)),
)

REFUND: Fields = (
    # A transaction goes from pending to success within the same refund, and an embedded refund may
    # lack what a lone one spells out: neither makes it another refund. Lines and money would.
    "order_id",
    ("refund_line_items", ("line_item_id", "quantity")),
    ("transactions", ("id", "kind", "amount")),
    ("order_adjustments", ("kind", "amount", "tax_amount")),
)

CUSTOMER: Fields = (
    *("id", "email", "phone", "first_name", "last_name", "state", "note", "tags"),
    *("verified_email", "accepts_marketing"),
    ("email_marketing_consent", _CONSENT),
    ("sms_marketing_consent", _CONSENT),
    ("default_address", ("id", *_ADDRESS)),
    ("addresses", ("id", *_ADDRESS)),
)

_NUMBERS = frozenset(
    {"amount", "price", "quantity", "rate", "subtotal_price", "tax_amount", "total_discount"}
    | {"total_discounts", "total_price", "total_tax", "current_subtotal_price"}
    | {"current_total_discounts", "current_total_price", "current_total_tax"}
)
_json = json.JSONEncoder(separators=(",", ":"), sort_keys=True, default=str).encode
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")


def written(body: dict[str, Any], fields: Fields) -> bytes:
    """Give the content of a document: equal bytes exactly where every field means the same.

    Amounts are equal by value (``199``, ``199.00`` and ``"199.0"``), all else by its text.
    """
    return _json(_row(body, fields)).encode("utf-8")


def _row(body: dict[str, Any], fields: Fields) -> list[Any]:
    return [_cell(field, body) for field in fields]


def _cell(field: str | tuple[str, Fields], body: dict[str, Any]) -> Any:
    if isinstance(field, str):
        value = body.get(field)
        return _number(value) if field in _NUMBERS else _scalar(value)
    name, below = field
    value = body.get(name)
    if isinstance(value, dict):
        return _row(value, below)
    if isinstance(value, list):
        rows = [_row(each, below) if isinstance(each, dict) else _scalar(each) for each in value]
        return sorted(rows, key=_json)
    return _scalar(value)


def _scalar(value: Any) -> Any:
    """Ids come as numbers and as text, so that a number and its text are the same."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    return value


def _number(value: Any) -> Any:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return _scalar(value)
    if value == 0:
        return "0"
    text = plain(Decimal(value))
    return text.rstrip("0").rstrip(".") if "." in text else text

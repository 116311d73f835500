"""The neutral order mapped by hand: what ``order.yaml`` says, as one would write it in Python.

Absent and empty fields are left out, numbers become exact decimals, codes go through tables and
an unknown one is kept and reported, a time is read into what the source said and what it means.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

__all__ = ["order"]

_CHANNELS = {"web": "web", "pos": "store", "phone": "phone"}
_PAYMENTS = {"pending": "due", "paid": "paid", "voided": "voided"}

_HEAD = {"currency": "currency", "note": "note"}
_CUSTOMER = {"phone": "phone", "given_name": "first_name", "family_name": "last_name"}
_ADDRESS = {"name": "name", "city": "city", "postal_code": "zip", "country": "country_code"}


def order(body: dict[str, Any], unknown: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Map an order; unknown codes are appended to ``unknown`` as (target, table, raw)."""
    made: dict[str, Any] = {"life": "open", "fulfilment": "none"}
    if identifier := body.get("id"):
        made["id"] = _text(identifier)
    if number := body.get("name") or body.get("id"):
        made["number"] = _text(number)
    if source := body.get("source"):
        made["channel"] = _code(source, _CHANNELS, "channel", "channel", unknown)
    if state := body.get("payment_state"):
        made["payment"] = _code(state, _PAYMENTS, "payment", "payment", unknown)
    if created_at := body.get("created_at"):
        made["placed_at"] = _moment(created_at)
    for target, name in _HEAD.items():
        if value := body.get(name):
            made[target] = _text(value)
    for name in ("lines_total", "tax_total", "total"):
        amount = body.get(name)
        if amount is not None and amount != "":
            made[name] = _number(amount)
    if customer := _customer(body):
        made["customer"] = customer
    address = body.get("shipping_address")
    if address and (ship_to := _address(address)):
        made["ship_to"] = ship_to
    if lines := [line for item in body.get("line_items") or () if (line := _line(item))]:
        made["lines"] = lines
    return made


def _customer(body: dict[str, Any]) -> dict[str, Any]:
    source = body.get("customer") or {}
    made: dict[str, Any] = {}
    if email := source.get("email") or body.get("email"):
        made["email"] = _text(email)
    for target, name in _CUSTOMER.items():
        if value := source.get(name):
            made[target] = _text(value)
    return made


def _address(source: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for target, name in _ADDRESS.items():
        if value := source.get(name):
            made[target] = _text(value)
    lines = [_text(line) for name in ("address1", "address2") if (line := source.get(name))]
    if lines:
        made["lines"] = lines
    return made


def _line(source: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if identifier := source.get("id"):
        made["id"] = _text(identifier)
    if sku := source.get("sku"):
        made["item"] = [{"kind": "sku", "value": _text(sku)}]
    if title := source.get("title"):
        made["description"] = _text(title)
    quantity = source.get("quantity")
    if quantity is not None and quantity != "":
        made["quantity"] = _number(quantity)
    price = source.get("price")
    if price is not None and price != "":
        made["unit_price"] = _number(price)
    discount = source.get("discount")
    if discount is not None and discount != "":
        made["discount"] = _number(discount)
    return made


def _text(value: Any) -> str:
    return value if type(value) is str else str(value)


def _number(value: Any) -> Decimal:
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError("this is no finite decimal number")
    return number


def _moment(value: str) -> dict[str, str]:
    moment = datetime.fromisoformat(value)
    local, offset = value[:-6], value[-6:]
    utc = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"local": local, "offset": offset, "utc": utc, "zone_origin": "source"}


def _code(
    raw: str, table: dict[str, str], name: str, target: str, unknown: list[tuple[str, str, str]]
) -> str:
    found = table.get(raw)
    if found is None:
        unknown.append((target, name, raw))
        return f"unknown:{raw}"
    return found

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
_STREET = ("address1", "address2")
_PAYMENTS = {"pending": "due", "paid": "paid", "voided": "voided"}


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
    _money(body, made)
    if note := body.get("note"):
        made["note"] = _text(note)
    if customer := _customer(body):
        made["customer"] = customer
    address = body.get("shipping_address")
    if address and (ship_to := _address(address)):
        made["ship_to"] = ship_to
    if lines := [line for item in body.get("line_items") or () if (line := _line(item))]:
        made["lines"] = lines
    return made


def _money(body: dict[str, Any], made: dict[str, Any]) -> None:
    if currency := body.get("currency"):
        made["currency"] = _text(currency)
    lines_total = body.get("lines_total")
    if lines_total is not None and lines_total != "":
        made["lines_total"] = _number(lines_total)
    tax_total = body.get("tax_total")
    if tax_total is not None and tax_total != "":
        made["tax_total"] = _number(tax_total)
    total = body.get("total")
    if total is not None and total != "":
        made["total"] = _number(total)


def _customer(body: dict[str, Any]) -> dict[str, Any]:
    source = body.get("customer") or {}
    made: dict[str, Any] = {}
    if email := source.get("email") or body.get("email"):
        made["email"] = _text(email)
    if phone := source.get("phone"):
        made["phone"] = _text(phone)
    if given_name := source.get("first_name"):
        made["given_name"] = _text(given_name)
    if family_name := source.get("last_name"):
        made["family_name"] = _text(family_name)
    return made


def _address(source: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if name := source.get("name"):
        made["name"] = _text(name)
    if city := source.get("city"):
        made["city"] = _text(city)
    if postal_code := source.get("zip"):
        made["postal_code"] = _text(postal_code)
    if country := source.get("country_code"):
        made["country"] = _text(country)
    if lines := [_text(line) for name in _STREET if (line := source.get(name))]:
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
    utc = moment.astimezone(UTC).isoformat()[:19]
    return {"local": local, "offset": offset, "utc": f"{utc}Z", "zone_origin": "source"}


def _code(
    raw: str, table: dict[str, str], name: str, target: str, unknown: list[tuple[str, str, str]]
) -> str:
    found = table.get(raw)
    if found is None:
        unknown.append((target, name, raw))
        return f"unknown:{raw}"
    return found

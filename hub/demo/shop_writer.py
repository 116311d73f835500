"""Orders, refunds and customers of the invented shop as Shopify's webhooks send them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hub.demo.receipt import Tax
from hub.demo.retailer import CATALOGUE, Article, Person
from hub.demo.shop import SELLER, Order, OrderLine, Refund
from schemas.money import plain

__all__ = ["customer", "order", "refund"]

_FIRST_CUSTOMER = 8_400_000_000
_FIRST_ADDRESS = 8_500_000_000
_FIRST_PRODUCT = 3_600_000_000
_FIRST_VARIANT = 4_700_000_000
_FIRST_PAYMENT = 9_500_000_000
_SINCE = "2025-01-07T12:00:00+01:00"


def order(placed: Order, *, refunds: tuple[Refund, ...] = ()) -> bytes:
    """The body of ``orders/create``; with ``refunds``, that of a later ``orders/updated``."""
    body: dict[str, Any] = {
        "id": placed.id,
        "admin_graphql_api_id": f"gid://shopify/Order/{placed.id}",
        "name": f"#{placed.number}",
        "order_number": placed.number,
        "number": placed.number - 1000,
        "created_at": SELLER.instant(placed.placed_at).isoformat(),
        "processed_at": SELLER.instant(placed.placed_at).isoformat(),
        "updated_at": SELLER.instant(max([placed.placed_at, *(r.at for r in refunds)])).isoformat(),
        "cancelled_at": None,
        "cancel_reason": None,
        "closed_at": None,
        "test": False,
        "source_name": "web",
        "email": placed.person.email,
        "phone": None,
        "note": None,
        "tags": "",
        "buyer_accepts_marketing": placed.campaign is not None,
        "landing_site": f"/?utm_campaign={placed.campaign}" if placed.campaign else "/",
        "referring_site": "https://www.example.net/" if placed.campaign else None,
        "financial_status": "partially_refunded" if refunds else placed.payment,
        "fulfillment_status": None,
        "location_id": None,
        "user_id": None,
        **_amounts(placed),
        "line_items": [_line_item(line) for line in placed.lines],
        "shipping_lines": [_shipping_line(placed)],
        "billing_address": _address(placed.person),
        "shipping_address": _address(placed.person),
        "fulfillments": [],
        "refunds": [_refund(r) for r in refunds],
    }
    if not placed.guest:
        body["customer"] = _customer(placed.person)
    return _written(body)


def refund(given: Refund) -> bytes:
    """The body of ``refunds/create``: a refund that names its order and nothing else of it."""
    return _written(_refund(given))


def customer(shopper: Person) -> bytes:
    """The body of ``customers/create``."""
    return _written(_customer(shopper) | {"addresses": [_own_address(shopper)]})


def _written(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _amounts(placed: Order) -> dict[str, Any]:
    by_rate: dict[str, Tax] = {}
    for owed in placed.taxes:
        so_far = by_rate.get(owed.kind)
        amount = owed.amount + (so_far.amount if so_far else 0)
        taxable = owed.taxable + (so_far.taxable if so_far else 0)
        by_rate[owed.kind] = Tax(owed.kind, owed.percent, taxable, amount)
    code = f"EXAMPLE{placed.discount_percent}"
    return {
        "currency": SELLER.currency,
        "presentment_currency": SELLER.currency,
        "taxes_included": SELLER.tax_included,
        "total_line_items_price": plain(placed.subtotal + placed.discount),
        "total_discounts": plain(placed.discount),
        "subtotal_price": plain(placed.subtotal),
        "total_tax": plain(sum((owed.amount for owed in placed.taxes), Decimal(0))),
        "total_price": plain(placed.total),
        "tax_lines": [_tax_line(owed) for _, owed in sorted(by_rate.items()) if owed.amount],
        "discount_codes": [{"code": code, "amount": plain(placed.discount), "type": "percentage"}]
        * (placed.discount > 0),
    }


def _tax_line(owed: Tax) -> dict[str, Any]:
    # A rate is the one number that this shop does not send as text.
    return {
        "title": f"VAT {plain(owed.percent)} %",
        "price": plain(owed.amount),
        "rate": int(owed.percent) / 100,
    }


def _line_item(line: OrderLine) -> dict[str, Any]:
    row = _row(line.article)
    return {
        "id": line.id,
        "product_id": _FIRST_PRODUCT + row,
        "variant_id": _FIRST_VARIANT + row,
        "sku": line.article.sku,
        "title": line.article.name.title(),
        "name": line.article.name.title(),
        "variant_title": None,
        "quantity": line.quantity,
        "price": plain(line.unit_price),
        "total_discount": "0.00",
        "discount_allocations": [{"amount": plain(line.discount)}] * (line.discount > 0),
        "tax_lines": [_tax_line(line.tax)],
        "taxable": True,
        "requires_shipping": True,
        "gift_card": False,
        "fulfillment_status": None,
        "properties": [],
    }


def _row(article: Article) -> int:
    return CATALOGUE.index(article) + 1


def _shipping_line(placed: Order) -> dict[str, Any]:
    free = not placed.shipping
    return {
        "title": "Example Parcel, free" if free else "Example Parcel",
        "code": "parcel",
        "price": plain(placed.shipping),
        "tax_lines": [] if free else [_tax_line(placed.taxes[-1])],
    }


def _refund(given: Refund) -> dict[str, Any]:
    return {
        "id": given.id,
        "order_id": given.order.id,
        "created_at": SELLER.instant(given.at).isoformat(),
        "note": "did not fit the example",
        "user_id": None,
        "refund_line_items": [
            {
                "id": given.id + 100_000_000,
                "line_item_id": given.line.id,
                "quantity": given.quantity,
                "restock_type": "return",
                "subtotal": plain(given.amount),
                "total_tax": plain(given.tax),
                "line_item": _line_item(given.line),
            }
        ],
        "transactions": [
            {
                "id": _FIRST_PAYMENT + given.order.number,
                "order_id": given.order.id,
                "kind": "refund",
                "status": "success",
                "gateway": "bogus",
                "amount": plain(given.amount),
                "currency": SELLER.currency,
                "created_at": SELLER.instant(given.at).isoformat(),
            }
        ],
        "order_adjustments": [],
    }


def _customer(shopper: Person) -> dict[str, Any]:
    return {
        "id": _FIRST_CUSTOMER + shopper.number,
        "email": shopper.email,
        "phone": shopper.phone,
        "first_name": shopper.given_name,
        "last_name": shopper.family_name,
        "created_at": _SINCE,
        "updated_at": _SINCE,
        "state": "enabled",
        "verified_email": True,
        "accepts_marketing": shopper.number % 2 == 0,
        "note": None,
        "tags": "",
        "currency": SELLER.currency,
        "default_address": _own_address(shopper),
    }


def _own_address(shopper: Person) -> dict[str, Any]:
    return {
        "id": _FIRST_ADDRESS + shopper.number,
        "customer_id": _FIRST_CUSTOMER + shopper.number,
        **_address(shopper),
        "default": True,
    }


def _address(shopper: Person) -> dict[str, Any]:
    return {
        "first_name": shopper.given_name,
        "last_name": shopper.family_name,
        "name": f"{shopper.given_name} {shopper.family_name}",
        "company": None,
        "address1": shopper.street,
        "address2": None,
        "city": shopper.city,
        "zip": shopper.postal_code,
        "province": None,
        "country": "Austria" if shopper.country == "AT" else "United States",
        "country_code": shopper.country,
        "phone": shopper.phone,
    }

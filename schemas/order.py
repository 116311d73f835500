"""An Order: a promise with a life. Never revenue; that comes from Transactions."""

from __future__ import annotations

from typing import Literal

from schemas.address import Address
from schemas.identifier import Identifier
from schemas.model import Canonical, Code, Id, Text
from schemas.moment import Moment
from schemas.money import Amount, Currency, Money, Quantity, Rate

__all__ = [
    "Attribution",
    "Fulfilment",
    "FulfilmentLine",
    "Order",
    "OrderCustomer",
    "OrderDiscount",
    "OrderLine",
    "OrderTax",
    "Shipping",
]


class OrderCustomer(Canonical):
    """Who ordered, as far as the order itself says. An absent customer is a guest."""

    identifiers: tuple[Identifier, ...] = ()
    given_name: Text | None = None
    family_name: Text | None = None
    email: Text | None = None
    phone: Text | None = None


class OrderTax(Canonical):
    """Tax of one name and rate."""

    name: Text | None = None
    rate: Rate | None = None
    amount: Amount


class OrderDiscount(Canonical):
    """A reduction, as announced (``code``) or as computed."""

    code: Text | None = None
    kind: Code | None = None
    amount: Amount | None = None


class OrderLine(Canonical):
    """What was ordered. The quantity stays as ordered: a return is a Reversal beside it."""

    id: Id
    item: tuple[Identifier, ...] = ()
    description: Text | None = None
    quantity: Quantity
    unit_price: Amount
    presentment_price: Money | None = None
    discount: Amount | None = None
    taxes: tuple[OrderTax, ...] = ()
    gift_card: bool = False
    needs_shipping: bool | None = None
    fulfilment_status: Code | None = None


class Shipping(Canonical):
    """A way of delivery that the customer chose and what it costs."""

    name: Text | None = None
    code: Text | None = None
    amount: Amount
    taxes: tuple[OrderTax, ...] = ()


class FulfilmentLine(Canonical):
    """How many of an order line went out."""

    line: Id
    quantity: Quantity | None = None


class Fulfilment(Canonical):
    """A parcel, a pick-up: something that left for the customer."""

    id: Id
    status: Code | None = None
    created_at: Moment | None = None
    carrier: Text | None = None
    tracking: tuple[Text, ...] = ()
    lines: tuple[FulfilmentLine, ...] = ()


class Attribution(Canonical):
    """Where the customer came from."""

    landing: Text | None = None
    referrer: Text | None = None
    campaign: Text | None = None


class Order(Canonical):
    """A restatable snapshot of an order in its system.

    Three roles: ``channel`` is where the customer spoke, ``owner`` the system that can change the
    order, ``fulfilled_by`` who hands it over. Three status axes that move on their own.
    """

    system: Id
    id: Id
    number: Id
    channel: Code
    owner: Id | None = None
    fulfilled_by: Id | None = None
    placed_at: Moment
    updated_at: Moment | None = None
    cancelled_at: Moment | None = None
    closed_at: Moment | None = None
    cancel_reason: Code | None = None
    life: Literal["open", "closed", "cancelled"]
    payment: Code
    """``due pending authorized part_paid paid part_refunded refunded voided``."""
    fulfilment: Code
    """``none part done restocked``."""
    test: bool = False
    currency: Currency
    presentment_currency: Currency | None = None
    tax_included: bool = False
    customer: OrderCustomer | None = None
    bill_to: Address | None = None
    ship_to: Address | None = None
    lines: tuple[OrderLine, ...] = ()
    shipping: tuple[Shipping, ...] = ()
    taxes: tuple[OrderTax, ...] = ()
    discounts: tuple[OrderDiscount, ...] = ()
    fulfilments: tuple[Fulfilment, ...] = ()
    lines_total: Amount | None = None
    discount_total: Amount | None = None
    subtotal: Amount | None = None
    tax_total: Amount | None = None
    tip_total: Amount | None = None
    total: Amount
    presentment_total: Money | None = None
    attribution: Attribution | None = None
    store: Id | None = None
    note: Text | None = None
    tags: tuple[Text, ...] = ()

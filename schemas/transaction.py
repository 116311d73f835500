"""A Transaction: an immutable fact of a till. Revenue is counted from these and nothing else.

Sign rule: ``amount`` and ``quantity`` carry their effect on the total, so that a sale adds, a
return subtracts and the parts of a balanced Transaction sum up without knowing their kind.
``counts`` is false on a part that a source lists without it being part of the total (a line that
was cancelled, a tax already inside the price, the per-item detail of a summarised reward).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from schemas.identifier import Identifier
from schemas.model import Canonical, Code, Id, Text
from schemas.moment import Moment
from schemas.money import Amount, Currency, Money, Quantity, Rate

__all__ = [
    "Card",
    "ChargeLine",
    "DiscountLine",
    "ItemLine",
    "Line",
    "LinkKind",
    "RoundingLine",
    "TaxLine",
    "Tender",
    "Transaction",
    "TransactionLink",
    "TransactionRef",
]

LinkKind = Literal["return", "void", "resume", "exchange", "order", "other"]


class TransactionRef(Canonical):
    """Another Transaction as a source names it: by its place, by its own id, or by receipt."""

    store: Id | None = None
    workstation: Id | None = None
    business_date: date | None = None
    sequence: Id | None = None
    native_id: Id | None = None
    receipt: Id | None = None
    line: Id | None = None


class TransactionLink(Canonical):
    """Why this Transaction names another one. A link whose target has not arrived stays open."""

    kind: LinkKind
    reason: Text | None = None
    to: TransactionRef


class _Line(Canonical):
    number: Id
    amount: Amount
    counts: bool = True
    void: bool = False
    """The line was voided, or is itself the compensating line of a void."""
    entry: Code | None = None


class ItemLine(_Line):
    """Merchandise that changed hands. ``amount`` is after discounts of the line."""

    kind: Literal["sale", "return", "order_pick_up"]
    item: tuple[Identifier, ...] = ()
    description: Text | None = None
    department: Text | None = None
    quantity: Quantity
    unit: Code | None = None
    unit_price: Amount | None = None
    regular_price: Amount | None = None
    discount: Amount | None = None
    tax_included: bool | None = None
    reason: Text | None = None
    origin: TransactionRef | None = None
    """The sale that a return line undoes, where the source names it."""
    order: Id | None = None


class ChargeLine(_Line):
    """Money that is no merchandise: payment of an order, gift card load, deposit, fee."""

    kind: Literal["order_payment", "gift_card", "deposit", "fee"]
    description: Text | None = None
    reference: Id | None = None
    """Order number, gift card token or account that the money goes to."""


class DiscountLine(_Line):
    """A reduction of the whole basket or of named lines; negative when it helps the customer."""

    kind: Literal["discount"]
    promotion: Id | None = None
    coupon: Id | None = None
    description: Text | None = None
    scope: Code | None = None
    applies_to: tuple[Id, ...] = ()


class TaxLine(_Line):
    """Tax of one authority and rate over the whole Transaction."""

    kind: Literal["tax"]
    tax_id: Id | None = None
    taxable: Amount | None = None
    rate: Rate | None = None


class RoundingLine(_Line):
    """Cash rounding."""

    kind: Literal["rounding"]


Line = Annotated[
    ItemLine | ChargeLine | DiscountLine | TaxLine | RoundingLine, Field(discriminator="kind")
]


class Card(Canonical):
    """What may be known of a payment card: never more than the last four digits."""

    brand: Code | None = None
    type: Code | None = None
    last4: Annotated[str, Field(pattern=r"^[0-9]{1,4}$")] | None = None


class Tender(Canonical):
    """Money that changed hands. Change and cash-back are tenders of their own, negative."""

    number: Id
    kind: Code
    """``cash card gift_card voucher coupon cheque account loyalty mobile foreign_cash``."""
    role: Literal["payment", "change", "refund"] = "payment"
    code: Id | None = None
    """The source's own tender number."""
    amount: Amount
    counts: bool = True
    void: bool = False
    cash_back: Amount | None = None
    """How much of a card payment was asked for in cash; the cash itself is a change tender."""
    card: Card | None = None
    authorization: Id | None = None
    reference: Id | None = None
    foreign: Money | None = None
    exchange_rate: Rate | None = None


class Transaction(Canonical):
    """One receipt of one workstation. Its name is system, store, workstation, day, sequence."""

    system: Id
    store: Id
    workstation: Id
    business_date: date
    """From the source, never derived: a sale after midnight may belong to the day before."""
    sequence: Id
    native_id: Id | None = None
    receipt: Id | None = None
    operator: Id | None = None
    status: Literal["completed", "suspended", "cancelled", "post_void"] = "completed"
    training: bool = False
    offline: bool = False
    occurred_at: Moment
    began_at: Moment | None = None
    currency: Currency
    tax_included: bool = False
    total: Amount
    tax: Amount | None = None
    """The source's own tax total, kept beside the tax lines it may disagree with."""
    lines: tuple[Line, ...] = ()
    tenders: tuple[Tender, ...] = ()
    customers: tuple[Identifier, ...] = ()
    links: tuple[TransactionLink, ...] = ()
    note: Text | None = None

    @property
    def is_revenue(self) -> bool:
        """Whether the total may be counted: completed, and not a cashier in training."""
        return self.status == "completed" and not self.training

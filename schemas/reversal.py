"""A Reversal: a return or refund that stands beside its order and names its lines."""

from __future__ import annotations

from typing import Literal

from schemas.model import Canonical, Code, Id, Text
from schemas.moment import Moment
from schemas.money import Amount, Currency, Quantity

__all__ = ["Reversal", "ReversalAdjustment", "ReversalLine", "ReversalPayment"]


class ReversalLine(Canonical):
    """Part of an order line taken back. Amounts are positive: the word says the direction."""

    id: Id | None = None
    order_line: Id
    quantity: Quantity
    amount: Amount | None = None
    """What the source says this line is worth in the reversal, where it says so."""
    unit_price: Amount | None = None
    tax: Amount | None = None
    restock: Code | None = None


class ReversalAdjustment(Canonical):
    """Money given back or kept that belongs to no line, such as shipping."""

    kind: Code | None = None
    reason: Text | None = None
    amount: Amount
    """Negative where it is given back, positive where it is kept."""
    tax: Amount | None = None


class ReversalPayment(Canonical):
    """Money on its way back to the customer."""

    id: Id
    kind: Code
    status: Code | None = None
    amount: Amount
    currency: Currency | None = None
    gateway: Text | None = None
    created_at: Moment | None = None


class Reversal(Canonical):
    """A child of its order by source id, whichever of the two arrives first.

    Without a currency of its own it is in the currency of its order.
    """

    system: Id
    id: Id
    order: Id
    kind: Literal["refund", "return"] = "refund"
    created_at: Moment
    currency: Currency | None = None
    reason: Text | None = None
    operator: Id | None = None
    lines: tuple[ReversalLine, ...] = ()
    adjustments: tuple[ReversalAdjustment, ...] = ()
    payments: tuple[ReversalPayment, ...] = ()

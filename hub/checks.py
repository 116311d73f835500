"""Does a document agree with itself? What does not is accepted and flagged, never mended."""

from __future__ import annotations

from decimal import Decimal

from connectors.manifest import Balance, Manifest
from schemas.envelope import Flag
from schemas.model import Canonical
from schemas.money import plain
from schemas.order import Order
from schemas.problem import Cause
from schemas.reversal import Reversal
from schemas.transaction import Transaction

__all__ = ["CONTRADICTION", "UNBALANCED", "check"]

UNBALANCED = Cause(
    "LP-CHK-001",
    "The parts of the transaction do not add up to its total.",
    "Look at the lines and tenders; if the mapping misses one, mend it and replay.",
)
CONTRADICTION = Cause(
    "LP-CHK-002",
    "Two amounts of the document contradict each other.",
    "Ask the sending system which one holds.",
)

_ZERO = Decimal(0)
_FAILED = ("failure", "error")


def check(document: Canonical, manifest: Manifest) -> list[Flag]:
    """Flags for everything in a document that contradicts itself."""
    if isinstance(document, Transaction):
        return _transaction(document, manifest.balance) if manifest.balance else []
    if isinstance(document, Order):
        return _order(document)
    if isinstance(document, Reversal):
        return _reversal(document)
    return []


def _differ(cause: Cause, path: str, said: Decimal, what: str, found: Decimal) -> list[Flag]:
    if said == found:
        return []
    detail = f"{path} is {plain(said)}, but {what} is {plain(found)}"
    return [Flag(code=cause.code, path=path, detail=detail)]


def _transaction(document: Transaction, rule: Balance) -> list[Flag]:
    """A basket that was suspended or cancelled has no tenders to balance against."""
    if document.status != "completed":
        return []
    flags = []
    if rule.lines:
        lines = sum((i.amount for i in document.lines if i.counts and i.kind in rule.lines), _ZERO)
        flags += _differ(UNBALANCED, "total", document.total, "the sum of the lines", lines)
    if rule.tenders:
        tenders = sum((t.amount for t in document.tenders if t.counts), _ZERO)
        flags += _differ(UNBALANCED, "total", document.total, "the sum of the tenders", tenders)
    return flags


def _order(order: Order) -> list[Flag]:
    flags = []
    lines = sum((line.unit_price * line.quantity for line in order.lines), _ZERO)
    lines_total = lines if order.lines_total is None else order.lines_total
    discount = order.discount_total or _ZERO
    flags += _differ(CONTRADICTION, "lines_total", lines_total, "quantity times price", lines)
    if order.subtotal is not None:
        found = lines_total - discount
        flags += _differ(CONTRADICTION, "subtotal", order.subtotal, "lines less discount", found)
        extra = _ZERO if order.tax_included else order.tax_total or _ZERO
        found = order.subtotal + extra + sum((s.amount for s in order.shipping), _ZERO)
        found += order.tip_total or _ZERO
        flags += _differ(CONTRADICTION, "total", order.total, "the sum of its parts", found)
    if order.tax_total is not None and order.taxes:
        found = sum((tax.amount for tax in order.taxes), _ZERO)
        flags += _differ(CONTRADICTION, "tax_total", order.tax_total, "the sum of taxes", found)
    announced = sum((d.amount or _ZERO for d in order.discounts), _ZERO)
    if announced > discount:
        what = "the sum of the discounts"
        flags += _differ(CONTRADICTION, "discount_total", discount, what, announced)
    return flags


def _reversal(reversal: Reversal) -> list[Flag]:
    """Only what was paid back can be compared, and only where the lines say what they are worth."""
    paid = [p.amount for p in reversal.payments if p.kind == "refund" and p.status not in _FAILED]
    worth = [_worth(line.amount, line.unit_price, line.quantity) for line in reversal.lines]
    if not paid or not worth or any(w is None for w in worth):
        return []
    extra = sum((a.amount + (a.tax or _ZERO) for a in reversal.adjustments), _ZERO)
    gross = sum((w for w in worth if w is not None), _ZERO) - extra
    net = gross + sum((line.tax or _ZERO for line in reversal.lines), _ZERO)
    total = sum(paid, _ZERO)
    # A refund alone does not say whether its prices include the tax.
    if total == gross:
        return []
    return _differ(CONTRADICTION, "payments", total, "the worth of the lines", net)


def _worth(amount: Decimal | None, price: Decimal | None, quantity: Decimal) -> Decimal | None:
    if amount is not None:
        return amount
    return None if price is None else price * quantity

"""The ledger: what an invented day amounts to, known before any hub has seen a byte of it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from hub.demo.receipt import Control, Receipt
from hub.demo.shop import SELLER, Order, Refund

__all__ = ["Ledger", "tally"]

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Counts and sums of what was written. Revenue is ``totals`` alone: orders are promises."""

    transactions: int
    controls: int
    orders: int
    refunds: int
    totals: Mapping[str, Decimal]
    """Receipts by currency."""
    store_totals: Mapping[tuple[str, str], Decimal]
    """Receipts by store and currency."""
    order_totals: Mapping[str, Decimal]
    """Orders as placed, by currency."""
    refund_totals: Mapping[str, Decimal]
    """Money paid back by the shop, by currency; positive."""


def tally(
    entries: Iterable[Control | Receipt] = (),
    orders: Iterable[Order] = (),
    refunds: Iterable[Refund] = (),
) -> Ledger:
    """Sum up what was written; each thing is given once, however often it was sent."""
    entries, orders, refunds = tuple(entries), tuple(orders), tuple(refunds)
    receipts = [entry for entry in entries if isinstance(entry, Receipt)]
    return Ledger(
        transactions=len(receipts),
        controls=len(entries) - len(receipts),
        orders=len(orders),
        refunds=len(refunds),
        totals=_sums((r.store.currency, r.total) for r in receipts),
        store_totals=_sums(((r.store.number, r.store.currency), r.total) for r in receipts),
        order_totals=_sums((SELLER.currency, order.total) for order in orders),
        refund_totals=_sums((SELLER.currency, refund.amount) for refund in refunds),
    )


def _sums(amounts: Iterable[tuple[K, Decimal]]) -> dict[K, Decimal]:
    sums: dict[K, Decimal] = {}
    for key, amount in amounts:
        sums[key] = sums.get(key, Decimal(0)) + amount
    return dict(sorted(sums.items(), key=lambda item: str(item[0])))

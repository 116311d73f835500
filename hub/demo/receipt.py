"""What a till numbers: receipts and control entries, as plain values free of any format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from hub.demo.retailer import Article, Operator, Store, TaxClass

__all__ = [
    "Control",
    "Entry",
    "Key",
    "Line",
    "Loyalty",
    "Receipt",
    "Reward",
    "Tax",
    "Tender",
    "cents",
    "tax",
    "taxes_of",
    "total_of",
]

Key = tuple[str, str, str, str]
"""Store, workstation, business date and sequence number: what names a till's fact."""

_CENT = Decimal("0.01")
_HUNDRED = Decimal(100)


def cents(amount: Decimal) -> Decimal:
    """Round to two places, halves away from zero, as a cash register does."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Reward:
    """A percentage off a line, given on the item or on the whole receipt of a member."""

    level: Literal["Item", "Transaction"]
    percent: int
    amount: Decimal
    """Zero or negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An article on the receipt; a return has a negative quantity and amount.

    ``amount`` is before the reward. A voided line counts for nothing, however a format shows it.
    """

    article: Article
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    entry: Literal["Scanned", "Keyed"] = "Scanned"
    voided: bool = False
    reward: Reward | None = None

    @property
    def net(self) -> Decimal:
        """What the line adds to the total: after its reward, nothing if voided."""
        if self.voided:
            return Decimal(0)
        return self.amount + (self.reward.amount if self.reward else Decimal(0))


@dataclass(frozen=True, slots=True)
class Tax:
    """Tax of one rate; ``taxable`` excludes it where prices exclude it."""

    kind: TaxClass
    percent: Decimal
    taxable: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tender:
    """Money that changed hands: negative when it left the drawer."""

    kind: Literal["cash", "card"]
    amount: Decimal
    change: bool = False
    cash_back: Decimal | None = None
    authorization: str | None = None


@dataclass(frozen=True, slots=True)
class Loyalty:
    """The card that was shown, and the household it claims; empty where it claims none."""

    card: str
    household: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One number of a till's journal roll. ``at`` is the store's wall clock."""

    store: Store
    till: str
    business_date: date
    sequence: int
    at: datetime
    operator: Operator

    @property
    def key(self) -> Key:
        """The fact that this entry is."""
        return (self.store.number, self.till, self.business_date.isoformat(), str(self.sequence))


@dataclass(frozen=True, slots=True, kw_only=True)
class Control(Entry):
    """A number used up without a sale."""

    kind: Literal["sign_on", "sign_off", "no_sale"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Entry):
    """A sale or return that balances: lines and taxes add up to what the tenders add up to."""

    lines: tuple[Line, ...]
    tenders: tuple[Tender, ...]
    loyalty: Loyalty | None = None
    returns: Key | None = None
    """The receipt that the returned lines were bought on."""

    @property
    def taxes(self) -> tuple[Tax, ...]:
        """Taxes over the whole receipt, one a rate, none that is zero."""
        return taxes_of(self.lines, store=self.store)

    @property
    def total(self) -> Decimal:
        """What the customer had to pay; negative where money went back."""
        return total_of(self.lines, store=self.store)


def taxes_of(lines: Iterable[Line], *, store: Store) -> tuple[Tax, ...]:
    """The taxes of lines sold in a store."""
    by_kind: dict[TaxClass, Decimal] = {}
    for line in lines:
        by_kind[line.article.tax] = by_kind.get(line.article.tax, Decimal(0)) + line.net
    taxes = (tax(kind, amount, store=store) for kind, amount in sorted(by_kind.items()))
    return tuple(t for t in taxes if t.amount)


def tax(kind: TaxClass, amount: Decimal, *, store: Store) -> Tax:
    """The tax on an amount at that store's prices, which may include it."""
    percent = store.tax_percent[kind]
    share = percent / (_HUNDRED + percent) if store.tax_included else percent / _HUNDRED
    owed = cents(amount * share)
    return Tax(kind, percent, amount - owed if store.tax_included else amount, owed)


def total_of(lines: Iterable[Line], *, store: Store) -> Decimal:
    """The total of lines sold in a store, with the taxes that its prices leave out."""
    lines = tuple(lines)
    added = () if store.tax_included else taxes_of(lines, store=store)
    return sum((line.net for line in lines), Decimal(0)) + sum(
        (t.amount for t in added), Decimal(0)
    )

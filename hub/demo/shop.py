"""The retailer's web shop: orders and refunds of an invented day, as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Literal

from hub.demo.dice import Dice
from hub.demo.receipt import Tax, cents, tax
from hub.demo.retailer import CATALOGUE, VIENNA, Article, Person, person
from hub.demo.till import BUSINESS_DATE, KNOWN_CUSTOMERS, REGULAR_CUSTOMERS

__all__ = ["SELLER", "Order", "OrderLine", "Refund", "orders", "refund"]

SELLER = VIENNA
"""The shop sells at Vienna's prices, in euro, tax included."""

# Ten digits: long enough for an id of 64 bits, too short for the number of a payment card.
_FIRST_ORDER = 5_100_000_000
_FIRST_LINE = 6_200_000_000
_FIRST_REFUND = 7_300_000_000
_LINES_MAX = 100

_SHIPPABLE = tuple(article for article in CATALOGUE if not article.weighed)
_SECONDS_AN_ORDER = 40
_ORDERS_A_DAY = 2000
_SHIPPING = Decimal("4.90")
_FREE_SHIPPING_FROM = Decimal(60)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """Pieces of an article; ``discount`` is positive and over all pieces."""

    id: int
    article: Article
    quantity: int
    unit_price: Decimal
    discount: Decimal

    @property
    def amount(self) -> Decimal:
        """What the customer pays for the line, tax included."""
        return self.unit_price * self.quantity - self.discount

    @property
    def tax(self) -> Tax:
        """The tax inside the amount."""
        return tax(self.article.tax, self.amount, store=SELLER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as the shop first tells of it; ``placed_at`` is a wall clock in the seller's zone.

    A guest has left an address but has no account.
    """

    id: int
    number: int
    placed_at: datetime
    person: Person
    guest: bool
    lines: tuple[OrderLine, ...]
    discount_percent: int
    payment: Literal["authorized", "paid", "pending"]
    campaign: str | None

    @property
    def subtotal(self) -> Decimal:
        """The lines after their discounts."""
        return sum((line.amount for line in self.lines), Decimal(0))

    @property
    def discount(self) -> Decimal:
        """All discounts; positive."""
        return sum((line.discount for line in self.lines), Decimal(0))

    @property
    def shipping(self) -> Decimal:
        """What delivery costs, tax included."""
        return Decimal("0.00") if self.subtotal >= _FREE_SHIPPING_FROM else _SHIPPING

    @property
    def taxes(self) -> tuple[Tax, ...]:
        """The tax inside every line and inside the shipping."""
        shipping = tax("standard", self.shipping, store=SELLER)
        return (*(line.tax for line in self.lines), shipping)

    @property
    def total(self) -> Decimal:
        """What the customer pays in all."""
        return self.subtotal + self.shipping


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """One piece of an order's first line, taken back and paid back."""

    id: int
    order: Order
    at: datetime
    line: OrderLine
    quantity: int
    amount: Decimal
    tax: Decimal


def orders(n: int, *, seed: int) -> Iterator[Order]:
    """``n`` orders with rising numbers, the first one #1001."""
    for index in range(n):
        yield _order(index, Dice("shop", seed, index))


def refund(order: Order, *, after: timedelta = timedelta(hours=3)) -> Refund:
    """The refund of one piece of the first line, the same on every call."""
    line = order.lines[0]
    amount = cents(line.amount / line.quantity)
    return Refund(
        id=_FIRST_REFUND + order.number,
        order=order,
        at=order.placed_at + after,
        line=line,
        quantity=1,
        amount=amount,
        tax=tax(line.article.tax, amount, store=SELLER).amount,
    )


def _order(index: int, dice: Dice) -> Order:
    days, position = divmod(index, _ORDERS_A_DAY)
    morning = datetime.combine(BUSINESS_DATE, time(0, 10)) + timedelta(days=days)
    percent = 10 if dice.percent(25) else 0
    return Order(
        id=_FIRST_ORDER + index,
        number=1001 + index,
        placed_at=morning + timedelta(seconds=position * _SECONDS_AN_ORDER + dice.below(30)),
        person=person(dice.below(dice.pick((REGULAR_CUSTOMERS, KNOWN_CUSTOMERS)))),
        guest=dice.percent(30),
        lines=tuple(
            _line(_FIRST_LINE + index * _LINES_MAX + position, dice, percent)
            for position in range(dice.between(1, 5))
        ),
        discount_percent=percent,
        payment=dice.pick(("paid", "paid", "paid", "authorized", "pending")),
        campaign="example-spring" if dice.percent(40) else None,
    )


def _line(number: int, dice: Dice, percent: int) -> OrderLine:
    article = dice.pick(_SHIPPABLE)
    price = article.price[SELLER.currency]
    quantity = dice.pick((1, 1, 1, 2, 3))
    return OrderLine(
        id=number,
        article=article,
        quantity=quantity,
        unit_price=price,
        discount=cents(price * quantity * percent / 100),
    )

"""The demo's day as values: what will be sent, and what must come of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from hub.demo import poslog_writer, shop, shop_writer, till
from hub.demo.ledger import Ledger, tally
from hub.demo.receipt import Control, Loyalty, Receipt, Tender, total_of
from hub.demo.retailer import NEW_YORK, VIENNA, Person, Store, person

__all__ = [
    "SHOPPER",
    "STORES",
    "Book",
    "Day",
    "account",
    "altered",
    "fact",
    "file",
    "invent",
    "late_orders",
    "ring_up",
]

SEED = 7
ORDERS = 12
LATE_ORDERS = 8
STORES = (VIENNA, NEW_YORK)
SHOPPER = person(4713)
"""Comes to a till, to the shop and to the phone; no till of the day has seen this card before."""

Roll = tuple[Control | Receipt, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """Everything that will be sent.

    ``broken`` is the sale that loses its total on the way, ``changed`` the one whose number comes
    twice with another amount, ``known`` the sale with the shopper's card.
    """

    rolls: dict[str, Roll]
    broken: Receipt
    changed: Receipt
    known: Receipt
    orders: tuple[shop.Order, ...]
    refund: shop.Refund
    bought: shop.Order
    """The shopper's own order."""


@dataclass(slots=True)
class Book:
    """What has been sent so far and must count, once: the oracle, which never asks the hub."""

    entries: list[Control | Receipt] = field(default_factory=list)
    orders: list[shop.Order] = field(default_factory=list)
    refunds: list[shop.Refund] = field(default_factory=list)
    others: set[str] = field(default_factory=set)
    """Facts of people: accounts, calls, visits."""

    def ledger(self) -> Ledger:
        """What it amounts to."""
        return tally(self.entries, self.orders, self.refunds)

    def facts(self) -> set[str]:
        """The names of all of it."""
        found = {fact(each) for each in (*self.entries, *self.orders, *self.refunds)}
        return found | self.others


def invent() -> Day:
    """The same day on every machine."""
    rolls = {store.number: till.day(store, seed=SEED) for store in STORES}
    roll = rolls[NEW_YORK.number]
    returned = {e.returns for e in roll if isinstance(e, Receipt)}
    plain = [
        e
        for e in roll
        if isinstance(e, Receipt) and not (e.returns or e.loyalty or e.key in returned)
    ]
    known = replace(plain[0], loyalty=Loyalty(SHOPPER.card))
    rolls[NEW_YORK.number] = tuple(known if e is plain[0] else e for e in roll)
    orders = tuple(shop.orders(ORDERS + 1, seed=SEED))
    bought = replace(orders[-1], person=SHOPPER, guest=True)
    return Day(rolls, plain[2], plain[4], known, orders[:-1], shop.refund(orders[4]), bought)


def late_orders() -> list[shop.Order]:
    """Orders that come in while the hub is killed."""
    return list(shop.orders(ORDERS + 1 + LATE_ORDERS, seed=SEED))[ORDERS + 1 :]


def fact(sent: Control | Receipt | shop.Order | shop.Refund) -> str:
    """The name by which the hub must know it."""
    if isinstance(sent, shop.Order):
        return f"shopify:order/{sent.id}"
    if isinstance(sent, shop.Refund):
        return f"shopify:refund/{sent.id}"
    return f"poslog:{'/'.join(sent.key)}"


def file(entries: Iterable[Control | Receipt], *, broken: Receipt | None = None) -> bytes:
    """A file as the till of a store writes it; the sale that is ``broken`` has no total."""
    listed = tuple(entries)
    pieces = (
        poslog_writer.without_total(e)
        if isinstance(e, Receipt) and e is broken
        else poslog_writer.transaction(e)
        for e in listed
    )
    return b"".join(poslog_writer.document(pieces, dialect=listed[0].store.dialect))


def ring_up(store: Store, number: int, *, at: str, card: str = "") -> Receipt:
    """Sale ``number``, from 1 on, at a till that the day itself does not use."""
    drawn = till.sale(number, seed=SEED, store=store, lines=3)
    return replace(drawn, till=at, sequence=number, loyalty=Loyalty(card) if card else None)


def altered(receipt: Receipt) -> Receipt:
    """Another receipt under the same number: its last line is missing."""
    lines = receipt.lines[:-1]
    paid = Tender(kind="cash", amount=total_of(lines, store=receipt.store))
    return replace(receipt, lines=lines, tenders=(paid,))


def account(shopper: Person) -> bytes:
    """The shop's customer, who has told the shop their card."""
    told: dict[str, Any] = json.loads(shop_writer.customer(shopper))
    told["metafields"] = [{"namespace": "crm", "key": "loyalty_card", "value": shopper.card}]
    return json.dumps(told).encode()

"""Sales of everybody: anonymous, known and new customers, and the traps that tills set.

Of the customers 40 % are anonymous, 35 % known, 15 % new, and 10 % are traps. The known ones have
an account in the shop, which says their card and their phone. ``meant`` is the ledger: who every
sale is of, written down before a hub sees any.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from bench.sale import SEED
from hub.demo import poslog_writer, shop_writer, till
from hub.demo.dice import Dice
from hub.demo.receipt import Loyalty, Receipt
from hub.demo.retailer import NEW_YORK, Person, person

__all__ = [
    "KNOWN",
    "SETTINGS",
    "File",
    "Sale",
    "account",
    "accounts",
    "files",
    "meant",
    "receipt",
    "shown",
]

KNOWN = 2_000
"""So many have an account, by their numbers from 0 on."""

_FIRST_ACCOUNT = 8_400_000_000
_WALK_IN = "8999999"
SETTINGS = f"""
[people]
walk_in_cards = ["{_WALK_IN}"]
"""
"""What the retailer says of itself: which card lies beside the till."""

_RECYCLED = 20
"""The accounts below this number lost their card to the account that follows."""
_HOUSEHOLDS = 200
"""The accounts from ``_RECYCLED`` to this number have their phone in common, two and two."""
_WIDTH = 31

Who = Literal["nobody", "member", "recycled"]
Kind = Literal[
    "anonymous", "known", "new", "no card", "walk-in card", "household", "spelling", "phone", "card"
]
_TRAPS: tuple[Kind, ...] = ("no card", "walk-in card", "household", "spelling", "phone", "card")


@dataclass(frozen=True, slots=True)
class Sale:
    """A sale as the ledger has it: whose it is, if it is anybody's, and which kind of customer.

    ``who`` is ``recycled`` where two accounts say that the card is theirs: then it is neither's.
    """

    index: int
    kind: Kind
    who: Who
    number: int | None = None


@lru_cache(maxsize=100_000)
def meant(index: int) -> Sale:
    """Whose the sale of that number is."""
    dice = Dice("mix", SEED, index)
    draw = dice.below(100)
    if draw < 40:
        return Sale(index, "anonymous", "nobody")
    if draw < 75:
        return Sale(index, "known", "member", dice.between(_HOUSEHOLDS, KNOWN - 1))
    if draw < 90:
        return Sale(index, "new", "member", KNOWN + index)
    return _trap(index, dice.pick(_TRAPS), dice)


def _trap(index: int, kind: Kind, dice: Dice) -> Sale:
    if kind in ("no card", "walk-in card"):
        return Sale(index, kind, "nobody")
    if kind == "phone":
        return Sale(index, kind, "member", dice.between(_RECYCLED, _HOUSEHOLDS - 1))
    if kind == "card":
        # The even ones of the recycled cards: the odd account that follows has it now.
        return Sale(index, kind, "recycled", 2 * dice.below(_RECYCLED // 2))
    return Sale(index, kind, "member", dice.between(_HOUSEHOLDS, KNOWN - 1))


def receipt(index: int) -> Receipt:
    """The sale as a till rings it up: ten lines, and the customer that the ledger means."""
    rung = till.sale(index, seed=SEED, store=NEW_YORK)
    return replace(rung, loyalty=shown(meant(index)))


def shown(sale: Sale) -> Loyalty | None:
    """What stands on the receipt of its customer."""
    if sale.number is not None:
        shopper = person(sale.number)
        if sale.kind == "household":
            return Loyalty(shopper.card, person(sale.number + 2).household)
        # The same number with more zeros before it than any till writes.
        card = shopper.card.zfill(_WIDTH) if sale.kind == "spelling" else shopper.card
        return Loyalty(card, shopper.household)
    return {"no card": Loyalty("0"), "walk-in card": Loyalty(_WALK_IN)}.get(sale.kind)


@dataclass(frozen=True, slots=True)
class File:
    """A document of some sales, and what they bring in."""

    body: bytes
    sales: int
    total: Decimal


def files(first: int, count: int, *, each: int) -> Iterator[File]:
    """The sales from ``first`` on, ``count`` of them, in documents of ``each`` at most."""
    for start in range(first, first + count, each):
        numbers = range(start, min(start + each, first + count))
        rung = [receipt(number) for number in numbers]
        written = [poslog_writer.transaction(one, detail="lean") for one in rung]
        total = sum((one.total for one in rung), Decimal(0))
        yield File(b"".join(poslog_writer.document(written, dialect="v2")), len(rung), total)


def accounts() -> Iterator[bytes]:
    """The accounts of everybody who is known, as the shop sends them."""
    for number in range(KNOWN):
        shopper = _account(number)
        card = {"namespace": "crm", "key": "loyalty_card", "value": shopper.card}
        told = json.loads(shop_writer.customer(shopper))
        yield json.dumps({**told, "metafields": [card]}, ensure_ascii=False).encode()


def account(number: int | None) -> str:
    """The fact that the account of somebody known is."""
    return f"shopify:customer/{_FIRST_ACCOUNT + (number or 0)}"


def _account(number: int) -> Person:
    """There is no area code 200 in North America."""
    shopper = person(number)
    phone = number - number % 2 if _RECYCLED <= number < _HOUSEHOLDS else number
    card = person(number - number % 2).card if number < _RECYCLED else shopper.card
    return replace(shopper, phone=f"+1200{phone:07d}", card=card)

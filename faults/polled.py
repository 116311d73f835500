"""kill -9 of a hub that polls a shop: what it has in the end of what the shop has.

The ledger is the shop's own: every order as it stands last, each of which the hub must have read
once for each time that it changed or less, and never an earlier state after a later one.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

from sqlalchemy import select

from faults.house import House
from faults.ledger import Verdict, opened, pending
from hub.store.tables import document, message
from tests.e2e.store import asked
from tests.hub.polling.conftest import described, of
from tests.hub.polling.shop import Shop, open_shop

__all__ = ["polled"]

_PORTION = 500
_PER_PAGE = 100
_CHANGED = 20
"""One order in so many changes after it was placed."""
_OVERLAP_SECONDS = 1.0
_EVERY_SECONDS = 0.1
_MOMENT_SECONDS = 0.2
_QUIET_CALLS = 30
_QUIET_SECONDS = 120.0
_PATIENCE_SECONDS = 600.0
_POLL_SECONDS = 0.02


def polled(folder: Path, messages: int, variant: str, dice: Random) -> Verdict:
    """What a hub holds in the end of the orders that a shop has."""
    with open_shop() as shop:
        shop.per_page = _PER_PAGE
        chosen = of(shop, every_seconds=_EVERY_SECONDS, overlap_seconds=_OVERLAP_SECONDS)
        house = House(folder, variant, settings=described("shop", **chosen))
        try:
            harms = _harm(house, shop, messages, dice)
            _rest(house, shop)
        finally:
            house.kill()
        return replace(_judged(house, shop), harms=harms)


def _harm(house: House, shop: Shop, orders: int, dice: Random) -> int:
    """Have the shop sell, and kill the hub in the middle of what it reads of that; give how often
    that was.
    """
    harms = 0
    versions: Counter[int] = Counter()
    while len(shop.orders) < orders:
        shop.place(min(_PORTION, orders - len(shop.orders)))
        with shop.lock:
            changed = dice.sample(sorted(shop.orders), len(shop.orders) // (_CHANGED * 10) + 1)
            for number in changed:
                versions[number] += 1
                shop.change(number, note=f"version {versions[number]}")
        _reads(house, shop, dice)
        time.sleep(dice.uniform(0, _MOMENT_SECONDS))
        house.kill()
        harms += 1
    return harms


def _reads(house: House, shop: Shop, dice: Random) -> None:
    """Let it come so far that a page is made or, as often, that the hub says it has read one."""
    looks: tuple[Callable[[], int], ...] = (lambda: len(shop.calls), lambda: _seen(house))
    look = dice.choice(looks)
    at, until = look() + dice.randint(1, _PORTION // _PER_PAGE), time.monotonic() + _QUIET_SECONDS
    while look() < at and time.monotonic() < until:
        house.start()
        time.sleep(_POLL_SECONDS)


def _seen(house: House) -> int:
    """How many pages it says that it has read."""
    [(seen,)] = asked(house.home.path, "SELECT coalesce(sum(seen), 0) FROM poll")
    return int(seen) // _PER_PAGE


def _rest(house: House, shop: Shop) -> None:
    """Let it read, without harm, until it has read the newest again and again, and settled it."""
    until = time.monotonic() + _PATIENCE_SECONDS
    before = len(shop.calls) + len(shop.orders) // _PER_PAGE
    while len(shop.calls) < before + _QUIET_CALLS or pending(house.home):
        house.start()
        if time.monotonic() > until:
            raise AssertionError("it does not settle")
        time.sleep(0.5)


def _version(body: dict[str, object]) -> int:
    return int(str(body.get("note") or "version 0").removeprefix("version "))


def _judged(house: House, shop: Shop) -> Verdict:
    expected = {f"shopify:order/{number}": _version(body) for number, body in shop.orders.items()}
    with opened(house.home) as connection:
        orders = select(document.c.fact, document.c.body).where(document.c.kind == "Order")
        held = {fact: _version(json.loads(body)) for fact, body in connection.execute(orders)}
        each = message.c
        journal = select(each.fact, each.digest).where(each.state == "applied")
        read = connection.execute(journal.order_by(each.settled_at, each.id)).all()
    times = Counter((fact, digest) for fact, digest in read)
    return Verdict(
        messages=len(expected),
        lost=sum(held.get(fact) is None for fact in expected),
        doubled=sum(count - 1 for count in times.values()) + len(held.keys() - expected.keys()),
        out_of_order=sum(held.get(fact, last) != last for fact, last in expected.items()),
    )

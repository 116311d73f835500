"""What a visitor does from another terminal while the demo waits, and how the demo hears of it.

A link is cut as long as a file of the store's name lies in the folder ``cut``; how links really
stand is written down by the demo alone, in ``demo.json``, which is there once visitors may come.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from hub import home as homes
from hub import lock
from hub.demo import day as days
from hub.demo import shop, shop_writer
from hub.demo.day import SHOPPER, STORES
from hub.demo.desk import comes
from hub.demo.retailer import Store
from hub.demo.stage import Place, Stage
from hub.demo.webhook import Webhook, call_fact
from hub.home import Home
from schemas.problem import Cause, ConfigError, Unavailable

__all__ = ["PREFIX", "Seen", "call", "cut", "find", "host", "mend", "order", "sale", "store_of"]

NO_DEMO = Cause(
    "LP-CLI-023",
    "No demo waits for visitors.",
    "Start one with `lynchpin demo` in another terminal. One with a folder of its own is found by "
    "`lynchpin demo --home FOLDER`.",
)
NO_STORE = Cause(
    "LP-CLI-024",
    "The demo has no such store.",
    "Name one of those that it has.",
)
NO_ANSWER = Cause(
    "LP-CLI-025",
    "The demo did not do what was asked.",
    "Look into the terminal that it runs in; if it does not answer any more, start it again.",
)

PREFIX = "lynchpin-demo-"
"""What the names of demos' folders begin with."""
_STATE = "demo.json"
_TILL = "7"
_FIRST_ORDER = 100
_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that a visitor did: its fact, and after how long the hub knew it, if it does."""

    fact: str
    what: str
    seconds: float | None


def host(stage: Stage, tell: Callable[[str], None]) -> None:
    """Cut and mend links as visitors ask, until interrupted.

    Raises ``Unavailable`` if a program ends that nobody told to.
    """
    place = stage.place
    for name in ("cut", "visits"):
        (place.folder / name).mkdir(mode=0o700)
    links = {store.number: True for store in STORES}
    _write(place, links)
    while True:
        stage.check()
        for store, whole in links.items():
            wanted = not _cut_file(place, store).exists()
            if wanted != whole:
                (stage.start_agent if wanted else stage.stop_agent)(store)
                links[store] = wanted
                _write(place, links)
                tell(f"The link of store {store} is {'mended' if wanted else 'cut'}.")
        time.sleep(_POLL_SECONDS)


def find(folder: Path | None = None) -> Place:
    """The demo of a folder, or the latest of this user. Raises ``ConfigError`` if there is none."""
    folders = [folder] if folder else Path(tempfile.gettempdir()).glob(f"{PREFIX}*")
    waiting = [path for path in folders if _waits(path)]
    if not waiting:
        raise ConfigError(NO_DEMO.at())
    return Place(max(waiting, key=lambda path: (path / _STATE).stat().st_mtime).absolute())


def store_of(number: str) -> Store:
    """The demo's store of this number. Raises ``ConfigError`` if there is none."""
    for store in STORES:
        if store.number == number:
            return store
    raise ConfigError(NO_STORE.at(", ".join(store.number for store in STORES)))


def sale(place: Place, store: Store) -> Seen:
    """Ring up a sale with the shopper's card; the hub hears of it once the link is whole."""
    number = _next(place, f"sale-{store.number}")
    receipt = days.ring_up(store, number, at=_TILL, card=SHOPPER.card)
    begun = time.monotonic()
    place.drop(store.number, f"till-{_TILL}-{number:04d}.xml", days.file([receipt]))
    fact = days.fact(receipt)
    what = f"{receipt.total} {store.currency} at store {store.number}"
    if not _links(place)[store.number]:
        return Seen(fact, what, None)
    return Seen(fact, what, _known(place, "transactions", fact, begun))


def order(place: Place) -> Seen:
    """The shopper orders something."""
    number = _next(place, "order")
    drawn = list(shop.orders(_FIRST_ORDER + number, seed=days.SEED))[-1]
    placed = replace(drawn, person=SHOPPER, guest=True)
    begun = time.monotonic()
    _send(place, place.shop(shop_writer.order(placed), f"visit-{placed.number}"))
    fact = days.fact(placed)
    what = f"#{placed.number}, {placed.total} {shop.SELLER.currency}"
    return Seen(fact, what, _known(place, "orders", fact, begun))


def call(place: Place) -> Seen:
    """The shopper calls; the console and ``customer find`` show who it is."""
    sid = f"CAexample{_next(place, 'call'):025d}"
    begun = time.monotonic()
    _send(place, place.call(sid, SHOPPER.phone))
    desk = place.desk()
    fact = call_fact(sid)
    known = comes(lambda: fact in desk.facts("Interaction"), expected=True)
    return Seen(fact, SHOPPER.phone, time.monotonic() - begun if known else None)


def cut(place: Place, store: Store) -> None:
    """Cut the link of a store. Raises ``Unavailable`` if the demo does not answer."""
    _cut_file(place, store.number).touch()
    _await_link(place, store.number, whole=False)


def mend(place: Place, store: Store) -> tuple[int, int]:
    """Mend a link: how many of the visitor's sales there the hub knows then, and of how many."""
    _cut_file(place, store.number).unlink(missing_ok=True)
    _await_link(place, store.number, whole=True)
    numbers = range(1, _next(place, f"sale-{store.number}", take=False))
    sales = {days.fact(days.ring_up(store, number, at=_TILL)) for number in numbers}
    desk = place.desk()
    found = comes(lambda: desk.facts("Transaction") & sales, sales)
    return len(found), len(sales)


def _send(place: Place, webhook: Webhook) -> None:
    status = place.desk().send(webhook)
    if status != 200:
        raise Unavailable(NO_ANSWER.at(f"status {status} of the hub"))


def _known(place: Place, noun: str, fact: str, begun: float) -> float | None:
    desk = place.desk()
    known = comes(lambda: desk.knows(noun, fact), expected=True)
    return time.monotonic() - begun if known else None


def _next(place: Place, name: str, *, take: bool = True) -> int:
    """The number of the next thing of this name, from 1 on; visitors may be several."""
    number = 1
    while True:
        claimed = place.folder / "visits" / f"{name}-{number}"
        try:
            if not claimed.exists():
                if take:
                    claimed.touch(exist_ok=False)
                return number
        except FileExistsError:
            # Another visitor was quicker: theirs is this number, ours the next.
            pass
        number += 1


def _await_link(place: Place, store: str, *, whole: bool) -> None:
    if comes(lambda: _links(place)[store], whole, seconds=_PATIENCE_SECONDS) != whole:
        raise Unavailable(NO_ANSWER.at(f"the link of store {store} is as before"))


def _cut_file(place: Place, store: str) -> Path:
    return place.folder / "cut" / store


def _links(place: Place) -> dict[str, bool]:
    """Whether the link of each store is whole."""
    links: dict[str, bool] = json.loads((place.folder / _STATE).read_bytes())["links"]
    return links


def _write(place: Place, links: dict[str, bool]) -> None:
    homes.write_atomically(place.folder / _STATE, json.dumps({"links": links}).encode())


def _waits(folder: Path) -> bool:
    """Whether a demo of this user runs here and waits; others' folders are not looked into."""
    try:
        mine = folder.stat().st_uid == os.getuid()
        return mine and (folder / _STATE).exists() and lock.holder(Home(folder)) is not None
    except OSError:
        return False

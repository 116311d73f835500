"""Searching: how long a desk waits to find somebody among a million, and to see them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import TypeVar
from urllib.parse import quote

from bench.clock import Sample
from bench.crowd import FREQUENT_NAME, Member, crowd, load, prove
from bench.disk import disk
from bench.figure import Figure, of
from bench.sale import SEED
from bench.senders import request, send
from bench.server import hub_served
from hub import bootstrap, keys
from hub.bootstrap import Hub
from hub.home import Home
from hub.people import view

__all__ = ["figures", "p95", "slowest"]

_T = TypeVar("_T")

_CUSTOMERS = 1_000_000
_PROVEN = 500
_ROUNDS, _EACH = 5, 60
_FLOOR_MS = 150
_MS = 1_000
_BY: dict[str, Callable[[Member], str | None]] = {
    "phone": lambda member: member.person.phone,
    "e-mail": lambda member: member.person.email,
    "card": lambda member: member.person.card,
    "account": lambda member: member.account,
    "whole name": lambda member: f"{member.person.given_name} {member.person.family_name}",
    "rare family name": lambda member: _rare(member.person.family_name),
    "family name of one in 33": lambda member: FREQUENT_NAME,
    "order number": lambda member: member.order,
    "receipt number": lambda member: member.receipt,
    "name of nobody": lambda member: f"Nobody{_rare(member.person.family_name) or ''}",
}
_SETTINGS = """
[limits]
calls_per_second = 1000000
"""


def figures() -> Iterator[Figure]:
    """Load the crowd once, then search it by everything that somebody may have at hand."""
    members = crowd(_CUSTOMERS)
    regulars = [member for member in members if member.regular]
    others = members[len(regulars) :]
    # A single one of the regulars, because each has as many documents as a hundred others.
    prove([regulars[0], *random.Random(SEED).sample(others, _PROVEN)])
    with _loaded(members) as (home, key):
        with bootstrap.open_hub(home, access="read") as hub:
            yield _searches(hub, members)
            yield _pages(hub, others, regulars)
        yield _over_http(home, key, members)


@contextmanager
def _loaded(members: Iterable[Member]) -> Iterator[tuple[Home, str]]:
    """A home with the crowd in it, and a key to ask for people with."""
    with TemporaryDirectory(dir=disk()) as folder:
        home = Home(Path(folder) / "home")
        bootstrap.create(home)
        home.settings.write_text(home.settings.read_text("utf-8") + _SETTINGS, "utf-8")
        with bootstrap.open_hub(home) as hub:
            load(hub, members)
            with hub.engine.begin() as connection:
                _, key = keys.create(connection, "bench", "agent", actor="bench", now=hub.now())
        yield home, key


def _searches(hub: Hub, members: list[Member]) -> Figure:
    def search(text: str) -> None:
        with hub.engine.begin() as connection:
            view.find(hub, connection, text)

    return slowest(
        {by: p95(search, texts) for by, texts in _texts(members).items()},
        id="search.p95_ms",
        what=f"95 % of the searches among {_CUSTOMERS:,} customers, by what takes longest",
        floor=_FLOOR_MS,
        n=_EACH,
    )


def slowest(waits: dict[str, Sample], **fields: object) -> Figure:
    """The figure of what takes longest of several, in ms; all of them stand beside it."""
    longest = max(waits, key=lambda by: waits[by].median)
    beside = {by: wait.median for by, wait in waits.items()}
    return of(waits[longest], unit="ms", seed=SEED, beside=beside, **fields)


def _pages(hub: Hub, others: list[Member], regulars: list[Member]) -> Figure:
    def show(member: Member) -> None:
        with hub.engine.begin() as connection:
            view.person(hub, connection, f"shopify:customer/{member.account}")

    dice = random.Random(SEED)
    some, few = (
        [dice.sample(group, _EACH) for _ in range(_ROUNDS)] for group in (others, regulars)
    )
    return of(
        p95(show, some),
        id="search.page_p95_ms",
        what="95 % of the pages of a customer with one or two documents",
        unit="ms",
        floor=_FLOOR_MS,
        n=_EACH,
        seed=SEED,
        beside={"with two hundred documents": p95(show, few).median},
    )


def _over_http(home: Home, key: str, members: list[Member]) -> Figure:
    """All kinds of search mixed, one after the other, each audited before it is answered."""
    headers = {"Authorization": f"Bearer {key}"}
    rounds: list[list[bytes]] = [[] for _ in range(_ROUNDS)]
    for texts in _texts(members).values():
        for some, lot in zip(texts, rounds, strict=True):
            lot += [request(f"/customers?q={quote(text)}", headers) for text in some]
    waits: list[tuple[float, float]] = []
    with hub_served(home) as server:
        for lot in (rounds[0], *rounds):
            sent = send(server.port, lot, lines=1)
            sent.check()
            percent = quantiles(sent.seconds, n=100)
            waits.append((percent[94] * _MS, percent[49] * _MS))
    # The first lot also loads code.
    most, half = zip(*waits[1:], strict=True)
    return of(
        Sample(most),
        id="search.http_p95_ms",
        what="95 % of all kinds of searches mixed, over HTTP and with their audit on the disk",
        unit="ms",
        floor=_FLOOR_MS,
        n=len(rounds[0]),
        seed=SEED,
        beside={"50 %": Sample(half).median},
    )


def _texts(members: list[Member]) -> dict[str, list[list[str]]]:
    """What is searched for, by its kind: ``_EACH`` texts a round, the same on every call."""
    dice = random.Random(SEED)
    found: dict[str, list[list[str]]] = {}
    for by, text_of in _BY.items():
        # Some have no order, no receipt or no rare name; enough of so many do.
        texts = filter(None, map(text_of, dice.sample(members, 10 * _ROUNDS * _EACH)))
        found[by] = [[next(texts) for _ in range(_EACH)] for _ in range(_ROUNDS)]
    return found


def _rare(family_name: str) -> str | None:
    return None if family_name == FREQUENT_NAME else family_name


def p95(work: Callable[[_T], None], rounds: list[list[_T]]) -> Sample:
    """Milliseconds by the clock that 95 % of a round stay under, round by round."""
    found: list[float] = []
    for some in rounds:
        waits: list[float] = []
        for each in some:
            start = time.perf_counter()
            work(each)
            waits.append((time.perf_counter() - start) * _MS)
        found.append(quantiles(waits, n=100)[94])
    return Sample(tuple(found))

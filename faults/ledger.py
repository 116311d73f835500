"""The ledger of whoever sells, and what a hub has of it: the oracle of every fault."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock

from sqlalchemy import Connection, func, select

from hub import bootstrap
from hub.demo import poslog_writer, till
from hub.demo.receipt import Receipt
from hub.home import Home
from hub.store.tables import message, transaction_index

__all__ = ["FILE", "Verdict", "content", "database_is", "judge", "opened", "pending"]

FILE = 200
"""Sales in a file: of eight tills, each with a sequence of its own."""
_SEED = 11
_LINES = 1

Sale = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Sales that were acknowledged and are not there, are there more than once, or came to be
    applied before an earlier one of their till; and how often harm was done meanwhile.
    """

    messages: int
    lost: int
    doubled: int
    out_of_order: int
    harms: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether nothing went wrong."""
        return not (self.lost or self.doubled or self.out_of_order)


def content(*numbers: int) -> bytes:
    """The files of these numbers as the store sends them, as one."""
    receipts = (each for number in numbers for each in _receipts(number))
    sales = (poslog_writer.transaction(each, detail="lean") for each in receipts)
    return b"".join(poslog_writer.document(sales, dialect="v2"))


def _receipts(number: int) -> Iterable[Receipt]:
    for index in range(number * FILE, (number + 1) * FILE):
        yield till.sale(index, seed=_SEED, lines=_LINES)


def judge(home: Home, database: str | None, acknowledged: Iterable[int]) -> Verdict:
    """Compare what a hub that has come to rest holds with the files that it acknowledged."""
    sold = [receipt.key for number in acknowledged for receipt in _receipts(number)]
    applied = _applied(home, database)
    times = Counter(applied)
    latest: dict[tuple[str, str], tuple[str, int]] = {}
    out_of_order = 0
    for store, workstation, day, sequence in dict.fromkeys(applied):
        place = (store, workstation)
        out_of_order += (day, int(sequence)) < latest.get(place, ("", 0))
        latest[place] = max((day, int(sequence)), latest.get(place, ("", 0)))
    return Verdict(
        messages=len(sold),
        lost=sum(sale not in times for sale in sold),
        doubled=sum(count - 1 for count in times.values()),
        out_of_order=out_of_order,
    )


def _applied(home: Home, database: str | None) -> list[Sale]:
    """Sales in the order in which they were applied."""
    each = transaction_index.c
    found = select(each.store, each.workstation, each.business_date, each.sequence)
    # Their own message says when: a document may have been made again since.
    found = found.join(message, message.c.fact == each.fact).where(message.c.state == "applied")
    with opened(home, database) as connection:
        rows = connection.execute(found.order_by(message.c.settled_at, message.c.id))
        return [(row[0], row[1], row[2], row[3]) for row in rows]


def pending(home: Home, database: str | None = None) -> int:
    """How many messages are still to be settled."""
    with opened(home, database) as connection:
        waiting = select(func.count()).where(message.c.state == "pending")
        return connection.scalar(waiting) or 0


@contextmanager
def opened(home: Home, database: str | None = None) -> Iterator[Connection]:
    """The database of a hub, to be read."""
    with (
        database_is(database),
        bootstrap.open_hub(home, access="read") as hub,
        hub.engine.begin() as connection,
    ):
        yield connection


@contextmanager
def database_is(database: str | None) -> Iterator[None]:
    """Have the homes that are opened here keep everything in this database, if it is one."""
    if database is None:
        yield
        return
    with mock.patch.dict(os.environ, {"LYNCHPIN_DATABASE_URL": database}):
        yield

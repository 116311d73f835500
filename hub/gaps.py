"""Gaps: numbers that a till must have used and of which the hub knows nothing.

A till numbers its receipts and control transactions one by one. Some begin again each day, some at
9999, some never; some put a receipt after midnight into the day before. So a number is missing only
if it lies between two that are here and neither day beside it has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

from sqlalchemy import Connection, union_all

from hub.store.tables import control_index, transaction_index

__all__ = ["Gap", "gaps"]

Till: TypeAlias = tuple[str, str, str]
Day: TypeAlias = tuple[str, list[int]]


@dataclass(frozen=True, slots=True)
class Gap:
    """The numbers ``first`` to ``last`` of a till are not here; ``business_date`` is the day of the
    number that follows them.
    """

    system: str
    store: str
    workstation: str
    business_date: str
    first: int
    last: int

    @property
    def missing(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


def gaps(connection: Connection, *, since: str = "", store: str | None = None) -> Iterator[Gap]:
    """What is missing, till by till and in order, from the business date ``since`` on."""
    for (system, number, workstation), days in _tills(connection, since, store):
        for day, first, last in _missing(days):
            yield Gap(system, number, workstation, day, first, last)


def _tills(
    connection: Connection, since: str, store: str | None
) -> Iterator[tuple[Till, list[Day]]]:
    names = ("system", "store", "workstation", "business_date", "sequence_number")
    parts = []
    for table in (transaction_index, control_index):
        part = table.select().with_only_columns(*(table.c[name] for name in names))
        part = part.where(table.c.sequence_number.is_not(None), table.c.business_date >= since)
        parts.append(part.where(table.c.store == store) if store else part)
    rows = connection.execute(union_all(*parts).order_by(*names))
    for till, of_till in groupby(rows, key=lambda row: tuple(row[:3])):
        days = [
            (str(day), [row[4] for row in of_day])
            for day, of_day in groupby(of_till, key=lambda row: row[3])
        ]
        yield till, days


def _missing(days: list[Day]) -> Iterator[tuple[str, int, int]]:
    known = [set(numbers) for _, numbers in days]
    before: int | None = None
    lowest = 0
    said: list[tuple[int, int]] = []
    for index, (day, numbers) in enumerate(days):
        beside = known[max(index - 1, 0)].union(*known[index : index + 2])
        found = [
            run
            for previous, number in zip((before, *numbers), numbers, strict=False)
            for run in _runs(_start(previous, number, lowest), number, beside)
        ]
        # Days whose numbers overlap miss the same ones.
        fresh = [run for run in found if not any(_inside(run, other) for other in said)]
        yield from ((day, *run) for run in fresh)
        before, lowest, said = numbers[-1], numbers[0], found


def _inside(run: tuple[int, int], other: tuple[int, int]) -> bool:
    return other[0] <= run[0] and run[1] <= other[1]


def _start(before: int | None, number: int, lowest: int) -> int:
    """The number that should be here at the latest, if nothing is missing before this one."""
    if before is None:
        return number
    if number > before:
        return before + 1
    # Either the till began again, or both days used numbers of the same stretch.
    return 1 if number < lowest else number


def _runs(start: int, end: int, known: set[int]) -> Iterator[tuple[int, int]]:
    """Stretches from ``start`` up to ``end``, which is here, of which none is known."""
    inside = sorted(n for n in known if start <= n < end)
    for number in (*inside, end):
        if number > start:
            yield start, number - 1
        start = number + 1

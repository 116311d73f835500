"""Progress: how far each stream of a poll has come, kept in the transaction that journals a page.

The cursor follows what is in the journal and never goes before it. So a process that is killed
loses nothing, and what is read again is known by its digest and costs no message.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, insert, select, update

from connectors.api import Rest, Slice, Stamp
from hub.delivery import schedule
from hub.door import Door, take_in
from hub.polling.chosen import Poll, Reread
from hub.polling.page import Element, Page
from hub.polling.reading import Reading, recent
from hub.store.tables import poll, polled, record
from schemas.problem import Problem

__all__ = [
    "After",
    "Moved",
    "Standing",
    "begin",
    "due",
    "fail",
    "keep",
    "rewind",
    "rewind_all",
    "standing",
]

After = Callable[[list[Element]], tuple[Reading | None, dict[str, Any]]]

_AT_ONCE = 500
_reading = msgspec.json.Decoder(Reading)


class Moved(Exception):
    """Somebody has moved the cursor since the page was asked for; nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a stream stands. ``moved`` tells whether somebody moves it meanwhile."""

    name: str
    stream: str
    cursor: str | None
    reading: Reading | None
    rounds: int
    moved: int
    failures: int


def _row(name: str, stream: str) -> ColumnElement[bool]:
    return (poll.c.name == name) & (poll.c.stream == stream)


def begin(connection: Connection, name: str, streams: Iterable[str], now: str) -> None:
    """Give each stream its row, if it has none yet; it is due at once."""
    known = set(connection.scalars(select(poll.c.stream).where(poll.c.name == name)))
    rows = [{"name": name, "stream": each, "due_at": now} for each in streams if each not in known]
    if rows:
        connection.execute(insert(poll), rows)


def due(connection: Connection, name: str, streams: Iterable[str], now: str) -> list[str]:
    """The streams that are to be read now, in the order of the settings."""
    later = select(poll.c.stream).where(poll.c.name == name, poll.c.due_at > now)
    waiting = set(connection.scalars(later))
    return [each for each in streams if each not in waiting]


def standing(connection: Connection, name: str, stream: str) -> Standing:
    """Where a stream stands that has a row."""
    row = connection.execute(select(poll).where(_row(name, stream))).mappings().one()
    try:
        reading = row["reading"] and _reading.decode(row["reading"])
    except msgspec.MsgspecError:
        # Another version wrote it: to begin anew costs pages and no message.
        reading = None
    return Standing(
        name,
        stream,
        row["cursor"],
        reading or None,
        row["rounds"],
        row["moved"],
        row["failures"],
    )


def keep(
    connection: Connection,
    door: Door,
    at: Standing,
    page: Page,
    *,
    after: After,
    stamped_at: str,
    now: str,
) -> tuple[int, bool]:
    """Journal what of a page is new or other than before, then keep how far that is.

    ``after`` tells from what was new how the reading goes on, or ``None`` at its end, and what else
    changes of the row. Says how many messages it took, and whether it goes on. Raises ``Moved``.
    """
    fresh = _fresh(connection, door.source, at.stream, page.elements)
    if fresh:
        # It was so by the time that its system had answered; of two snapshots of one version the
        # one that was read later is the newer.
        stamp = Stamp(at=stamped_at)
        name = f"{at.name}/{at.stream}"
        wanted = _only(door, {element.place for element in fresh})
        taken = take_in(connection, wanted, [page.record], name=name, now=now, stamp=stamp)
        read_by = update(record).where(record.c.id == taken.record)
        connection.execute(read_by.values(poll=at.name))
    reading, ended = after(fresh)
    values = {
        "reading": None if reading is None else msgspec.json.encode(reading).decode(),
        "failures": 0,
        "problem": None,
        "seen": poll.c.seen + len(page.elements),
        "taken": poll.c.taken + len(fresh),
        **ended,
    }
    mine = _row(at.name, at.stream) & (poll.c.moved == at.moved)
    if connection.execute(update(poll).where(mine).values(**values)).rowcount != 1:
        raise Moved
    return len(fresh), reading is not None


def _only(door: Door, places: Collection[int]) -> Door:
    """A door through which of a record these messages come alone, by their place in it."""
    split = door.connector.split

    def chosen(
        chunks: Iterable[bytes], options: Any, rest: Rest | None = None
    ) -> Iterator[Slice | Rest]:
        for place, piece in enumerate(split(chunks, options, rest)):
            if place in places:
                yield piece

    return replace(door, connector=replace(door.connector, split=chosen))


def _fresh(
    connection: Connection, source: str, stream: str, elements: tuple[Element, ...]
) -> list[Element]:
    """Those that the journal does not have as they are, which it will have from now on."""
    known = _known(connection, source, stream, [element.key for element in elements])
    stored = set(known)
    fresh = []
    for element in elements:
        if known.get(element.key) != element.digest:
            known[element.key] = element.digest
            fresh.append(element)
    wanted = {element.key: known[element.key] for element in fresh}
    place = {"source": source, "stream": stream}
    new = [{**place, "key": k, "digest": d} for k, d in wanted.items() if k not in stored]
    if new:
        connection.execute(insert(polled), new)
    for key in wanted.keys() & stored:
        mine = (polled.c.source == source) & (polled.c.stream == stream) & (polled.c.key == key)
        connection.execute(update(polled).where(mine).values(digest=wanted[key]))
    return fresh


def _known(connection: Connection, source: str, stream: str, keys: list[str]) -> dict[str, str]:
    known: dict[str, str] = {}
    mine = (polled.c.source == source) & (polled.c.stream == stream)
    for start in range(0, len(keys), _AT_ONCE):
        some = polled.c.key.in_(keys[start : start + _AT_ONCE])
        found = select(polled.c.key, polled.c.digest).where(mine, some)
        known.update({row[0]: row[1] for row in connection.execute(found)})
    return known


def fail(
    connection: Connection,
    at: Standing,
    problem: Problem,
    *,
    asked_seconds: float,
    anew: bool,
    now: str,
    dice: Random,
) -> None:
    """Keep why a page did not come, and when it is asked for again.

    ``asked_seconds`` is for how long the system wants to be left alone, which holds for all of the
    poll; ``anew`` says that the reading begins from its start, as its next page is not there.
    """
    failures = at.failures + 1
    until = schedule.later(now, max(schedule.wait(failures, dice), asked_seconds))
    values: dict[str, Any] = {
        "failures": failures,
        "problem": problem.model_dump_json(exclude_none=True),
        "due_at": until,
    }
    if anew and at.reading is not None:
        values["reading"] = msgspec.json.encode(at.reading.anew).decode()
    mine = _row(at.name, at.stream) & (poll.c.moved == at.moved)
    connection.execute(update(poll).where(mine).values(**values))
    if asked_seconds:
        others = (poll.c.name == at.name) & (poll.c.due_at < until)
        connection.execute(update(poll).where(others).values(due_at=until))


def rewind(
    connection: Connection, name: str, stream: str, *, to: str, again: Reread | None, now: str
) -> None:
    """Have a stream read again from this moment on, at once, and before that what is read again now
    and then. A cursor that is earlier stays; so does none, which reads everything.
    """
    back = update(poll).where(_row(name, stream), poll.c.cursor > to)
    connection.execute(back.values(cursor=to))
    _read_again(connection, name, stream, since=min(to, now), again=again, now=now)


def rewind_all(
    connection: Connection, polls: Mapping[str, Poll], *, to: str, now: str
) -> list[str]:
    """After a restore of a backup of this moment: have every stream read at once. Says which polls
    that are.

    The cursor came back with the journal that it follows, and goes no further. What changed without
    a time is another matter: it may have been read since the backup and be too old by now to be
    read again, so that is read first, as far back as it would have been then.
    """
    found = connection.execute(select(poll.c.name, poll.c.stream)).all()
    for name, stream in found:
        chosen = polls.get(name)
        again = chosen.streams[stream].reread if chosen and stream in chosen.streams else None
        _read_again(connection, name, stream, since=to, again=again, now=now)
    return sorted({name for name, _ in found} & set(polls))


def _read_again(
    connection: Connection, name: str, stream: str, *, since: str, again: Reread | None, now: str
) -> None:
    """Have a stream read at once, and first what no change since then says anything of."""
    values = {
        "reading": None if again is None else msgspec.json.encode(recent(again, since)).decode(),
        "moved": poll.c.moved + 1,
        "due_at": now,
        "failures": 0,
        "problem": None,
    }
    connection.execute(update(poll).where(_row(name, stream)).values(**values))

"""What the first page tells: what came in lately, what is held, and which store is behind.

Only what is recent is counted, so the page costs the same on the thousandth day as on the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, func, select

from hub import capture, holds, messages, unverified
from hub.fingerprint import Group, grouped
from hub.gaps import Gap, gaps
from hub.polling.status import Status, polls
from hub.settings import Settings, Stores
from hub.store.tables import document, message, record, transaction_index
from hub.unverified import Window

__all__ = ["GAPS_MAX", "Arrivals", "Overview", "Silence", "gaps_of_late", "overview", "silent"]

GAPS_MAX = 200
_RECORDS_MAX = 50_000
_LATELY = timedelta(hours=24)
_GAPS_LATELY = timedelta(days=14)
_HELD_MAX = 5000


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What came in from a source lately: ``seen_at`` is when last, ``states`` count messages."""

    source: str
    seen_at: str | None
    states: Counter[str]


@dataclass(frozen=True, slots=True)
class Silence:
    """A capture that is behind: it has ``pending`` records to ship, or it was not heard of.

    Then it is ``quiet``, and nobody here knows what waits in the store: ``pending`` is ``None``.
    """

    capture: str
    pending: int | None
    seen_at: str
    oldest_at: str | None
    quiet: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """The hub at a glance. ``since`` is the moment from which arrivals are counted."""

    since: str
    arrivals: tuple[Arrivals, ...]
    held: tuple[Group, ...]
    captures: int
    behind: tuple[Silence, ...]
    gaps: tuple[Gap, ...]
    unverified: tuple[Window, ...]
    failing: tuple[Status, ...]
    """Streams of polls that fail."""

    @property
    def messages(self) -> int:
        """How many messages came in lately."""
        return sum(each.states.total() for each in self.arrivals)

    @property
    def held_messages(self) -> int:
        """How many are held now, whenever they came."""
        return sum(len(group.rows) for group in self.held)


def overview(connection: Connection, settings: Settings, *, now: str) -> Overview:
    """The hub at a glance, with a line for each source, also for one that is no longer set."""
    first, since = _first_record(connection, now)
    counted = (
        select(record.c.source, message.c.state, func.count(), func.max(record.c.received_at))
        .join_from(message, record)
        .where(message.c.record_id >= first)
        .group_by(record.c.source, message.c.state)
    )
    states: dict[str, Counter[str]] = {source: Counter() for source in settings.sources}
    seen: dict[str, str] = {}
    for source, state, count, at in connection.execute(counted):
        states.setdefault(source, Counter())[state] = count
        seen[source] = max(at, seen.get(source, ""))
    captures = capture.listed(connection)
    return Overview(
        since=since,
        arrivals=tuple(Arrivals(each, seen.get(each), states[each]) for each in sorted(states)),
        held=grouped(holds.held(connection, limit=_HELD_MAX)),
        captures=len(captures),
        behind=tuple(silent(captures, settings.stores, now=now)),
        gaps=gaps_of_late(connection),
        unverified=tuple(unverified.open_windows(connection)),
        failing=tuple(each for each in polls(connection, settings.polls, now) if each.problem),
    )


def _first_record(connection: Connection, now: str) -> tuple[int, str]:
    """The first record of late, and since when that is."""
    since = _before(now, _LATELY)
    last = connection.scalar(select(func.max(record.c.id))) or 0
    low = max(1, last - _RECORDS_MAX)
    if low > 1 and (at := messages.received_at(connection, low)) and at > since:
        return low, at
    return messages.first_at(connection, since, low=low), since


def silent(captures: Iterable[dict[str, Any]], stores: Stores, *, now: str) -> Iterator[Silence]:
    """Those of the captures that are behind."""
    limit = _before(now, timedelta(seconds=stores.silent_seconds))
    for row in captures:
        name, seen_at = row["capture"], row["seen_at"]
        if seen_at < limit:
            yield Silence(name, None, seen_at, None, quiet=True)
        elif row["pending"]:
            yield Silence(name, row["pending"], seen_at, row["oldest_at"], quiet=False)


def gaps_of_late(connection: Connection) -> tuple[Gap, ...]:
    """Numbers that are missing of the two weeks before the receipt that was applied last.

    At most ``GAPS_MAX`` runs of them.
    """
    newest = (
        select(transaction_index.c.business_date)
        .join(document, document.c.fact == transaction_index.c.fact)
        .order_by(document.c.message_id.desc())
        .limit(1)
    )
    last = connection.scalar(newest)
    if last is None:
        return ()
    since = (date.fromisoformat(last) - _GAPS_LATELY).isoformat()
    return tuple(islice(gaps(connection, since=since), GAPS_MAX))


def _before(now: str, time: timedelta) -> str:
    then = datetime.fromisoformat(now) - time
    return then.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

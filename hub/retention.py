"""Retention: what messages said goes after its days; that they came, and what came of it, stays.

A message that is kept no longer loses its payload, what came in before an edit of it, and the head
of its record once no message there needs it. Its number, fact id, digest, kind, state and times
stay for ever, and so do the documents with their business hashes: what comes again is still known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, exists, func, select, update

from hub import audit
from hub.settings import Journal
from hub.store.tables import delivery, edit, message, record

__all__ = ["BATCH", "Swept", "before", "sweep", "sweepable"]

BATCH = 500
_LOOKED_AT = 5_000
"""So many numbers of messages at once: most of the first ones have nothing left to remove."""
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class Swept:
    """How many messages lost their payload; ``last`` is where to go on, ``None`` at the end."""

    removed: int
    last: int | None


def before(now: str, days: int) -> str:
    """The moment since when a message is kept that is kept for so many days."""
    moment = datetime.strptime(now, _TIME) - timedelta(days=days)  # noqa: DTZ007
    return moment.strftime(_TIME)


def sweepable(
    connection: Connection, kept: Journal, *, after: int, now: str
) -> tuple[list[int], int | None]:
    """The next messages after this one whose days are over, and where to go on after them.

    What is pending or held is not among them, nor what a delivery still waits for.
    """
    newest = connection.scalar(select(func.max(message.c.id))) or 0
    through = after + _LOOKED_AT
    waits = exists().where(delivery.c.message_id == message.c.id, delivery.c.done_at.is_(None))
    found = (
        select(message.c.id, message.c.kind, record.c.source, record.c.received_at)
        .join_from(message, record)
        .where(message.c.id > after, message.c.id <= through)
        .where(message.c.removed_at.is_(None), message.c.settled_at.is_not(None))
        .where(record.c.received_at < before(now, kept.days_min), ~waits)
        .order_by(message.c.id)
    )
    numbers: list[int] = []
    for number, kind, source, received_at in connection.execute(found):
        if received_at < before(now, kept.days(source, kind)):
            numbers.append(number)
        if len(numbers) == BATCH:
            return numbers, number
    return numbers, through if through < newest else None


def sweep(connection: Connection, kept: Journal, *, after: int = 0, actor: str, now: str) -> Swept:
    """Remove what the next messages after this one said, if their days are over.

    Audited before it acts. The caller commits, and goes on from ``last``.
    """
    numbers, last = sweepable(connection, kept, after=after, now=now)
    if numbers:
        detail = {"messages": len(numbers), "from": numbers[0], "to": numbers[-1]}
        audit.write(
            connection, actor=actor, act="journal.sweep", subject="journal", detail=detail, now=now
        )
        empty(connection, numbers, now=now)
    return Swept(len(numbers), last)


def empty(connection: Connection, numbers: Iterable[int], *, now: str) -> None:
    """Remove what messages said."""
    chosen = list(numbers)
    gone: dict[str, Any] = {"payload": b"", "context": None, "removed_at": now}
    connection.execute(update(message).where(message.c.id.in_(chosen)).values(gone))
    connection.execute(update(edit).where(edit.c.message_id.in_(chosen)).values(payload=b""))
    records = select(message.c.record_id).where(message.c.id.in_(chosen))
    other = message.alias("other")
    needed = exists().where(other.c.record_id == record.c.id, other.c.removed_at.is_(None))
    bare = update(record).where(record.c.id.in_(records), ~needed)
    connection.execute(bare.values(context=b""))

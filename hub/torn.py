"""Torn records: one stopped in the middle, and a later one may go on from there.

The open end is held as a message, so that people see it. It is settled by itself when the next
record of the source goes on from it, or when the whole document arrives after all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from connectors.api import Connector, Rest, Slice
from hub import journal
from hub.store.tables import hold, message, record
from schemas.problem import LynchpinError

__all__ = ["End", "close", "continued", "open_ends"]


# Written down once: every record that comes in asks this, and building it takes longer than asking.
_OPEN = (
    select(
        record.c.id,
        record.c.rest_payload,
        record.c.rest_offset,
        record.c.rest_context,
        record.c.name,
        record.c.bytes,
        record.c.sha256,
    )
    .where(record.c.source == bindparam("source"), record.c.rest_offset.is_not(None))
    .where(record.c.rest_closed.is_(False))
    .order_by(record.c.id.desc())
)


@dataclass(frozen=True, slots=True)
class End:
    """The open end of a record, with the size and hash of all that was received of it."""

    record_id: int
    rest: Rest
    size: int
    sha256: str


def open_ends(connection: Connection, source: str, name: str) -> list[End]:
    """The open ends of a source, the likeliest first: of a file of this name, then the newest."""
    rows = connection.execute(_OPEN, {"source": source}).all()
    if not rows:
        return []
    likeliest = sorted(rows, key=lambda row: row[4] != name)
    return [
        End(number, Rest(journal.decompress(packed, connection), offset, context), size, sha256)
        for number, packed, offset, context, _, size, sha256 in likeliest
    ]


def continued(connector: Connector, options: Any, ends: list[End], head: bytes) -> End | None:
    """The open end that a record with this head goes on from, if it starts in the middle."""
    if not ends or not connector.continues(head):
        return None
    return next((end for end in ends if _fits(connector, options, end.rest, head)), ends[0])


def _fits(connector: Connector, options: Any, rest: Rest, head: bytes) -> bool:
    """Whether the two halves make a document; told only where the head already completes one."""
    try:
        first = next(connector.split([head], options, rest), None)
        if not isinstance(first, Slice) or first.problem is not None:
            return False
        connector.decode(first.payload, first.context, options)
    except LynchpinError:
        return False
    return True


def close(connection: Connection, end: End, *, now: str) -> None:
    """Settle an open end: its message lives on in the record that had the other half.

    The half itself is erased: a card number that the cut went through looks like none to the
    scrubber, which has seen the whole by now.
    """
    closed = {"rest_closed": True, "rest_payload": None, "rest_context": None}
    connection.execute(update(record).where(record.c.id == end.record_id).values(closed))
    number = connection.scalar(
        select(message.c.id)
        .where(message.c.record_id == end.record_id, message.c.state.in_(("held", "duplicate")))
        .where(message.c.digest == journal.digest(end.rest.payload))
    )
    if number is not None:
        joined = {"state": "joined", "settled_at": now, "payload": journal.compress(b"")}
        connection.execute(update(message).where(message.c.id == number).values(joined))
        connection.execute(
            update(hold)
            .where(hold.c.message_id == number)
            .values(released_at=now, outcome="joined")
        )

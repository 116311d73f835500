"""The journal: what was received, scrubbed and compressed, before anyone tries to understand it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, select, update

from hub.packing import compress, decompress
from hub.store.tables import hold, message, record
from schemas.problem import Cause, Problem, Rejected

__all__ = [
    "REMOVED",
    "STORED",
    "Stored",
    "compress",
    "decompress",
    "digest",
    "entry",
    "park",
    "pending",
    "problem_of",
    "settle",
    "stored",
]


REMOVED = Cause(
    "LP-HUB-025",
    "What the message said was removed: its days were over, or it was redacted.",
    "Go by what came of it, which stays; `keep_days` under `[journal]` says how long messages do.",
)


def digest(payload: bytes) -> str:
    """What two deliveries of the same bytes have in common."""
    return hashlib.sha256(payload).hexdigest()


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as the journal keeps it, with what it needs from its record."""

    id: int
    record_id: int
    offset: int
    payload: bytes
    digest: str
    joined: bool
    state: str
    context: bytes
    source: str
    system: str
    connector: str
    file: str | None
    stamped_at: str | None = None
    stores: str | None = None
    """The stores whose facts its sender may send, as JSON; ``None`` where it is not limited."""
    removed_at: str | None = None
    """When its days were over and what it said was removed."""

    @property
    def said(self) -> bytes:
        """What it said. Raises ``Rejected`` if that was removed."""
        if self.removed_at is not None:
            detail = f"message {self.id}, on {self.removed_at[:10]}"
            raise Rejected(REMOVED.at(detail, file=self.file))
        return self.payload


STORED: Select[Any] = select(
    message.c.id,
    message.c.record_id,
    message.c.offset,
    message.c.payload,
    message.c.digest,
    message.c.joined,
    message.c.state,
    func.coalesce(message.c.context, record.c.context),
    record.c.source,
    record.c.system,
    record.c.connector,
    record.c.name,
    record.c.stamped_at,
    record.c.stores,
    message.c.removed_at,
).join_from(message, record)
"""Messages with what they need from their records; a row becomes a ``Stored`` by ``stored``."""


def stored(connection: Connection, row: Row[Any] | tuple[Any, ...]) -> Stored:
    """A message of a row of ``STORED``, which came from this connection."""
    values = list(row)
    values[3] = decompress(values[3], connection) if values[3] else b""
    return Stored(*values)


def entry(connection: Connection, message_id: int) -> Stored | None:
    """One message, or ``None``."""
    row = connection.execute(STORED.where(message.c.id == message_id)).one_or_none()
    return None if row is None else stored(connection, row)


def pending(connection: Connection, *, limit: int, after: int = 0) -> list[Stored]:
    """The oldest messages that nobody has settled yet, in the order they came, behind ``after``."""
    unsettled = message.c.settled_at.is_(None) & (message.c.state == "pending")
    chosen = STORED.where(unsettled, message.c.id > after)
    rows = connection.execute(chosen.order_by(message.c.id).limit(limit))
    return [stored(connection, row) for row in rows]


def settle(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Write down what became of messages: a row has ``number``, ``state`` and what is known."""
    values = list(rows)
    if values:
        names = [name for name in values[0] if name != "number"]
        statement = update(message).where(message.c.id == bindparam("number"))
        connection.execute(statement.values({name: bindparam(name) for name in names}), values)


def park(
    connection: Connection,
    number: int,
    problem: Problem,
    *,
    now: str,
    kind: str | None = None,
    fact: str | None = None,
    waits_on: int | None = None,
) -> str:
    """Hold a message with its reason, or answer it as a duplicate if the same bytes are held.

    ``kind`` and ``fact`` say what it is about, if that could be read; ``waits_on`` is the held
    message that it waits behind, if that is the reason.
    Returns the state it got. A later reason replaces an earlier one of the same message.
    """
    first = _held_before(connection, number)
    if first is not None:
        settle(
            connection,
            [{"number": number, "state": "duplicate", "first_id": first, "settled_at": now}],
        )
        return "duplicate"
    settle(connection, [{"number": number, "state": "held", "kind": kind, "fact": fact}])
    connection.execute(delete(hold).where(hold.c.message_id == number))
    connection.execute(
        insert(hold),
        {
            "message_id": number,
            "code": problem.code,
            "problem": problem.model_dump_json(exclude_none=True),
            "held_at": now,
            "waits_on": waits_on,
        },
    )
    return "held"


def _held_before(connection: Connection, number: int) -> int | None:
    """A message of the same source that is held and has the same bytes."""
    this, its_record = message.alias("this"), record.alias("its_record")
    found: int | None = connection.scalar(
        select(message.c.id)
        .join_from(message, record)
        .join(this, this.c.digest == message.c.digest)
        .join(its_record, its_record.c.id == this.c.record_id)
        .where(this.c.id == number, message.c.id != number)
        .where(message.c.settled_at.is_(None), message.c.state == "held")
        .where(record.c.source == its_record.c.source)
        .limit(1)
    )
    return found


def problem_of(connection: Connection, message_id: int) -> Problem | None:
    """Why a message is held, if it is."""
    text = connection.scalar(select(hold.c.problem).where(hold.c.message_id == message_id))
    return None if text is None else Problem.model_validate_json(text)

"""The door: a record is cut into messages, scrubbed, and journalled in one transaction.

Once that transaction is committed the record is acknowledged. A record that is refused leaves
nothing behind. What to do with one that stops in the middle is in ``hub.torn``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from sqlalchemy import Connection, insert, select, update

from connectors.api import TRUNCATED, Connector, Rest, Slice
from connectors.scrub import scrub, scrub_text
from hub import journal, torn
from hub.store.tables import message, record
from schemas.problem import Problem

__all__ = ["Door", "take_in"]

_HEAD_BYTES = 512
_ROWS_AT_ONCE = 500
_TELLING_BYTES = 512
"""A shorter open end might be the start of any message: `<Transaction>` and no more."""


@dataclass(frozen=True, slots=True)
class Door:
    """A source as the door sees it: whose facts come in, and who understands them."""

    source: str
    system: str
    connector: Connector
    options: Any


def take_in(
    connection: Connection, door: Door, chunks: Iterable[bytes], *, name: str, now: str
) -> int:
    """Journal a record and return its number. Raises ``Refused``; the caller then rolls back."""
    incoming = iter(chunks)
    head = _head(incoming)
    name = scrub_text(name)
    ends = torn.open_ends(connection, door.source, name)
    measured = _Measured(chain(head, incoming), ends)
    end = torn.continued(door.connector, door.options, ends, b"".join(head))
    intake = _Intake(connection, door, ends, name=name, now=now)
    rest = end.rest if end is not None else None
    for piece in door.connector.split(measured, door.options, rest):
        intake.add(piece)
    intake.finish(measured)
    for twin in ends:
        # The same torn record may have come more than once.
        if end is not None and twin.sha256 == end.sha256:
            torn.close(connection, twin, now=now)
    return intake.record_id


def _head(incoming: Iterator[bytes]) -> list[bytes]:
    """The first chunks, enough to tell how a record starts."""
    head: list[bytes] = []
    for piece in incoming:
        head.append(piece)
        if sum(map(len, head)) >= _HEAD_BYTES:
            break
    return head


@dataclass(slots=True)
class _Measured:
    """Counts and hashes what passes through, before it is scrubbed.

    ``repeated`` are the torn records that this one repeats from its first byte on.
    """

    chunks: Iterable[bytes]
    ends: list[torn.End]
    size: int = 0
    sha256: Any = None
    repeated: list[torn.End] = field(default_factory=list)

    def __iter__(self) -> Iterator[bytes]:
        self.sha256 = hashlib.sha256()
        for piece in self.chunks:
            self.repeated += [end for end in self.ends if self._repeats(end, piece)]
            self.size += len(piece)
            self.sha256.update(piece)
            yield piece

    def _repeats(self, end: torn.End, piece: bytes) -> bool:
        missing = end.size - self.size
        if not 0 < missing <= len(piece):
            return False
        so_far = self.sha256.copy()
        so_far.update(piece[:missing])
        return bool(so_far.hexdigest() == end.sha256)


class _Intake:
    """One record on its way into the journal, a few hundred messages at a time."""

    def __init__(
        self, connection: Connection, door: Door, ends: list[torn.End], *, name: str, now: str
    ) -> None:
        self._connection = connection
        self._door = door
        self._ends = ends
        self._name = name
        self._now = now
        self._rows: list[dict[str, Any]] = []
        self._problems: dict[int, Problem] = {}
        self._messages = 0
        self._context = b""
        self._last = (b"", b"")
        self._rest: Rest | None = None
        self.record_id = self._open()

    def _open(self) -> int:
        values = {
            "source": self._door.source,
            "system": self._door.system,
            "connector": self._door.connector.manifest.id,
            "name": self._name,
            "bytes": 0,
            "sha256": "",
            "context": b"",
            "received_at": self._now,
            "messages": 0,
        }
        key = self._connection.execute(insert(record).values(values)).inserted_primary_key
        assert key is not None
        return int(key[0])

    def add(self, piece: Slice | Rest) -> None:
        """Scrub a piece and queue it; nothing unscrubbed goes further than this."""
        payload = scrub(piece.payload, self._door.connector.scrub)
        context = self._scrubbed(piece.context)
        problem, joined = None, False
        if isinstance(piece, Slice):
            problem, joined = piece.problem, piece.joined
            for end in self._ends:
                telling = problem is None and len(end.rest.payload) >= _TELLING_BYTES
                if telling and payload.startswith(end.rest.payload):
                    torn.close(self._connection, end, now=self._now)
        else:
            self._rest = Rest(payload, piece.offset, context)
            if not payload.strip():
                return
            problem = TRUNCATED.at(byte=piece.offset)
        if problem is not None:
            self._problems[self._messages] = problem.model_copy(update={"file": self._name})
        self._rows.append(
            {
                "record_id": self.record_id,
                "position": self._messages,
                "offset": max(piece.offset, 0),
                "length": len(payload),
                "payload": journal.compress(payload),
                "digest": journal.digest(payload),
                "context": None if context == self._context else context,
                "joined": joined,
                "state": "pending",
            }
        )
        self._messages += 1
        if len(self._rows) >= _ROWS_AT_ONCE:
            self._flush()

    def _scrubbed(self, context: bytes) -> bytes:
        """Scrub a context; the first one is the record's, and mostly all of them are the same."""
        if context is not self._last[0]:
            self._last = (context, scrub(context, self._door.connector.scrub))
        if not self._messages:
            self._context = self._last[1]
        return self._last[1]

    def _flush(self) -> None:
        if self._rows:
            self._connection.execute(insert(message), self._rows)
        self._rows = []
        for position, problem in self._problems.items():
            number = self._connection.scalar(
                select(message.c.id)
                .where(message.c.record_id == self.record_id)
                .where(message.c.position == position)
            )
            assert number is not None
            journal.park(self._connection, number, problem, now=self._now)
        self._problems = {}

    def finish(self, measured: _Measured) -> None:
        """Write what is only known at the end of the record."""
        self._flush()
        values: dict[str, Any] = {
            "bytes": measured.size,
            "sha256": measured.sha256.hexdigest(),
            "context": self._context,
            "messages": self._messages,
        }
        if self._rest is not None:
            values["rest_offset"] = self._rest.offset
            values["rest_payload"] = journal.compress(self._rest.payload)
            values["rest_context"] = self._rest.context
        for end in measured.repeated:
            if self._rest is None or measured.size > end.size:
                torn.close(self._connection, end, now=self._now)
        self._connection.execute(update(record).where(record.c.id == self.record_id).values(values))

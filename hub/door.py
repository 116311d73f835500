"""The door: a record is cut into messages, scrubbed, and journalled in one transaction.

Once that transaction is committed the record is acknowledged. A record that is refused leaves
nothing behind. What to do with one that stops in the middle is in ``hub.torn``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from connectors.api import TRUNCATED, Connector, Request, Rest, Secrets, Slice, Stamp
from connectors.scrub import scrub, scrub_text
from hub import journal, torn
from hub.dictionaries import Dictionaries
from hub.steps import Steps, clock
from hub.store.tables import message, record
from schemas.problem import Cause, ConfigError, Denied, Problem

__all__ = ["Door", "Origin", "Taken", "refuse", "repeated", "take_in"]

UNSIGNED_FORMAT = Cause(
    "LP-CFG-042",
    "The connector of this source knows no signatures.",
    "Take its secrets out; what it sends comes in with a key of `lynchpin key create`.",
)

_HEAD_BYTES = 512
_ROWS_AT_ONCE = 500
_TELLING_BYTES = 512
"""A shorter open end might be the start of any message: `<Transaction>` and no more."""
_UNSTAMPED = Stamp()


# Written down once: building a statement takes longer than executing it.
_INSERT_RECORD = insert(record)
_INSERT_MESSAGES = insert(message)
_SAME_STAMP = select(record.c.id, record.c.messages).where(
    record.c.source == bindparam("source"),
    record.c.stamp == bindparam("stamp"),
    record.c.sha256 == bindparam("sha256"),
)


@dataclass(frozen=True, slots=True)
class Door:
    """A source as the door sees it: whose facts come in, and who understands them.

    Webhooks come in that are signed with one of the ``secrets``; ``public_url`` is the address that
    their senders have, where it is another than the one that arrives.
    """

    source: str
    system: str
    connector: Connector
    options: Any
    secrets: Secrets = ()
    public_url: str | None = None
    dictionaries: Dictionaries = field(default_factory=Dictionaries)
    """With which what it sends is packed."""
    steps: Steps = field(default_factory=Steps)

    def check(self) -> None:
        """Raises ``ConfigError`` if no webhook could ever be verified with these secrets."""
        if not self.secrets:
            return
        where = f"sources.{self.source}.secrets"
        if self.connector.verify is None:
            raise ConfigError(UNSIGNED_FORMAT.at(path=where))
        nothing = Request("POST", "", {}, b"")
        with suppress(Denied):
            try:
                self.connector.verify(nothing, self.secrets, self.options, datetime.now(UTC))
            except ConfigError as error:
                raise ConfigError(error.problem.model_copy(update={"path": where})) from None


@dataclass(frozen=True, slots=True)
class Origin:
    """Which record of a store agent it is, and when that captured it by its own clock."""

    capture: str
    epoch: str
    seq: int
    captured_at: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A record in the journal: its number, how many messages it has, how many are held already."""

    record: int
    messages: int
    held: int


def take_in(
    connection: Connection,
    door: Door,
    chunks: Iterable[bytes],
    *,
    name: str,
    now: str,
    stamp: Stamp = _UNSTAMPED,
    stores: Collection[str] = (),
    origin: Origin | None = None,
) -> Taken:
    """Journal a record. Raises ``Refused``; the caller then rolls back.

    ``stores`` are those whose facts its sender may send; without any it is not limited.
    """
    incoming = iter(chunks)
    head = _head(incoming)
    name = scrub_text(name)
    ends = torn.open_ends(connection, door.source, name)
    measured = _Measured(chain(head, incoming), ends)
    end = torn.continued(door.connector, door.options, ends, b"".join(head))
    sent = {
        "name": name,
        "received_at": now,
        "stamp": stamp.id,
        "stamped_at": stamp.at,
        "stores": json.dumps(sorted(stores)) if stores else None,
        **(dataclasses.asdict(origin) if origin else {}),
    }
    intake = _Intake(connection, door, ends, sent)
    rest = end.rest if end is not None else None
    for piece in door.steps.each("verify", door.connector.split(measured, door.options, rest)):
        intake.add(piece)
    taken = intake.finish(measured)
    for twin in ends:
        # The same torn record may have come more than once.
        if end is not None and twin.sha256 == end.sha256:
            torn.close(connection, twin, now=now)
    return taken


def refuse(
    connection: Connection,
    door: Door,
    problem: Problem,
    *,
    size: int,
    sha256: str,
    now: str,
    origin: Origin,
) -> None:
    """Keep of a record that was refused its number and the reason, and nothing of its content."""
    values = {
        **dataclasses.asdict(origin),
        **_identity(door),
        "name": problem.file,
        "bytes": size,
        "sha256": sha256,
        "context": b"",
        "received_at": now,
        "messages": 0,
        "refused": problem.model_dump_json(exclude_none=True),
    }
    connection.execute(_INSERT_RECORD, values)


def _identity(door: Door) -> dict[str, str]:
    return {
        "source": door.source,
        "system": door.system,
        "connector": door.connector.manifest.id,
    }


def repeated(
    connection: Connection, source: str, stamp: Stamp, pieces: Iterable[bytes]
) -> Taken | None:
    """The record of the same bytes under the same stamp, if it came before."""
    if stamp.id is None:
        return None
    sha256 = hashlib.sha256()
    for piece in pieces:
        sha256.update(piece)
    same = {"source": source, "stamp": stamp.id, "sha256": sha256.hexdigest()}
    row = connection.execute(_SAME_STAMP, same).first()
    if row is None:
        return None
    held = select(func.count()).where(message.c.record_id == row[0], message.c.state == "held")
    return Taken(row[0], row[1], connection.scalar(held) or 0)


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
        self, connection: Connection, door: Door, ends: list[torn.End], sent: dict[str, Any]
    ) -> None:
        self._connection = connection
        self._door = door
        self._ends = ends
        self._sent = sent
        self._now = str(sent["received_at"])
        self._record: int | None = None
        self._rows: list[dict[str, Any]] = []
        self._problems: dict[int, Problem] = {}
        self._messages = 0
        self._held = 0
        self._context = b""
        self._last = (b"", b"")
        self._rest: Rest | None = None
        self._packs = door.dictionaries.of(connection, door.source)

    def _open(self, **known: Any) -> int:
        values = {
            **self._sent,
            **_identity(self._door),
            "bytes": 0,
            "sha256": "",
            "context": b"",
            "messages": 0,
            **known,
        }
        key = self._connection.execute(_INSERT_RECORD, values).inserted_primary_key
        assert key is not None
        return int(key[0])

    def add(self, piece: Slice | Rest) -> None:
        """Scrub a piece and queue it; nothing unscrubbed goes further than this."""
        since = clock()
        payload = scrub(piece.payload, self._door.connector.scrub)
        context = self._scrubbed(piece.context)
        since = self._door.steps.add("scrub", since)
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
            self._problems[self._messages] = problem.model_copy(update={"file": self._sent["name"]})
        self._rows.append(
            {
                "position": self._messages,
                "offset": max(piece.offset, 0),
                "length": len(payload),
                "payload": journal.compress(payload, self._packs),
                "digest": journal.digest(payload),
                "context": None if context == self._context else context,
                "joined": joined,
                "state": "pending",
            }
        )
        self._messages += 1
        if len(self._rows) >= _ROWS_AT_ONCE:
            self._flush()
        self._door.steps.add("write", since)

    def _scrubbed(self, context: bytes) -> bytes:
        """Scrub a context; the first one is the record's, and mostly all of them are the same."""
        if context is not self._last[0]:
            self._last = (context, scrub(context, self._door.connector.scrub))
        if not self._messages:
            self._context = self._last[1]
        return self._last[1]

    def _flush(self) -> None:
        if self._record is None:
            self._record = self._open()
        if self._rows:
            rows = [{**row, "record_id": self._record} for row in self._rows]
            self._connection.execute(_INSERT_MESSAGES, rows)
        self._rows = []
        for position, problem in self._problems.items():
            number = self._connection.scalar(
                select(message.c.id)
                .where(message.c.record_id == self._record)
                .where(message.c.position == position)
            )
            assert number is not None
            state = journal.park(self._connection, number, problem, now=self._now)
            self._held += state == "held"
        self._problems = {}

    def finish(self, measured: _Measured) -> Taken:
        """Write what is only known at the end of the record."""
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
        if self._record is None:
            self._record = self._open(**values)
        else:
            known = update(record).where(record.c.id == self._record)
            self._connection.execute(known.values(values))
        self._flush()
        return Taken(self._record, self._messages, self._held)

"""The bus: which process settles which messages, so that none is settled by two at once.

Messages of one ordering key are settled in the order they came, by one process at a time. The key
is the capture of a store agent, else the source: what may name the same fact with other content
comes through one of them, and the first of two must stay the first.

A file of SQLite has one process (``hub.lock``), and so ``Alone`` has nothing to share out. On
PostgreSQL several hubs take keys by ``Leased``: a row says who has a key, and until when. A process
that is killed loses its keys by that time, and another one goes on. One that was only slow finds in
the transaction in which it would apply that its lease is another's now, and applies nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, insert, select, update

from hub import journal
from hub.journal import STORED, Stored, stored
from hub.store import postgres
from hub.store.tables import lease, message, record

__all__ = ["LEASE_SECONDS", "Alone", "Bus", "LeaseLost", "Leased", "Taken", "bus_of"]

LEASE_SECONDS = 30.0

_PENDING = message.c.settled_at.is_(None) & (message.c.state == "pending")
_KEY: ColumnElement[str] = func.coalesce(record.c.capture, record.c.source)


class LeaseLost(Exception):
    """Another process has the messages by now; nothing of what was done may be kept."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Messages for this process to settle, in the order they came.

    ``elsewhere`` says that others wait which another process has.
    """

    messages: list[Stored] = field(default_factory=list)
    keys: tuple[str, ...] = ()
    fence: int = 0
    elsewhere: bool = False


class Bus(Protocol):
    """Shares out what is pending. Settle what was taken before taking more."""

    @property
    def shared(self) -> bool:
        """Whether other processes write to the same database."""

    def take(self, limit: int) -> Taken:
        """The oldest messages that nobody else has, as many at most."""

    def confirm(self, connection: Connection, taken: Taken) -> None:
        """Begin a transaction that applies what was taken. Raises ``LeaseLost``."""

    def done(self, connection: Connection, taken: Taken) -> None:
        """Give the keys back, in the transaction that settles the last of what was taken."""


@dataclass(frozen=True, slots=True)
class Alone:
    """The bus of a process that has its database to itself."""

    engine: Engine
    shared: bool = False

    def take(self, limit: int) -> Taken:
        """The oldest that are pending."""
        with self.engine.begin() as connection:
            return Taken(journal.pending(connection, limit=limit))

    def confirm(self, connection: Connection, taken: Taken) -> None:
        """Nobody else can have them."""

    def done(self, connection: Connection, taken: Taken) -> None:
        """Nobody else waits for them."""


@dataclass(frozen=True, slots=True)
class Leased:
    """The bus of a process among several. It goes by the clock of the database, not by its own."""

    engine: Engine
    seconds: float = LEASE_SECONDS
    holder: str = field(default_factory=lambda: secrets.token_hex(8))
    shared: bool = True
    _fences: Any = field(default_factory=lambda: count(1))

    def take(self, limit: int) -> Taken:
        """The oldest of the keys that are free, whose holder's time is over, or that are ours."""
        # Whoever only looks takes no turn from those who write.
        with self.engine.connect() as connection, postgres.without_turn(connection).begin():
            if connection.scalar(select(message.c.id).where(_PENDING).limit(1)) is None:
                return Taken()
        with self.engine.begin() as connection:
            now = connection.scalar(select(postgres.CLOCK_MS)) or 0
            theirs = (lease.c.until_ms > now) & (lease.c.holder != self.holder)
            others = list(connection.scalars(select(lease.c.key).where(theirs)))
            found = select(message.c.id, _KEY).join_from(message, record).where(_PENDING)
            free = found.where(_KEY.not_in(others)) if others else found
            rows = connection.execute(free.order_by(message.c.id).limit(limit)).all()
            if not rows:
                return Taken(elsewhere=bool(others))
            keys = tuple(sorted({row[1] for row in rows}))
            fence = next(self._fences)
            until = now + round(self.seconds * 1000)
            mine = {"holder": self.holder, "fence": fence, "until_ms": until}
            connection.execute(delete(lease).where(lease.c.key.in_(keys)))
            connection.execute(insert(lease), [{"key": key, **mine} for key in keys])
            chosen = STORED.where(message.c.id.in_([row[0] for row in rows]))
            rows = connection.execute(chosen.order_by(message.c.id)).all()
            messages = [stored(connection, row) for row in rows]
        return Taken(messages, keys, fence, elsewhere=bool(others))

    def confirm(self, connection: Connection, taken: Taken) -> None:
        """Prolong the leases, which nobody can take over before this transaction has ended."""
        until = postgres.CLOCK_MS + round(self.seconds * 1000)
        held = connection.execute(
            update(lease).where(self._ours(taken)).values(until_ms=until)
        ).rowcount
        if held != len(taken.keys):
            raise LeaseLost

    def done(self, connection: Connection, taken: Taken) -> None:
        """Let the others have the keys."""
        connection.execute(delete(lease).where(self._ours(taken)))

    def _ours(self, taken: Taken) -> ColumnElement[bool]:
        mine = (lease.c.holder == self.holder) & (lease.c.fence == taken.fence)
        return mine & lease.c.key.in_(taken.keys)


def bus_of(engine: Engine, lease_seconds: float = LEASE_SECONDS) -> Bus:
    """The bus that goes with a database."""
    if engine.dialect.name == "sqlite":
        return Alone(engine)
    return Leased(engine, lease_seconds)

"""Whose turn it is to ask a system: one process at a time, by a lease as those of ``hub.bus``.

A file of SQLite has one process, and nothing is written for it. On PostgreSQL a process that was
only slow finds, when it would keep a page, that the turn is another's now, and keeps nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from hub.bus import LeaseLost
from hub.store import postgres
from hub.store.tables import lease

__all__ = ["Turn"]


@dataclass(frozen=True, slots=True)
class Turn:
    """A process's turn at a poll. ``shared`` says whether there are others; it goes by the clock of
    the database.
    """

    name: str
    seconds: float
    shared: bool
    holder: str = field(default_factory=lambda: secrets.token_hex(8))

    def take(self, connection: Connection) -> bool:
        """Whether it is ours from now on."""
        if not self.shared:
            return True
        now = connection.scalar(select(postgres.CLOCK_MS)) or 0
        key = lease.c.key == self._key
        theirs = key & (lease.c.until_ms > now) & (lease.c.holder != self.holder)
        if connection.scalar(select(lease.c.key).where(theirs)) is not None:
            return False
        connection.execute(delete(lease).where(key))
        until = now + self._length
        mine = {"key": self._key, "holder": self.holder, "fence": 0, "until_ms": until}
        connection.execute(insert(lease), mine)
        return True

    def confirm(self, connection: Connection) -> None:
        """Prolong it in the transaction that keeps what came of it. Raises ``LeaseLost``."""
        if not self.shared:
            return
        longer = update(lease).where(self._ours)
        until = postgres.CLOCK_MS + self._length
        if connection.execute(longer.values(until_ms=until)).rowcount != 1:
            raise LeaseLost

    def give_back(self, connection: Connection) -> None:
        """Let others have it."""
        if self.shared:
            connection.execute(delete(lease).where(self._ours))

    @property
    def _key(self) -> str:
        # No source or capture has a blank in its name.
        return f"poll {self.name}"

    @property
    def _length(self) -> int:
        return round(self.seconds * 1000)

    @property
    def _ours(self) -> ColumnElement[bool]:
        return (lease.c.key == self._key) & (lease.c.holder == self.holder)

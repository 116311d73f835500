"""What the journal weighs: how much came in, what is on the disk of it, and until when."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, func, select

from hub.dictionaries import gains
from hub.settings import Journal
from hub.store.tables import message, record

__all__ = ["Kept", "Weighed", "Weight", "weights"]

_TOLD_SECONDS = 60.0
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class Kept:
    """What the journal has of one kind of messages; that of what could not be read is empty.

    ``expires_at`` is when the first of what is still kept goes.
    """

    kind: str
    messages: int
    removed: int
    stored_bytes: int
    keep_days: int
    expires_at: str | None
    redacted: int = 0


@dataclass(slots=True)
class Weight:
    """What the journal has of one source; ``oldest_at`` is when the first of it came in.

    Bytes are those of messages that are still kept.
    """

    source: str
    messages: int = 0
    removed: int = 0
    raw_bytes: int = 0
    stored_bytes: int = 0
    redacted: int = 0
    oldest_at: str = ""
    gain: float | None = None
    """By which part its dictionary made messages shorter when it was made; none without one."""
    kinds: list[Kept] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """How many bytes came in for each that is stored."""
        return round(self.raw_bytes / self.stored_bytes, 2) if self.stored_bytes else 0.0

    @property
    def expires_at(self) -> str | None:
        """When the first of what is still kept goes."""
        return min((each.expires_at for each in self.kinds if each.expires_at), default=None)


def weights(connection: Connection, kept: Journal) -> list[Weight]:
    """Sources by name. What messages say is not read for it, but each is counted: it takes a
    second for a million.
    """
    there = message.c.removed_at.is_(None)
    rows = connection.execute(
        select(
            record.c.source,
            message.c.kind,
            func.count(),
            func.sum(case((there, 0), else_=1)),
            func.sum(case((there, message.c.length), else_=0)),
            func.sum(func.length(message.c.payload)),
            func.min(record.c.received_at),
            func.min(case((there, record.c.received_at))),
            func.sum(case((message.c.redacted_at.is_not(None), 1), else_=0)),
        )
        .join_from(message, record)
        .group_by(record.c.source, message.c.kind)
    )
    found: dict[str, Weight] = {}
    counted = sorted(rows, key=lambda row: (row[0], row[1] or ""))
    for source, kind, messages, removed, raw, stored, oldest, first, redacted in counted:
        each = found.setdefault(source, Weight(source, oldest_at=oldest))
        each.messages += messages
        each.removed += int(removed)
        each.raw_bytes += int(raw)
        each.stored_bytes += int(stored)
        each.redacted += int(redacted)
        each.oldest_at = min(each.oldest_at, oldest)
        days = kept.days(source, kind)
        expires = first and _later(first, days)
        counts = (messages, int(removed), int(stored), days, expires, int(redacted))
        each.kinds.append(Kept(kind or "", *counts))
    for source, gain in gains(connection).items():
        if source in found:
            found[source].gain = gain
    return list(found.values())


@dataclass(slots=True)
class Weighed:
    """The last count, told again for a minute: whoever looks often need not have it counted."""

    _found: tuple[str, list[Weight]] = ("", [])
    _until: float = 0.0

    def forget(self) -> None:
        """Count again next time: something was done that changes it."""
        self._until = 0.0

    def now(self, connection: Connection, kept: Journal, now: str) -> tuple[str, list[Weight]]:
        """When it was counted, and what."""
        if time.monotonic() > self._until:
            self._found = now, weights(connection, kept)
            self._until = time.monotonic() + _TOLD_SECONDS
        return self._found


def _later(moment: str, days: int) -> str:
    at = datetime.strptime(moment, _TIME) + timedelta(days=days)  # noqa: DTZ007
    return at.strftime(_TIME)

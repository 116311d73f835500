"""What the journal weighs: how much came in, and what is on the disk of it."""

from __future__ import annotations

from dataclasses import dataclass

import zstandard
from sqlalchemy import Connection, func, select

from hub.dictionaries import gains
from hub.store.tables import message, record

__all__ = ["Weight", "weights"]

_HEADER_BYTES = 18
"""The longest that the head of a packed payload may be; it says how long the payload was."""


@dataclass(slots=True)
class Weight:
    """What the journal has of one source; ``oldest_at`` is when the first of it came in."""

    source: str
    messages: int
    raw_bytes: int
    stored_bytes: int
    oldest_at: str
    gain: float | None = None
    """By which part its dictionary made messages shorter when it was made; none without one."""

    @property
    def ratio(self) -> float:
        """How many bytes came in for each that is stored."""
        return round(self.raw_bytes / self.stored_bytes, 2)


def weights(connection: Connection) -> list[Weight]:
    """Sources by name; of each message only the head is fetched, never what it says."""
    rows = connection.execution_options(yield_per=10_000).execute(
        select(
            record.c.source,
            func.length(message.c.payload),
            func.substr(message.c.payload, 1, _HEADER_BYTES),
            record.c.received_at,
        ).join_from(message, record)
    )
    found: dict[str, Weight] = {}
    for source, stored, head, received_at in rows:
        each = found.setdefault(source, Weight(source, 0, 0, 0, received_at))
        each.messages += 1
        each.raw_bytes += zstandard.get_frame_parameters(bytes(head)).content_size
        each.stored_bytes += stored
        each.oldest_at = min(each.oldest_at, received_at)
    for source, gain in gains(connection).items():
        if source in found:
            found[source].gain = gain
    return [found[name] for name in sorted(found)]

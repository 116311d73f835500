"""A moment: what the source's clock said, and what the hub makes of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from schemas.model import Canonical

__all__ = ["LocalTime", "Moment", "Offset", "UtcTime", "ZoneOrigin"]

_CLOCK = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"

LocalTime = Annotated[str, StringConstraints(pattern=f"^{_CLOCK}$")]
"""A wall clock: ``2026-03-01T17:05:09``, fraction only if the source sent one."""

Offset = Annotated[str, StringConstraints(pattern=r"^[+-][0-9]{2}:[0-9]{2}$")]
"""Hours and minutes east of UTC: ``-05:00``; ``+00:00`` for ``Z``."""

UtcTime = Annotated[str, StringConstraints(pattern=f"^{_CLOCK}Z$")]
"""A wall clock in UTC, which sorts as text."""

ZoneOrigin = Literal["source", "location", "assumed"]
"""Who said which zone the wall clock is in: the source, the Location, or the hub's setting."""


class Moment(Canonical):
    """A point in time that keeps what the source said beside what it was taken to mean.

    ``offset`` is the source's own claim and stays even where the Location's zone overrules it
    (the document is then flagged). Never order by moments across systems: clocks differ.
    """

    local: LocalTime
    offset: Offset | None = None
    zone: str | None = None
    utc: UtcTime | None = None
    zone_origin: ZoneOrigin | None = None

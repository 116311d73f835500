"""Placing a wall clock in time: the source's offset, the Location's zone, or an assumption."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.envelope import Flag
from schemas.problem import Cause
from schemas.zone import instants

__all__ = ["AMBIGUOUS", "DISAGREES", "NONEXISTENT", "is_doubled", "place", "reading"]

DISAGREES = Cause(
    "LP-TIME-001",
    "The source's offset is not that of the store's zone; the store's zone was used.",
    "Correct the till's clock settings, or the zone of the Location.",
)
AMBIGUOUS = Cause(
    "LP-TIME-002",
    "The clock shows this time twice on that day; the first was taken.",
    "Go by the sequence number where the order of that hour matters.",
)
NONEXISTENT = Cause(
    "LP-TIME-003",
    "The clock never shows this time on that day; it was read as before the change.",
    "Check the till's clock.",
)


def place(moment: dict[str, str], *, zone: str, located: bool, path: str) -> list[Flag]:
    """Fill ``utc``, ``zone`` and ``zone_origin`` of a moment in place; say what does not fit.

    ``zone`` is the Location's (``located``) or the one the source's settings assume. An offset
    of zero is an instant in UTC whatever the wall clock of the store shows; any other offset
    claims to be the store's, and where the Location's zone differs, the zone holds. A zone that
    the mapping has said already holds before all of them.
    """
    origin = "location" if located else "assumed"
    if (said := moment.get("zone")) is not None:
        if "utc" in moment:
            return []
        zone, origin = said, "source"
    offset = moment.get("offset")
    if offset == "+00:00" or (offset is not None and not located):
        return []
    local, _, fraction = moment["local"].partition(".")
    wall = datetime.fromisoformat(local)
    early, late = instants(wall, zone)
    chosen, flags = early, []
    if offset is not None:
        claimed = datetime.fromisoformat(f"{local}{offset}")
        if claimed in (early, late):
            chosen = claimed
        else:
            flags.append(_flag(DISAGREES, path))
    elif early > late:
        flags.append(_flag(NONEXISTENT, path))
    elif early != late:
        flags.append(_flag(AMBIGUOUS, path))
    moment["utc"] = _utc(chosen, fraction)
    moment["zone"] = zone
    moment["zone_origin"] = origin
    return flags


def is_doubled(local: str, zone: str) -> bool:
    """Whether the clocks of a zone show this time twice."""
    early, late = instants(datetime.fromisoformat(local.partition(".")[0]), zone)
    return early < late


def reading(local: str, zone: str, *, late: bool) -> str:
    """One of the two readings of a doubled time, as UTC."""
    wall, _, fraction = local.partition(".")
    return _utc(instants(datetime.fromisoformat(wall), zone)[late], fraction)


def _utc(instant: datetime, fraction: str) -> str:
    text = instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


def _flag(cause: Cause, path: str) -> Flag:
    return Flag(code=cause.code, path=path, detail=cause.summary)

"""Time zones: their names, and which instants a wall clock in one of them may mean."""

from __future__ import annotations

from datetime import UTC, datetime
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

__all__ = ["instants", "is_known", "known_zone"]


def is_known(name: str) -> bool:
    """Whether this machine knows a zone of this IANA name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def known_zone(name: str) -> str:
    """Return an IANA name as it is. Raises ``ValueError`` suggesting what may have been meant."""
    if not is_known(name):
        near = get_close_matches(name, available_timezones(), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"is no IANA time zone{hint}")
    return name


@lru_cache(maxsize=4096)
def instants(wall: datetime, zone: str) -> tuple[datetime, datetime]:
    """Both readings of a wall clock in UTC: equal but for the hour that is shown twice or never.

    The first is the earlier one where the clock shows the time twice, the later one where never.
    """
    info = ZoneInfo(zone)
    early = wall.replace(tzinfo=info, fold=0).astimezone(UTC)
    late = wall.replace(tzinfo=info, fold=1).astimezone(UTC)
    return early, late

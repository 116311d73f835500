"""Names of time zones: accepted if this machine knows them, corrected if it nearly does."""

from __future__ import annotations

from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

__all__ = ["known_zone"]


def known_zone(name: str) -> str:
    """Return an IANA name as it is. Raises ``ValueError`` suggesting what may have been meant."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = get_close_matches(name, available_timezones(), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"is no IANA time zone{hint}") from None
    return name

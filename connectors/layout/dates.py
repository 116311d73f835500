"""Days and moments as a layout writes them, read as ISO text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

__all__ = ["Pattern"]

_PARTS = {
    "YYYY": ("year", r"(?P<year>\d{4})"),
    "YY": ("year", r"(?P<year>\d{2})"),
    "MM": ("month", r"(?P<month>\d{2})"),
    "DD": ("day", r"(?P<day>\d{2})"),
    "hh": ("hour", r"(?P<hour>\d{2})"),
    "mm": ("minute", r"(?P<minute>\d{2})"),
    "ss": ("second", r"(?P<second>\d{2})"),
}
_PART = re.compile("|".join(_PARTS))


@dataclass(frozen=True, slots=True)
class Pattern:
    """``YYYY YY MM DD hh mm ss`` and what stands between them; ``YY`` is of this century."""

    reads: re.Pattern[str]
    has_day: bool
    has_time: bool

    @staticmethod
    @lru_cache(maxsize=256)
    def of(text: str) -> Pattern:
        """Read a pattern. Raises ``ValueError`` saying what is wrong with it."""
        names = [_PARTS[part][0] for part in _PART.findall(text)]
        if len(set(names)) != len(names):
            raise ValueError(f"the pattern {text!r} has a part twice")
        has_day = {"year", "month", "day"} <= set(names)
        if not has_day and not ("hour" in names and not {"year", "month", "day"} & set(names)):
            raise ValueError(f"the pattern {text!r} is neither a day nor a time")
        if ("minute" in names) < ("second" in names) or ("hour" in names) < ("minute" in names):
            raise ValueError(f"the pattern {text!r} lacks what its last part counts from")
        pieces, at = [], 0
        for part in _PART.finditer(text):
            pieces += [re.escape(text[at : part.start()]), _PARTS[part[0]][1]]
            at = part.end()
        pieces.append(re.escape(text[at:]))
        return Pattern(re.compile("".join(pieces), re.ASCII), has_day, "hour" in names)

    def read(self, text: str) -> str:
        """ISO text: a day, a moment or a time of day. Raises ``ValueError`` if it is none."""
        found = self.reads.fullmatch(text)
        if found is None:
            raise ValueError("not written as the layout says")
        parts = {name: int(value) for name, value in found.groupdict().items()}
        if parts.get("year", 2000) < 100:
            parts["year"] += 2000
        try:
            moment = datetime(  # noqa: DTZ001 (a till's clock has no zone)
                parts.get("year", 2000),
                parts.get("month", 1),
                parts.get("day", 1),
                parts.get("hour", 0),
                parts.get("minute", 0),
                parts.get("second", 0),
            )
        except ValueError:
            # What Python says about it may quote the value.
            raise ValueError("no day or time that there is") from None
        if not self.has_time:
            return moment.date().isoformat()
        return moment.isoformat() if self.has_day else moment.time().isoformat()

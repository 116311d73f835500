"""What a rule may do to dates and times: read other writings, say the zone of a wall clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any

from mappings.numbers import as_decimal
from mappings.texts import ArgumentError, Transformer, as_text, count
from schemas.zone import instants, is_known, known_zone

__all__ = ["TIMES", "Parts", "Pattern", "as_date", "as_moment"]

_NO_TIME = "this time is on no clock and calendar"


class Parts(dict[str, str]):
    """The parts of a moment that a transform has made; an object of the source is none."""


_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2}|T.*)?")


def as_date(value: Any) -> str:
    """Read the day at the front of ``2026-03-01``, ``2026-03-01Z``, ``2026-03-01T...``."""
    match = _DATE.fullmatch(as_text(value))
    if match is None:
        raise ValueError("a date like 2026-03-01 was expected here")
    try:
        date.fromisoformat(match[1])
    except ValueError:
        raise ValueError("this day is in no calendar") from None
    return match[1]


_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(\.\d{1,9})?\s?(Z|[+-]\d\d:?[0-5]\d)?",
    re.IGNORECASE | re.ASCII,
)


def as_moment(value: Any) -> dict[str, str]:
    """Read a wall clock with or without offset into the parts of a ``Moment``."""
    if type(value) is Parts:
        return dict(value)
    match = _MOMENT.fullmatch(as_text(value))
    if match is None:
        raise ValueError("a time like 2026-03-01T17:05:09+01:00 was expected here")
    day, minute, second, fraction, offset = match.groups()
    return _moment(f"{day}T{minute}{second or ':00'}", fraction or "", offset)


def _moment(local: str, fraction: str, offset: str | None) -> dict[str, str]:
    try:
        clock = datetime.fromisoformat(local)
        if offset is None:
            return {"local": local + fraction}
        if offset in "Zz":
            offset = "+00:00"
        elif len(offset) == 5:
            offset = f"{offset[:3]}:{offset[3:]}"
        utc = (clock - _east(offset)).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        # What Python says of it may quote the value.
        raise ValueError(_NO_TIME) from None
    return {
        "local": local + fraction,
        "offset": offset,
        "utc": f"{utc}{fraction}Z",
        "zone_origin": "source",
    }


@lru_cache(maxsize=256)
def _east(offset: str) -> timedelta:
    """How far east of UTC. Raises ``ValueError`` for a day or more."""
    east = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:]))
    return timezone(-east if offset[0] == "-" else east).utcoffset(None)


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FIELDS = {
    "YYYY": ("year", "[0-9]{4}"),
    "YY": ("short_year", "[0-9]{2}"),
    "MMM": ("month_name", "[A-Za-z]{3}"),
    "MM": ("month", "[0-9]{2}"),
    "M": ("month", "[0-9]{1,2}"),
    "DD": ("day", "[0-9]{2}"),
    "D": ("day", "[0-9]{1,2}"),
    "HH": ("hour", "[0-9]{2}"),
    "H": ("hour", "[0-9]{1,2}"),
    "hh": ("half_hour", "[0-9]{2}"),
    "h": ("half_hour", "[0-9]{1,2}"),
    "A": ("half", "[AaPp][Mm]"),
    "mm": ("minute", "[0-9]{2}"),
    "ss": ("second", "[0-9]{2}"),
    "Z": ("offset", "[Zz]|[+-][0-9]{2}:?[0-5][0-9]"),
}
_TOKEN = re.compile(rf"S{{1,9}}|{'|'.join(_FIELDS)}|T|[^A-Za-z]")
_HOURS = ({"hour"}, {"half_hour", "half"})


class Pattern:
    """How a system writes a date or a time: ``DD.MM.YYYY HH:mm``, digits and signs as they are."""

    def __init__(self, words: tuple[str, ...], *, timed: bool) -> None:
        self._pivot: int | None = None
        if len(words) > 2 and words[-2] == "pivot":
            self._pivot = count(words[-1], 0, 99)
            words = words[:-2]
        text = " ".join(words)
        self.shown = text
        self._written = re.compile(_written(text))
        found = set(self._written.groupindex)
        _check(found, timed=timed, pivot=self._pivot)

    def read(self, value: Any) -> dict[str, str]:
        """The parts of a value by name. Raises ``ValueError``."""
        match = self._written.fullmatch(as_text(value).strip())
        if match is None:
            raise ValueError(f"a time written like {self.shown} was expected here")
        return {name: text for name, text in match.groupdict().items() if text is not None}

    def day(self, parts: dict[str, str]) -> str:
        """The day as ``2026-03-01``."""
        if (name := parts.get("month_name")) is not None:
            if name.lower() not in _MONTHS:
                raise ValueError("this month is in no calendar")
            month = _MONTHS.index(name.lower()) + 1
        else:
            month = int(parts["month"])
        try:
            return date(self._year(parts), month, int(parts["day"])).isoformat()
        except ValueError:
            raise ValueError("this day is in no calendar") from None

    def write(self, local: str, offset: str = "") -> str:
        """Write a day or a wall clock; what the pattern has no place for is left out."""
        day, _, clock = local.partition("T")
        year, month, number = day.split("-")
        clock, _, fraction = (clock or "00:00:00").partition(".")
        hour, minute, second = clock.split(":")
        half = int(hour) % 12 or 12
        written = {"YYYY": year, "YY": year[2:], "MMM": _MONTHS[int(month) - 1].title()}
        written |= {"MM": month, "M": str(int(month)), "DD": number, "D": str(int(number))}
        written |= {"HH": hour, "H": str(int(hour)), "hh": f"{half:02}", "h": str(half)}
        written |= {"A": "AM" if int(hour) < 12 else "PM", "mm": minute, "ss": second, "Z": offset}

        def token(match: re.Match[str]) -> str:
            width = len(match[0])
            return (
                fraction[:width].ljust(width, "0")
                if match[0][0] == "S"
                else written.get(match[0], match[0])
            )

        return _TOKEN.sub(token, self.shown)

    def _year(self, parts: dict[str, str]) -> int:
        if (year := parts.get("year")) is not None:
            return int(year)
        short = int(parts["short_year"])
        assert self._pivot is not None
        return short + (1900 if short >= self._pivot else 2000)


def _written(text: str) -> str:
    """The regular expression of a pattern. Raises ``ArgumentError``."""
    expression, at, loose = "", 0, False
    for token in _TOKEN.finditer(text):
        if token.start() != at:
            break
        at = token.end()
        name, digits = _FIELDS.get(token[0], ("", ""))
        if token[0][0] == "S":
            name, digits = "fraction", f"[0-9]{{{len(token[0])}}}"
        if loose and name:
            raise ArgumentError("behind a single D, M, H or h comes no other digit")
        loose = token[0] in ("D", "M", "H", "h")
        if name and f"(?P<{name}>" in expression:
            raise ArgumentError(f"{token[0]} or its like is there twice")
        expression += f"(?P<{name}>{digits})" if name else re.escape(token[0])
    if at != len(text):
        known = ", ".join((*_FIELDS, "S"))
        raise ArgumentError(f"{text[at]!r} means nothing in a pattern; there are {known}")
    return expression


def _check(found: set[str], *, timed: bool, pivot: int | None) -> None:
    if len(found & {"year", "short_year"}) != 1 or len(found & {"month", "month_name"}) != 1:
        raise ArgumentError("the pattern needs a year, a month and a day")
    if "day" not in found:
        raise ArgumentError("the pattern needs a year, a month and a day")
    if ("short_year" in found) != (pivot is not None):
        raise ArgumentError(
            "two digits of a year, and only they, need a pivot: YY pivot 70 is 1970 to 2069"
        )
    if timed and ("minute" not in found or found & {"hour", "half_hour", "half"} not in _HOURS):
        raise ArgumentError("the pattern needs an hour, HH or hh with A, and a minute")
    if "fraction" in found and "second" not in found:
        raise ArgumentError("a fraction S follows seconds")


def _date(*words: str) -> Transformer:
    if not words:
        return as_date
    pattern = Pattern(words, timed=False)
    return lambda value: pattern.day(pattern.read(value))


def _moments(*words: str) -> Transformer:
    if not words:
        return lambda value: Parts(as_moment(value))
    if words in (("seconds",), ("milliseconds",)):
        places = 0 if words[0] == "seconds" else 3
        return lambda value: _epoch(as_decimal(value), places)
    pattern = Pattern(words, timed=True)

    def read(value: Any) -> Parts:
        parts = pattern.read(value)
        clock = f"{_hour(parts):02}:{parts['minute']}:{parts.get('second', '00')}"
        fraction = f".{parts['fraction']}" if "fraction" in parts else ""
        local = f"{pattern.day(parts)}T{clock}"
        try:
            datetime.fromisoformat(local)
        except ValueError:
            raise ValueError(_NO_TIME) from None
        return Parts(_moment(local, fraction, parts.get("offset")))

    return read


def _hour(parts: dict[str, str]) -> int:
    if (hour := parts.get("hour")) is not None:
        return int(hour)
    half = int(parts["half_hour"])
    if not 1 <= half <= 12:
        raise ValueError(_NO_TIME)
    return half % 12 + (12 if parts["half"].lower() == "pm" else 0)


_DAWN = datetime(1970, 1, 1)  # noqa: DTZ001 - what is added to it is UTC, and so is the sum
_SECONDS_MAX = 253_402_300_800
"""The end of the year 9999."""
_FRACTION_MAX = 9


def _epoch(number: Decimal, places: int) -> Parts:
    """Seconds since 1970 in UTC; the last ``places`` digits before the point are a fraction."""
    sign, digits, exponent = number.as_tuple()
    if sign or type(exponent) is not int:
        raise ValueError("a time after 1970 was expected here")
    exponent -= places
    text = "".join(map(str, digits)) + "0" * max(exponent, 0)
    behind = max(-exponent, 0)
    text = text.rjust(behind + 1, "0")
    whole, fraction = text[: len(text) - behind], text[len(text) - behind :]
    if len(fraction) > _FRACTION_MAX or int(whole) >= _SECONDS_MAX:
        raise ValueError(_NO_TIME)
    local = (_DAWN + timedelta(seconds=int(whole))).isoformat()
    return Parts(_moment(local, f".{fraction}" if fraction else "", "Z"))


def _zone(name: str) -> Transformer:
    """Say which zone a wall clock shows.

    An offset of the source goes before: the zone is noted where it has that offset at that time.
    A time that the clock shows twice or never is given no instant here: the hub takes one, and
    flags the document.
    """
    if not is_known(name):
        try:
            known_zone(name)
        except ValueError as error:
            raise ArgumentError(f"this {error}") from None
    return lambda value: _placed(as_moment(value), name)


def _placed(moment: dict[str, str], zone: str) -> Parts:
    local, _, fraction = moment["local"].partition(".")
    try:
        early, late = instants(datetime.fromisoformat(local), zone)
    except (ValueError, OverflowError):
        raise ValueError(_NO_TIME) from None
    if (offset := moment.get("offset")) is not None:
        # Zero is an instant in UTC whatever the clock of the store shows.
        claimed = datetime.fromisoformat(f"{local}{offset}")
        if offset == "+00:00" or early > late or claimed not in (early, late):
            return Parts(moment)
        return Parts({**moment, "zone": zone})
    placed = {"local": moment["local"], "zone": zone, "zone_origin": "source"}
    if early == late:
        text = early.replace(tzinfo=None).isoformat(timespec="seconds")
        placed["utc"] = f"{text}.{fraction}Z" if fraction else f"{text}Z"
    return Parts(placed)


TIMES: dict[str, Callable[..., Transformer]] = {
    "date": _date,
    "moment": _moments,
    "zone": _zone,
}
"""The transforms of dates and times by name.

With an inverse: ``date`` and ``moment`` with a pattern (write by the pattern; one without ``Z``
writes the wall clock, one with it the wall clock and its offset; what the pattern has no place for
must be zero), ``moment seconds`` and ``moment milliseconds`` (count from ``utc``; a finer fraction
does not fit), ``zone`` (nothing to do: ``local`` is what was read). ``date`` alone loses the time.
"""

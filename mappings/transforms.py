"""The transforms: what a rule may do to a value on its way. Each is total or raises ValueError.

A transform gets a value that is there (never ``None``, never empty text) and may return ``None``
to say that nothing is left of it. Arguments come as written in the rule and are bound once, when
the mapping is compiled.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from schemas.money import plain

__all__ = ["COERCIONS", "TRANSFORMS", "Transformer", "as_decimal", "as_text"]

Transformer = Callable[[Any], Any]

DIGITS_MAX = 40
# Room for the product of two numbers of the greatest length: nothing is ever rounded.
_EXACT = Context(prec=4 * DIGITS_MAX)


def as_text(value: Any) -> str:
    """Write a source value as text: numbers digit for digit, ``True`` as ``true``."""
    if type(value) is str:
        return value
    if value is True or value is False:
        return "true" if value else "false"
    if type(value) is Decimal:
        return plain(value)
    if type(value) is int:
        return str(value)
    raise ValueError("a single value was expected here, not a list or an object")


def as_decimal(value: Any) -> Decimal:
    """Read a finite decimal with a point, digits kept: ``199.00`` stays ``199.00``."""
    if type(value) is str:
        try:
            # Almost all are of these characters alone, and then no more can be wrong with them.
            if len(value) <= DIGITS_MAX and not value.strip("0123456789.-+"):
                return Decimal(value)
            return _unusual(value)
        except InvalidOperation:
            raise ValueError("this is no decimal number") from None
    if type(value) is Decimal:
        return _sensible(value)
    if type(value) is int:
        return Decimal(value)
    raise ValueError("a number was expected here")


def _unusual(text: str) -> Decimal:
    # Decimal() also reads 1_000 and digits of any script.
    if "_" in text or len(text) > DIGITS_MAX or not text.isascii():
        raise ValueError("this is no plain decimal number")
    return _sensible(Decimal(text))


def _sensible(number: Decimal) -> Decimal:
    # NaN and Infinity are no amounts, and 1E999999999 is a gigabyte when it is written out.
    if not number.is_finite() or not -DIGITS_MAX <= number.adjusted() <= DIGITS_MAX:
        raise ValueError("this is no finite decimal number of a sensible size")
    return number


def as_integer(value: Any) -> int:
    """Read a whole number; ``3.00`` is one, ``3.5`` is not."""
    number = as_decimal(value)
    if number != number.to_integral_value():
        raise ValueError("a whole number was expected here")
    return int(number)


_FLAGS = dict.fromkeys(("true", "1", "y", "yes"), True)
_FLAGS |= dict.fromkeys(("false", "0", "n", "no"), False)


def as_flag(value: Any) -> bool:
    """Read yes or no: ``true false 1 0 y n yes no`` in any case."""
    flag = _FLAGS.get(as_text(value).lower())
    if flag is None:
        raise ValueError("yes or no was expected here")
    return flag


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
    match = _MOMENT.fullmatch(as_text(value))
    if match is None:
        raise ValueError("a time like 2026-03-01T17:05:09+01:00 was expected here")
    day, minute, second, fraction, offset = match.groups()
    local = f"{day}T{minute}{second or ':00'}"
    fraction = fraction or ""
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
        raise ValueError("this time is on no clock and calendar") from None
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


def as_texts(value: Any) -> list[str]:
    """Read a list of texts; a single one is a list of one."""
    values = value if type(value) is list else [value]
    return [text for v in values if v is not None and (text := as_text(v))]


def _nothing_if_zero(value: Any) -> str | None:
    """``0000000000`` identifies nobody."""
    text = as_text(value)
    return text if text.strip("0") else None


def _split(separator: str) -> Transformer:
    def split(value: Any) -> list[str] | None:
        return [part for raw in as_text(value).split(separator) if (part := raw.strip())] or None

    return split


def _times(factor: str) -> Transformer:
    number = as_decimal(factor)
    return lambda value: _EXACT.multiply(as_decimal(value), number)


def _last(count: str) -> Transformer:
    length = as_integer(count)
    if length < 1:
        raise ValueError("keep at least one character")
    return lambda value: as_text(value)[-length:]


def _digits(value: Any) -> str | None:
    return "".join(c for c in as_text(value) if c in "0123456789") or None


def _trim(value: Any) -> str | None:
    return as_text(value).strip() or None


def _negate(value: Any) -> Decimal:
    number = as_decimal(value)
    # There is no such amount as -0.00.
    return number.copy_negate() if number else number.copy_abs()


def _prefix(text: str) -> Transformer:
    return lambda value: text + as_text(value)


def _plain(function: Transformer) -> Callable[..., Transformer]:
    return lambda: function


TRANSFORMS: dict[str, Callable[..., Transformer]] = {
    "text": _plain(as_text),
    "trim": _plain(_trim),
    "lower": _plain(lambda value: as_text(value).lower()),
    "upper": _plain(lambda value: as_text(value).upper()),
    "digits": _plain(_digits),
    "decimal": _plain(as_decimal),
    "negate": _plain(_negate),
    "absolute": _plain(lambda value: as_decimal(value).copy_abs()),
    "integer": _plain(as_integer),
    "flag": _plain(as_flag),
    "opposite": _plain(lambda value: not as_flag(value)),
    "date": _plain(as_date),
    "nothing_if_zero": _plain(_nothing_if_zero),
    "split": _split,
    "times": _times,
    "last": _last,
    "prefix": _prefix,
}
"""Every transform by its name in the language; the arguments of the rule bind it."""

COERCIONS: dict[str, Transformer] = {
    "text": as_text,
    "decimal": as_decimal,
    "integer": as_integer,
    "flag": as_flag,
    "date": as_date,
    "moment": as_moment,
    "texts": as_texts,
}
"""What is done to a value, after the transforms, to fit the kind of its target."""

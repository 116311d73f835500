"""The transforms: what a rule may do to a value on its way. Each is total or raises ValueError.

A transform gets a value that is there (never ``None``, never empty text) and may return ``None``
to say that nothing is left of it. Arguments come as written in the rule and are bound once, when
the mapping is compiled.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from schemas.money import plain

__all__ = ["COERCIONS", "TRANSFORMS", "Transformer", "as_decimal", "as_text"]

Transformer = Callable[[Any], Any]

DIGITS_MAX = 40


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
    if type(value) is Decimal:
        return value
    if type(value) is int:
        return Decimal(value)
    if type(value) is not str:
        raise ValueError("a number was expected here")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError("this is no decimal number") from None
    # Decimal() also reads 1_000, NaN and Infinity, none of which is money.
    if "_" in value or not number.is_finite() or len(value) > DIGITS_MAX or not value.isascii():
        raise ValueError("this is no finite decimal number")
    return number


def as_integer(value: Any) -> int:
    """Read a whole number; ``3.00`` is one, ``3.5`` is not."""
    number = as_decimal(value)
    if number != number.to_integral_value():
        raise ValueError("a whole number was expected here")
    return int(number)


_FLAGS = {"true": True, "1": True, "y": True, "yes": True, "false": False, "0": False, "n": False, "no": False}


def as_flag(value: Any) -> bool:
    """Read yes or no: ``true false 1 0 y n yes no`` in any case."""
    flag = _FLAGS.get(as_text(value).lower())
    if flag is None:
        raise ValueError("yes or no was expected here")
    return flag


_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2}|T.*)?")


def as_date(value: Any) -> str:
    """Read the calendar date at the front of ``2026-03-01``, ``2026-03-01Z``, ``2026-03-01T...``."""
    match = _DATE.fullmatch(as_text(value))
    if match is None:
        raise ValueError("a date like 2026-03-01 was expected here")
    return match[1]


_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(\.\d{1,9})?\s?(Z|[+-]\d\d:?\d\d)?", re.I | re.A
)


def as_moment(value: Any) -> dict[str, str]:
    """Read a wall clock with or without offset into the parts of a ``Moment``."""
    if type(value) is dict:
        return value
    match = _MOMENT.fullmatch(as_text(value))
    if match is None:
        raise ValueError("a time like 2026-03-01T17:05:09+01:00 was expected here")
    day, minute, second, fraction, offset = match.groups()
    local = f"{day}T{minute}{second or ':00'}"
    clock = datetime.fromisoformat(local)
    if offset is None:
        return {"local": local + (fraction or "")}
    if offset in "Zz":
        offset = "+00:00"
    elif len(offset) == 5:
        offset = f"{offset[:3]}:{offset[3:]}"
    east = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:]))
    zone = timezone(-east if offset[0] == "-" else east)
    utc = clock.replace(tzinfo=zone).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = fraction or ""
    return {
        "local": local + fraction,
        "offset": offset,
        "utc": f"{utc}{fraction}Z",
        "zone_origin": "source",
    }


def as_texts(value: Any) -> list[str]:
    """Read a list of texts; a single one is a list of one."""
    values = value if type(value) is list else [value]
    return [text for v in values if v is not None and (text := as_text(v))]


def _nothing_if_zero(value: Any) -> str | None:
    """``0000000000`` identifies nobody."""
    text = as_text(value)
    return text if text.strip("0") else None


def _split(separator: str) -> Transformer:
    def split(value: Any) -> list[str]:
        return [part for raw in as_text(value).split(separator) if (part := raw.strip())]

    return split


def _times(factor: str) -> Transformer:
    number = as_decimal(factor)
    return lambda value: as_decimal(value) * number


def _last(count: str) -> Transformer:
    length = as_integer(count)
    return lambda value: as_text(value)[-length:]


def _digits(value: Any) -> str | None:
    return "".join(c for c in as_text(value) if c in "0123456789") or None


def _prefix(text: str) -> Transformer:
    return lambda value: text + as_text(value)


def _plain(function: Transformer) -> Callable[..., Transformer]:
    return lambda: function


TRANSFORMS: dict[str, Callable[..., Transformer]] = {
    "text": _plain(as_text),
    "trim": _plain(lambda value: as_text(value).strip()),
    "lower": _plain(lambda value: as_text(value).lower()),
    "upper": _plain(lambda value: as_text(value).upper()),
    "digits": _plain(_digits),
    "decimal": _plain(as_decimal),
    "negate": _plain(lambda value: as_decimal(value).copy_negate()),
    "absolute": _plain(lambda value: as_decimal(value).copy_abs()),
    "integer": _plain(as_integer),
    "flag": _plain(as_flag),
    "opposite": _plain(lambda value: not as_flag(value)),
    "date": _plain(as_date),
    "moment": _plain(as_moment),
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

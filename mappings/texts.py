"""What a rule may do to a text: write, cut, pad, replace. Lengths are counted in characters."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from schemas.money import plain

__all__ = [
    "TEXTS",
    "ArgumentError",
    "Transformer",
    "as_text",
    "as_texts",
    "count",
    "unbound",
]

Transformer = Callable[[Any], Any]

LENGTH_MAX = 100_000
"""No text grows beyond this; one that is longer as sent may stay so."""
WIDTH_MAX = 1000
PLACE_MAX = 10_000


class ArgumentError(ValueError):
    """What is wrong with an argument of a transform, in words without the value."""


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


def as_texts(value: Any) -> list[str]:
    """Read a list of texts; a single one is a list of one."""
    values = value if type(value) is list else [value]
    return [text for v in values if v is not None and (text := as_text(v))]


def count(text: str, least: int, most: int) -> int:
    """Read an argument that counts something. Raises ``ArgumentError``."""
    if re.fullmatch(r"-?[0-9]{1,5}", text) and least <= int(text) <= most:
        return int(text)
    raise ArgumentError(f"a number from {least} to {most} was expected")


def unbound(function: Transformer) -> Callable[..., Transformer]:
    """A transform that takes no arguments."""
    return lambda: function


def _nothing_if_zero(value: Any) -> str | None:
    """``0000000000`` identifies nobody."""
    text = as_text(value)
    return text if text.strip("0") else None


def _strip_zeros(value: Any) -> str:
    """A number of nothing but zeros keeps its last one."""
    text = as_text(value)
    return text.lstrip("0") or text[-1:]


def _split(separator: str) -> Transformer:
    def split(value: Any) -> list[str] | None:
        return [part for raw in as_text(value).split(separator) if (part := raw.strip())] or None

    return _separated(separator, split)


def _part(position: str, separator: str) -> Transformer:
    """From the front with 1, 2, ...; from the end with -1, -2, ..."""
    number = count(position, -WIDTH_MAX, WIDTH_MAX)
    if number == 0:
        raise ArgumentError("the first part is number 1, the last one is number -1")
    index = number - 1 if number > 0 else number

    def part(value: Any) -> str | None:
        parts = as_text(value).split(separator)
        return parts[index].strip() or None if -len(parts) <= index < len(parts) else None

    return _separated(separator, part)


def _separated(separator: str, function: Transformer) -> Transformer:
    if not separator:
        raise ArgumentError("a separator was expected")
    return function


def _first(length: str) -> Transformer:
    end = count(length, 1, WIDTH_MAX)
    return lambda value: as_text(value)[:end]


def _last(length: str) -> Transformer:
    start = count(length, 1, WIDTH_MAX)
    return lambda value: as_text(value)[-start:]


def _cut(first: str, last: str) -> Transformer:
    """Both counted from 1, and both in it, as the tables of fixed-width formats have it."""
    start = count(first, 1, PLACE_MAX) - 1
    end = count(last, start + 1, PLACE_MAX)
    return lambda value: as_text(value)[start:end] or None


def _pad(width: str, filler: str = "0") -> Transformer:
    length = count(width, 1, WIDTH_MAX)
    if len(filler) != 1:
        raise ArgumentError("a single character was expected to fill with")
    return lambda value: as_text(value).rjust(length, filler)


def _replace(old: str, new: str) -> Transformer:
    if not old:
        raise ArgumentError("say which text to replace")
    growth = max(len(new) - len(old), 0)

    def replace(value: Any) -> str | None:
        text = as_text(value)
        if growth and len(text) + growth * text.count(old) > LENGTH_MAX:
            raise ValueError("this text would become too long")
        return text.replace(old, new) or None

    return replace


def _prefix(text: str) -> Transformer:
    return lambda value: text + as_text(value)


def _digits(value: Any) -> str | None:
    return "".join(c for c in as_text(value) if c in "0123456789") or None


def _trim(value: Any) -> str | None:
    return as_text(value).strip() or None


def _collapse(value: Any) -> str | None:
    return " ".join(as_text(value).split()) or None


TEXTS: dict[str, Callable[..., Transformer]] = {
    "text": unbound(as_text),
    "trim": unbound(_trim),
    "collapse": unbound(_collapse),
    "lower": unbound(lambda value: as_text(value).lower()),
    "upper": unbound(lambda value: as_text(value).upper()),
    "digits": unbound(_digits),
    "first": _first,
    "last": _last,
    "cut": _cut,
    "part": _part,
    "split": _split,
    "prefix": _prefix,
    "pad": _pad,
    "strip_zeros": unbound(_strip_zeros),
    "replace": _replace,
    "nothing_if_zero": unbound(_nothing_if_zero),
}
"""The transforms of texts by name.

With an inverse: ``prefix`` (take it off), ``pad`` and ``strip_zeros`` (each other, for a width that
the channel fixes), ``split`` (join; blanks around the parts are lost), ``replace`` where the new
text never stands in a value of its own. The others lose something.
"""

"""The transforms: what a rule may do to a value on its way. Each is total or raises ValueError.

A transform gets a value that is there (never ``None``, never empty text) and may return ``None``
to say that nothing is left of it. Arguments come as written in the rule and are bound once, when
the mapping is compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mappings.numbers import NUMBERS, as_decimal, as_integer
from mappings.texts import TEXTS, ArgumentError, Transformer, as_text, as_texts, unbound
from mappings.times import TIMES, as_date, as_moment

__all__ = ["COERCIONS", "TRANSFORMS", "ArgumentError", "Transformer", "as_decimal", "as_text"]

_FLAGS = dict.fromkeys(("true", "1", "y", "yes"), True)
_FLAGS |= dict.fromkeys(("false", "0", "n", "no"), False)


def as_flag(value: Any) -> bool:
    """Read yes or no: ``true false 1 0 y n yes no`` in any case."""
    flag = _FLAGS.get(as_text(value).lower())
    if flag is None:
        raise ValueError("yes or no was expected here")
    return flag


TRANSFORMS: dict[str, Callable[..., Transformer]] = {
    **TEXTS,
    **NUMBERS,
    "flag": unbound(as_flag),
    "opposite": unbound(lambda value: not as_flag(value)),
    **TIMES,
}
"""Every transform by its name in the language; the arguments of the rule bind it.

The tables it is made of say which have an inverse; ``flag`` has one where the channel's two words
are known, ``opposite`` is its own.
"""

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

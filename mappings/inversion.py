"""What a transform does on the way back: from a canonical value to the one that the source had.

Every transform stands in one of two tables here. An inverse gives a value that the transform turns
into the canonical one again; that it does is checked on every value, so ``back`` need not refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from typing import Any

from mappings.transforms import TRANSFORMS, as_decimal, as_text

__all__ = ["INVERSES", "WITHOUT_INVERSE", "Inversion"]

# Room for any number that a rule may meet; what does not divide evenly is no amount of the source.
_EXACT = Context(prec=200, traps=[Inexact])


@dataclass(frozen=True, slots=True)
class Inversion:
    """``back`` undoes a transform; ``loses`` says what of the source's own spelling is lost.

    ``reads`` is how the transform reads its value: spellings that it reads alike are the same.
    """

    back: Callable[[Any], Any]
    loses: str = ""
    reads: Callable[[Any], Any] = as_text


def _same(value: Any) -> Any:
    return value


def _exact(
    back: Callable[[Any], Any] = _same, reads: Callable[[Any], Any] = as_text
) -> Callable[..., Inversion]:
    return lambda *_: Inversion(back, reads=reads)


def _lossy(loses: str) -> Callable[..., Inversion]:
    return lambda *_: Inversion(_same, loses)


def _flag(value: Any) -> Any:
    return TRANSFORMS["flag"]()(value)


def _split(separator: str) -> Inversion:
    glue = separator if separator.isspace() else f"{separator} "
    return Inversion(glue.join, "the blanks between the parts")


def _times(factor: str) -> Inversion:
    number = as_decimal(factor)
    if not number:
        raise ValueError("nothing can be divided by zero")

    def divided(value: Any) -> Decimal:
        quotient = _EXACT.divide(as_decimal(value), number)
        # 20.0 came from 0.2 and not from 0.200: the product has the places of both together.
        exponent = as_decimal(value).as_tuple().exponent
        places = number.as_tuple().exponent
        assert isinstance(exponent, int)
        assert isinstance(places, int)
        try:
            return quotient.quantize(Decimal((0, (1,), exponent - places)), context=_EXACT)
        except Inexact:
            return quotient

    return Inversion(divided, reads=as_decimal)


def _prefix(text: str) -> Inversion:
    return Inversion(lambda value: as_text(value).removeprefix(text))


INVERSES: dict[str, Callable[..., Inversion]] = {
    "text": _exact(),
    "trim": _lossy("the blanks around it"),
    "lower": _lossy("capital letters"),
    "upper": _lossy("small letters"),
    "digits": _lossy("all but the digits"),
    "decimal": _exact(reads=as_decimal),
    "negate": _exact(TRANSFORMS["negate"](), as_decimal),
    "absolute": _lossy("the sign"),
    "integer": _exact(reads=as_decimal),
    "flag": _exact(reads=_flag),
    "opposite": _exact(TRANSFORMS["opposite"](), _flag),
    "date": _lossy("the time of the day"),
    "nothing_if_zero": _lossy("a number of nothing but zeros"),
    "split": _split,
    "times": _times,
    "last": _lossy("what stands in front"),
    "prefix": _prefix,
}
"""The way back of a transform by its name; the arguments of the rule bind it."""

WITHOUT_INVERSE: dict[str, str] = {}
"""The transforms that have no way back, and what prevents it."""

"""What a transform does on the way back: from a canonical value to the one that the source had.

Every transform stands in one of two tables here. An inverse gives a value that the transform turns
into the canonical one again; that it does is checked on every value, so ``back`` need not refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact
from typing import Any

from mappings.numbers import as_integer
from mappings.times import Pattern, as_date
from mappings.transforms import COERCIONS, TRANSFORMS, as_decimal, as_text

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


def _prefix(text: str) -> Inversion:
    return Inversion(lambda value: as_text(value).removeprefix(text))


def _pad(width: str, filler: str = "0") -> Inversion:
    def unpadded(value: Any) -> str:
        text = as_text(value)
        return text.lstrip(filler) or text[-1:]

    return Inversion(unpadded, f"how much of {filler!r} stood in front")


def _replace(old: str, new: str) -> Inversion:
    return Inversion(
        lambda value: as_text(value).replace(new, old) if new else as_text(value),
        f"which of {old!r} and {new!r} stood there",
    )


def _decimal(mark: str = "", thousands: str = "") -> Inversion:
    reads = TRANSFORMS["decimal"](*((mark, thousands) if thousands else (mark,) if mark else ()))
    if not mark:
        return Inversion(_same, reads=reads)
    return Inversion(lambda value: as_text(as_decimal(value)).replace(".", mark), reads=reads)


def _trailing_sign(value: Any) -> str:
    text = as_text(value)
    return f"{text[1:]}-" if text.startswith("-") else text


def _implied(places: str) -> Inversion:
    def whole(value: Any) -> str:
        return str(as_integer(_EXACT.scaleb(as_decimal(value), int(places))))

    return Inversion(whole, reads=as_decimal)


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


def _divide(divisor: str, *rounded: str) -> Inversion:
    number = as_decimal(divisor)
    return Inversion(
        lambda value: _EXACT.multiply(as_decimal(value), number),
        "what was rounded" if rounded else "",
        as_decimal,
    )


def _date(*words: str) -> Inversion:
    if not words:
        return Inversion(_same, "the time of the day")
    pattern = Pattern(words, timed=False)
    return Inversion(lambda value: pattern.write(as_date(value)), reads=TRANSFORMS["date"](*words))


def _moment(*words: str) -> Inversion:
    reads = TRANSFORMS["moment"](*words)
    if not words:
        return Inversion(_same, reads=reads)
    if words in (("seconds",), ("milliseconds",)):
        places = 0 if words == ("seconds",) else 3
        return Inversion(lambda value: _since_1970(value, places), reads=reads)
    pattern = Pattern(words, timed=True)
    return Inversion(lambda value: pattern.write(*_clock(value)), reads=reads)


def _clock(value: str) -> tuple[str, str]:
    """The wall clock and the offset of a moment as a source says it. Raises ``ValueError``."""
    parts = COERCIONS["moment"](value)
    return parts["local"], parts.get("offset", "")


def _since_1970(value: str, places: int) -> str:
    local, _ = _clock(value)
    whole, _, fraction = local.partition(".")
    passed = datetime.fromisoformat(f"{whole}Z") - datetime.fromtimestamp(0, tz=UTC)
    seconds = passed.days * 86_400 + passed.seconds
    return as_text(Decimal(f"{seconds}.{fraction}" if fraction else seconds).scaleb(places))


INVERSES: dict[str, Callable[..., Inversion]] = {
    "text": _exact(),
    "trim": _lossy("the blanks around it"),
    "collapse": _lossy("how many blanks there were"),
    "lower": _lossy("capital letters"),
    "upper": _lossy("small letters"),
    "digits": _lossy("all but the digits"),
    "first": _lossy("what stands behind"),
    "last": _lossy("what stands in front"),
    "split": _split,
    "prefix": _prefix,
    "pad": _pad,
    "strip_zeros": _lossy("the zeros in front"),
    "replace": _replace,
    "nothing_if_zero": _lossy("a number of nothing but zeros"),
    "decimal": _decimal,
    "trailing_sign": _exact(_trailing_sign, TRANSFORMS["trailing_sign"]()),
    "implied": _implied,
    "negate": _exact(TRANSFORMS["negate"](), as_decimal),
    "absolute": _lossy("the sign"),
    "times": _times,
    "divide": _divide,
    "round": _lossy("what was rounded"),
    "integer": _exact(reads=as_decimal),
    "flag": _exact(reads=_flag),
    "opposite": _exact(TRANSFORMS["opposite"](), _flag),
    "date": _date,
    "moment": _moment,
    "zone": _exact(reads=COERCIONS["moment"]),
}
"""The way back of a transform by its name; the arguments of the rule bind it."""

WITHOUT_INVERSE: dict[str, str] = {
    "cut": "keeps a piece, and nothing says what stood around it",
    "part": "keeps a part, and nothing says what the others were",
    "location": "asks reference data, which has no way back",
    "item": "asks reference data, which has no way back",
    "own": "is a function of the connector, which has no way back",
}
"""The transforms that have no way back, and what prevents it."""

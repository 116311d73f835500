"""What a rule may do to a number. Every result is exact, or rounded in the way the rule states."""

from __future__ import annotations

import decimal
import re
from collections.abc import Callable
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from mappings.texts import ArgumentError, Transformer, as_text, count, unbound

__all__ = ["DIGITS_MAX", "EXACT", "NUMBERS", "as_decimal", "as_integer"]

DIGITS_MAX = 40
_PLACES_MAX = 16
# Room for the product of two numbers of the greatest length. What needs more is refused: nothing
# is ever rounded unless the rule says how.
EXACT = Context(prec=4 * DIGITS_MAX, traps=[decimal.Inexact, InvalidOperation])
# So long that no quotient of two numbers looks like a half that it is not.
_LONG = Context(prec=8 * DIGITS_MAX, traps=[InvalidOperation])

_ROUNDINGS = {
    "half_up": decimal.ROUND_HALF_UP,
    "half_even": decimal.ROUND_HALF_EVEN,
    "down": decimal.ROUND_DOWN,
}


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


def _unsigned_nothing(number: Decimal) -> Decimal:
    # There is no such amount as -0.00.
    return number or number.copy_abs()


def _negate(value: Any) -> Decimal:
    return _unsigned_nothing(as_decimal(value).copy_negate())


def _times(factor: str) -> Transformer:
    number = as_decimal(factor)

    def times(value: Any) -> Decimal:
        try:
            return _sensible(EXACT.multiply(as_decimal(value), number))
        except (decimal.Inexact, InvalidOperation):
            raise ValueError("the product has more digits than a number may have") from None

    return times


def _divide(divisor: str, *rounded: str) -> Transformer:
    """Exact, or rounded as stated by ``round``, its decimals and how."""
    number = as_decimal(divisor)
    if not number:
        raise ArgumentError("nothing can be divided by zero")
    if rounded:
        if rounded[0] != "round":
            raise ArgumentError("what follows the number is `round`, how many decimals, and how")
        finish = _rounding(*rounded[1:])
        return lambda value: finish(_LONG.divide(as_decimal(value), number))

    def divide(value: Any) -> Decimal:
        try:
            return _sensible(EXACT.divide(as_decimal(value), number))
        except (decimal.Inexact, InvalidOperation):
            raise ValueError("this does not divide exactly; the rule must say `round`") from None

    return divide


def _round(places: str, how: str) -> Transformer:
    finish = _rounding(places, how)
    return lambda value: finish(as_decimal(value))


def _rounding(places: str, how: str) -> Callable[[Decimal], Decimal]:
    unit = Decimal(1).scaleb(-count(places, 0, _PLACES_MAX))
    if how not in _ROUNDINGS:
        raise ArgumentError(f"how to round is one of {', '.join(_ROUNDINGS)}")
    mode = _ROUNDINGS[how]
    return lambda number: _sensible(
        _unsigned_nothing(number.quantize(unit, rounding=mode, context=_LONG))
    )


def _implied(places: str) -> Transformer:
    """A whole number of minor units: ``1250`` is ``12.50`` with two."""
    shift = -count(places, 0, _PLACES_MAX)

    def implied(value: Any) -> Decimal:
        number = as_decimal(value)
        exponent = number.as_tuple().exponent
        if (type(exponent) is int and exponent < 0) or (type(value) is str and "." in value):
            raise ValueError("a whole number was expected here, its decimals are implied")
        return _unsigned_nothing(EXACT.scaleb(number, shift))

    return implied


def _decimal(mark: str = "", thousands: str = "") -> Transformer:
    """Read a number written with another mark; groups of thousands must be whole."""
    if not mark:
        return as_decimal
    if mark not in (",", ".") or len(thousands) > 1 or thousands == mark or thousands.isalnum():
        raise ArgumentError("the decimal mark is , or . and the mark of thousands another one")
    grouped = rf"[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+|" if thousands else ""
    written = re.compile(rf"([+-]?)({grouped}[0-9]+)(?:{re.escape(mark)}([0-9]+))?")

    def read(value: Any) -> Decimal:
        if type(value) is not str:
            return as_decimal(value)
        # Some blanks between thousands are such as no line may break at.
        text = value.replace("\u00a0", " ").replace("\u202f", " ").strip()
        match = written.fullmatch(text) if len(text) <= 2 * DIGITS_MAX else None
        if match is None:
            raise ValueError("this is no decimal number of the writing that the rule names")
        sign, whole, fraction = match.groups()
        digits = whole.replace(thousands, "") if thousands else whole
        return as_decimal(f"{sign}{digits}.{fraction}" if fraction else f"{sign}{digits}")

    return read


def _trailing_sign(value: Any) -> str:
    """``12.50-`` is ``-12.50``; one that has its sign in front stays."""
    text = as_text(value).strip()
    if text[-1:] not in ("-", "+"):
        return text
    if text[:1] in ("-", "+"):
        raise ValueError("this number has a sign at both ends")
    return f"-{text[:-1].strip()}" if text[-1] == "-" else text[:-1].strip()


NUMBERS: dict[str, Callable[..., Transformer]] = {
    "decimal": _decimal,
    "trailing_sign": unbound(_trailing_sign),
    "implied": _implied,
    "negate": unbound(_negate),
    "absolute": unbound(lambda value: as_decimal(value).copy_abs()),
    "times": _times,
    "divide": _divide,
    "round": _round,
    "integer": unbound(as_integer),
}
"""The transforms of numbers by name.

With an inverse: ``decimal`` (write with its mark, thousands ungrouped), ``trailing_sign`` (the sign
behind), ``implied`` (``times`` a power of ten, a whole number), ``negate`` (itself, also with a
condition whose fields are known by then), ``times`` (``divide``, which must come out exactly) and
``divide`` without ``round`` (``times``). ``absolute`` and whatever rounds lose something.
"""

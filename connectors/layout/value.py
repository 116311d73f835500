"""The text of a field as a value of the document: trimmed, its decimals placed, its day in ISO."""

from __future__ import annotations

import re

from connectors.layout.dates import Pattern
from connectors.layout.layout import Field, Layout

__all__ = ["read"]

_NUMBER = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?")
_OVERPUNCHED = {
    **{letter: ("", str(n)) for n, letter in enumerate("{ABCDEFGHI")},
    **{letter: ("-", str(n)) for n, letter in enumerate("}JKLMNOPQR")},
}
_BLANK = " \x00"


def read(field: Field, text: str, layout: Layout, sign: str = "") -> str | None:
    """The value of a field, ``None`` where it is empty.

    ``sign`` is the text of its sign field. Raises ``ValueError`` saying what does not fit, in
    words that hold nothing of the value.
    """
    if field.kind == "text":
        return _trimmed(field, text) or None
    bare = text.strip(_BLANK)
    if not bare:
        return None
    if field.kind == "date":
        return Pattern.of(field.pattern).read(bare) if bare.strip("0") else _zero(field)
    if field.kind == "decimal":
        return _decimal(field, bare, layout, sign)
    if field.kind == "digits" and not (bare.isascii() and bare.isdigit()):
        raise ValueError("not only digits")
    if field.kind == "is" and bare != field.constant:
        raise ValueError("not the constant of the layout")
    return bare


def _zero(field: Field) -> str | None:
    """Nothing but zeros is midnight where there is no day to it, and no day at all elsewhere."""
    pattern = Pattern.of(field.pattern)
    return None if pattern.has_day else pattern.read(re.sub("[hms]", "0", field.pattern))


def _trimmed(field: Field, text: str) -> str:
    cut = _BLANK + field.pad
    match field.trim:
        case "both":
            return text.strip(cut)
        case "left":
            return text.lstrip(cut).rstrip("\x00")
        case "right":
            return text.rstrip(cut)
        case _:
            return text.rstrip("\x00")


def _decimal(field: Field, text: str, layout: Layout, sign: str) -> str:
    minus, text = _signed(field, text, layout, sign)
    if field.group:
        text = text.replace(field.group, "")
    if field.comma:
        text = text.replace(",", ".") if "." not in text else "?"
    number = _NUMBER.fullmatch(text)
    if number is None or (field.sign and number[1]) or (field.places and number[3] is not None):
        raise ValueError("not a number as the layout writes them")
    whole, fraction = number[2], number[3] or ""
    if field.places:
        whole = whole.rjust(field.places + 1, "0")
        whole, fraction = whole[: -field.places], whole[-field.places :]
    whole = whole.lstrip("0") or "0"
    digits = f"{whole}.{fraction}" if fraction else whole
    negative = (minus or number[1]) == "-" and bool(digits.strip("0."))
    return f"-{digits}" if negative else digits


def _signed(field: Field, text: str, layout: Layout, sign: str) -> tuple[str, str]:
    """A minus or nothing, and the number without what says so."""
    if field.sign == "trailing":
        mark = text[-1] if text[-1] in "+-" else ""
        return mark.replace("+", ""), text.removesuffix(mark).rstrip(_BLANK)
    if field.sign == "overpunch":
        minus, last = _OVERPUNCHED.get(text[-1], ("", text[-1]))
        return minus, text[:-1] + last
    if not field.sign:
        return "", text
    if sign in layout.minus:
        return "-", text
    if sign not in layout.plus:
        raise ValueError("its sign field holds no sign")
    return "", text

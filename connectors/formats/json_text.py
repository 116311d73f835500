"""One JSON document made into values, strictly: nothing is guessed and nothing is rounded.

What the standard parser lets pass is refused here: a key that comes twice (which of the two would
be the price?), NaN and Infinity, numbers too long for any amount, half a surrogate pair. Numbers
with a fraction or an exponent become ``Decimal`` with the digits that were sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
from pydantic import field_validator

from connectors.api import DEPTH, ENCODING, MALFORMED, TRUNCATED, Options
from schemas.problem import Cause, Problem, Rejected, shape

__all__ = [
    "DUPLICATE_KEY",
    "NOT_A_NUMBER",
    "NUMBER_RANGE",
    "SURROGATE",
    "JsonOptions",
    "decode_again",
    "decode_json",
]

DUPLICATE_KEY = Cause(
    "LP-JSON-001",
    "A key occurs twice in one object, so nobody can tell which value is meant.",
    "Have the sender write each key once and send it again, then discard this one.",
)
NOT_A_NUMBER = Cause(
    "LP-JSON-002",
    "A number is NaN or Infinity, which JSON does not have.",
    "Have the sender write a number or null and send it again, then discard this one.",
)
NUMBER_RANGE = Cause(
    "LP-JSON-003",
    "A number has more digits or a larger exponent than any amount or identifier.",
    "Have the sender mend the number and send it again, then discard this one.",
)
SURROGATE = Cause(
    "LP-JSON-004",
    "A text holds half a surrogate pair, which is no character and cannot be stored.",
    "Have the sender cut texts between characters and send it again, then discard this one.",
)

_AGAIN = msgspec.json.Decoder(float_hook=Decimal)
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_DIGITS_MAX = 40
_EIGHT_BIT = frozenset({"iso-8859-1", "iso-8859-15", "windows-1252"})
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_FIELD_NAME = re.compile(r"(?!.*[0-9]{9})[A-Za-z0-9_\-]{1,64}")
# What the parser stumbles over where a literal, a number or an escape was cut off.
_CUT_TOKEN = re.compile(
    r"(?:tr?u?|fa?l?s?|nu?l?|-|\.|[eE][+-]?|\\?u?[0-9a-fA-F]{0,4})?[ \t\r\n]*\Z"
)


class JsonOptions(Options):
    """What a source may set for a connector that reads JSON."""

    @field_validator("encoding")
    @classmethod
    def _supersets_of_ascii_only(cls, encoding: str | None) -> str | None:
        # Brackets and digits must be where the splitter and the scrubber look for them.
        if encoding is None or encoding.lower() in _EIGHT_BIT:
            return encoding
        raise ValueError(f"only {', '.join(sorted(_EIGHT_BIT))}; Unicode forms are recognised")


def decode_json(payload: bytes, *, encoding: str | None = None) -> Any:
    """Give the value of one document: dict, list, str, int, Decimal, bool or None.

    ``encoding`` is used for bytes that are not UTF-8. Raises ``Rejected``: TRUNCATED, MALFORMED and
    ENCODING with the byte counted from the start of the payload, DEPTH, or one of this module's
    causes with the path of the value.
    """
    try:
        return _strict(payload, _text(payload, encoding))
    except RecursionError:
        raise Rejected(DEPTH.at()) from None


def decode_again(
    payload: bytes, *, encoding: str | None = None, reads: frozenset[str] | None = None
) -> Any:
    """Give the value of a document that ``decode_json`` has taken before, and prove nothing again.

    That it is lawful is known, so a parser serves that could not tell. Of the top fields only those
    in ``reads`` are decoded, if it is given: the others stand in their places unread.
    """
    text = _text(payload, encoding)
    if reads is None:
        return _AGAIN.decode(text)
    try:
        fields: dict[str, Any] = _FIELDS.decode(text)
    except msgspec.ValidationError:
        return _AGAIN.decode(text)
    for name in reads:
        if name in fields:
            fields[name] = _AGAIN.decode(fields[name])
    return fields


def _strict(payload: bytes, text: str) -> Any:
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        raise Rejected(_syntax(text, error)) from None
    except _Unlawful:
        raise Rejected(_first_unlawful(text)) from None
    if _SURROGATE_ESCAPE.search(payload):
        _refuse_half_pairs(value)
    return value


def _text(payload: bytes, encoding: str | None) -> str:
    try:
        return payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if encoding is None:
            detail = "the bytes from here on are not UTF-8"
            # The BOM is cut off before the codec counts.
            at = error.start + (3 if payload.startswith(b"\xef\xbb\xbf") else 0)
            raise Rejected(ENCODING.at(detail, byte=at)) from None
    try:
        return payload.decode(encoding)
    except UnicodeDecodeError as error:
        detail = f"the bytes from here on are neither UTF-8 nor {encoding}"
        raise Rejected(ENCODING.at(detail, byte=error.start)) from None


def _syntax(text: str, error: json.JSONDecodeError) -> Problem:
    byte = len(text[: error.pos].encode("utf-8", "surrogatepass"))
    if error.msg.startswith("Unterminated string") or (
        error.msg != "Extra data" and _CUT_TOKEN.match(text, error.pos)
    ):
        return TRUNCATED.at("the text ends inside a value that goes on here", byte=byte)
    detail = error.msg[0].lower() + error.msg[1:].removesuffix(" at")
    return MALFORMED.at(detail, byte=byte)


class _Unlawful(Exception):
    """Something that JSON or the house forbids; where it is, a second reading tells."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Unlawful
    return value


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > _DIGITS_MAX:
        raise _Unlawful
    return int(digits)


def _decimal(digits: str) -> Decimal:
    if len(digits.lstrip("-")) > _DIGITS_MAX:
        raise _Unlawful
    value = Decimal(digits)
    # "1E999999999" is short here and a gigabyte when it is written out.
    if not -_DIGITS_MAX <= value.adjusted() <= _DIGITS_MAX:
        raise _Unlawful
    return value


def _constant(_: str) -> Any:
    raise _Unlawful


@dataclass(frozen=True, slots=True)
class _Mark:
    """Stands for an unlawful value in the second reading."""

    cause: Cause
    detail: str


class _Pairs(list[tuple[str, Any]]):
    """An object of the second reading, its keys as they came."""


def _first_unlawful(text: str) -> Problem:
    """Read again, slower, to name the path of the first unlawful value."""

    def number(digits: str) -> Any:
        try:
            return _decimal(digits)
        except _Unlawful:
            return _Mark(NUMBER_RANGE, f"the number is {len(digits)} characters long")

    tree = json.loads(
        text,
        object_pairs_hook=_Pairs,
        parse_float=number,
        parse_int=number,
        parse_constant=lambda word: _Mark(NOT_A_NUMBER, f"the number is {word}"),
    )
    for path, value in _leaves(tree, ""):
        if isinstance(value, _Mark):
            return value.cause.at(value.detail, path=path or None)
    raise AssertionError("the first reading found something unlawful and the second did not")


def _refuse_half_pairs(value: Any) -> None:
    for path, leaf in _leaves(value, ""):
        if isinstance(leaf, str):
            try:
                leaf.encode()
            except UnicodeEncodeError:
                raise Rejected(SURROGATE.at(path=path or None)) from None


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every leaf with its mapping path, keys that hold text included, a repeated key as a mark."""
    if isinstance(value, list) and not isinstance(value, _Pairs):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
        return
    if not isinstance(value, dict | _Pairs):
        yield path, value
        return
    seen: set[str] = set()
    for key, item in value.items() if isinstance(value, dict) else value:
        # A key that looks like no field name may be somebody's data: its shape is shown.
        name = key if _FIELD_NAME.fullmatch(key) else shape(key)
        below = f"{path}.{name}" if path else name
        if key in seen:
            yield below, _Mark(DUPLICATE_KEY, "the key occurs twice in this object")
        seen.add(key)
        yield below, key
        yield from _leaves(item, below)

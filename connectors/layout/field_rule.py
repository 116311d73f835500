"""The rule of a field: one line that says where it lies, what it holds, and what it means.

amount:  20 decimal implied 4 sign amount_sign
number:  Bon digits never
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from connectors.layout.dates import Pattern
from connectors.layout.layout import Field
from connectors.scrub.field import Rule
from mappings.errors import suggestion

__all__ = ["Mistake", "Place", "field"]

WIDTH_MAX = 64 * 1024
RULE_CHARACTERS_MAX = 500
_PLACES_MAX = 12
_TOKEN = re.compile(r'"([^"]*)"|(\S+)')
_KINDS = ("text", "digits", "decimal", "date", "is", "sign", "skip")
_WORDS = {
    "text": ("trim", "pad"),
    "digits": ("count",),
    "decimal": ("implied", "comma", "group", "sign"),
    "date": (),
    "is": (),
    "sign": (),
    "skip": (),
}
_CARDS: dict[str, Rule] = {"pan": "pan", "secret": "secret", "never": "never"}


class Mistake(ValueError):
    """What is wrong with a rule, in words."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next field lies: behind the last one, or in the column that it names."""

    at: int = 0
    columns: tuple[str, ...] | None = None


def field(name: str, rule: str, place: Place) -> Field:
    """Read the rule of a field. Raises ``Mistake``."""
    if len(rule) > RULE_CHARACTERS_MAX:
        raise Mistake(f"more than {RULE_CHARACTERS_MAX} characters")
    words = [quoted or plain for quoted, plain in _TOKEN.findall(rule)]
    start, width, words = _place(words, place)
    if not words:
        raise Mistake(f"{name} does not say what it holds: one of {', '.join(_KINDS)}")
    kind, *words = words
    if kind not in _KINDS:
        raise Mistake(f"there is no kind {kind!r}{suggestion(kind, _KINDS)}")
    made = Field(name, kind, start, width)  # type: ignore[arg-type]
    if kind == "is":
        return replace(made, constant=_argument(words, "is", last=True))
    if kind == "date":
        pattern = _argument(words, "date")
        Pattern.of(pattern)
        made, words = replace(made, pattern=pattern), words[1:]
    while words:
        word, *words = words
        if word in _CARDS:
            made = replace(made, card=_CARDS[word])
        elif word in _WORDS[kind]:
            changes, words = _modifier(word, words)
            made = replace(made, **changes)
        else:
            known = (*_WORDS[kind], *_CARDS)
            raise Mistake(f"{kind!r} does not take {word!r}{suggestion(word, known)}")
    if made.card in {"pan", "secret"} and kind not in {"text", "skip"}:
        raise Mistake("a field of card data is masked, and then is nothing but text")
    return made


def _place(words: list[str], place: Place) -> tuple[int, int, list[str]]:
    if not words:
        raise Mistake("an empty rule")
    if place.columns is not None:
        if words[0] not in place.columns:
            raise Mistake(f"no column {words[0]!r}{suggestion(words[0], place.columns)}")
        return place.columns.index(words[0]), 0, words[1:]
    if not _is_number(words[0], WIDTH_MAX) or int(words[0]) == 0:
        raise Mistake(f"the rule begins with a width in bytes, at most {WIDTH_MAX}")
    if words[1:2] == ["at"]:
        if len(words) < 3 or not _is_number(words[2], WIDTH_MAX):
            raise Mistake("`at` takes the byte at which the field starts, counted from 0")
        return int(words[2]), int(words[0]), words[3:]
    return place.at, int(words[0]), words[1:]


def _modifier(word: str, words: list[str]) -> tuple[dict[str, Any], list[str]]:
    match word:
        case "comma":
            return {"comma": True}, words
        case "count":
            return {"counts": True}, words
        case "implied":
            places = _argument(words, word)
            if not _is_number(places, _PLACES_MAX):
                raise Mistake(f"`implied` takes a number of decimals, at most {_PLACES_MAX}")
            return {"places": int(places)}, words[1:]
        case "trim":
            side = _argument(words, word)
            if side not in {"both", "left", "right", "none"}:
                raise Mistake("`trim` takes both, left, right or none")
            return {"trim": side}, words[1:]
        case "pad" | "group":
            character = _argument(words, word)
            if len(character) != 1:
                raise Mistake(f"{word!r} takes one character")
            return {word: character}, words[1:]
        case _:
            return {"sign": _argument(words, word)}, words[1:]


def _argument(words: list[str], word: str, *, last: bool = False) -> str:
    if not words or (last and len(words) > 1):
        raise Mistake(f"{word!r} does not take these arguments")
    return words[0]


def _is_number(text: str, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6 and int(text) <= most

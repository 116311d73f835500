"""Further documents: what a message holds beside its own document, and what each one is called.

``further`` in a mapping says where such documents lie, what makes each unique and what it becomes.
What makes two of one name the same is what the source says there, never what rules make of it: so
nobody who mends a rule turns what came before into something else.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from mappings.rules import Condition, Expression, Path, Rules
from mappings.texts import as_text
from mappings.times import as_moment
from schemas.model import Canonical

__all__ = [
    "ELEMENTS_MAX",
    "FURTHER_MAX",
    "KEY_MAX",
    "PLACES_MAX",
    "Found",
    "Further",
    "Part",
    "aged",
    "key_text",
    "written",
]

FURTHER_MAX = 20
"""Kinds of further documents in a mapping."""
ELEMENTS_MAX = 1000
"""Further documents in a message."""
PLACES_MAX = 8
"""Places that a key is made of: store, till, day, number and line are five."""
KEY_MAX = 200
"""Characters of a part of a key or of a version."""
_NUMBER_WIDTH = 20
_FRACTION_WIDTH = 9
_DIGITS = re.compile(r"[0-9]+")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:.*")


@dataclass(frozen=True, slots=True)
class Further:
    """What a mapping says of a kind of further documents.

    ``source`` is where they lie, seen from the top; ``key`` what makes one unique among those of
    its name, and ``version`` how old it is, seen from it. ``content`` are the places that make two
    of one name the same; all that it says, if there are none.
    """

    name: str
    to: str
    model: type[Canonical]
    source: Path
    where: Condition | None
    key: tuple[Expression, ...]
    version: Expression | None
    content: tuple[Path, ...]
    rules: Rules
    unset: dict[tuple[str, ...], str]
    line: int
    """The line of its ``from``, as ``key_line`` and ``version_line`` are those of the others."""
    key_line: int
    version_line: int

    @property
    def looks_at(self) -> tuple[Path, ...]:
        """What is read of an element before its rules are."""
        tests = self.where.tests if self.where else ()
        named = (*self.key, *((self.version,) if self.version else ()))
        paths = (path for expression in named for path in expression.paths)
        return (*(test.path for test in tests), *paths, *self.content)


class Part(NamedTuple):
    """A place inside a document that rules go by, and the document around it.

    ``place`` is its path with a dot behind; empty for the whole document.
    """

    top: Any
    node: Any
    place: str


@dataclass(frozen=True, slots=True)
class Found:
    """A further document before anyone maps it: which one it is, and what it says.

    ``version`` is a text that orders by age; ``None`` for what never changes.
    """

    name: str
    part: Part
    key: tuple[str, ...]
    version: str | None
    content: bytes

    @property
    def place(self) -> str:
        """Where it lies, as a path."""
        return self.part.place.rstrip(".")


def key_text(value: Any) -> str:
    """A part of a key as text. Raises ``ValueError``."""
    text = as_text(value)
    if len(text) > KEY_MAX:
        raise ValueError(f"a key has at most {KEY_MAX} characters")
    return text


def aged(value: Any) -> str:
    """A version as a text that orders by age. Raises ``ValueError``.

    A time goes by its UTC where it has one, digits go by their number, and any other text by its
    letters.
    """
    if isinstance(value, dict):
        return _time(value)
    text = key_text(value)
    if _DIGITS.fullmatch(text):
        if len(text) > _NUMBER_WIDTH:
            raise ValueError(f"the number of a version has at most {_NUMBER_WIDTH} digits")
        return text.zfill(_NUMBER_WIDTH)
    return _time(as_moment(text)) if _TIME.fullmatch(text) else text


def _time(moment: dict[str, str]) -> str:
    """A time in one width, however many digits of a second it was sent with."""
    text = moment.get("utc") or moment["local"]
    clock, _, fraction = text.rstrip("Z").partition(".")
    return f"{clock}.{fraction:0<{_FRACTION_WIDTH}}{'Z' if 'utc' in moment else ''}"


def written(value: Any) -> bytes:
    """What a place of a source says, the same bytes however it was spelt there.

    What counts as absent is not told apart from what is not there.
    """
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    # Most of what comes here is text.
    kind = type(value)
    if kind is str:
        return value or None
    if value is None:
        return None
    if kind is dict:
        said = {}
        for key in sorted(value):
            each = value[key]
            each = (each or None) if type(each) is str else _plain(each)
            if each is not None:
                said[key] = each
        return said
    if kind is list or kind is tuple:
        return [_plain(each) for each in value]
    if hasattr(value, "iterchildren"):
        text = (value.text or "").strip()
        children = [_plain(child) for child in value.iterchildren("*")]
        return [value.tag, sorted(value.attrib.items()), text, children]
    return as_text(value)

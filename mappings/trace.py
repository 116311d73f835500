"""What the traced form of a mapping leaves behind: every value with its place, rule and text.

The generated code only takes notes, tuples of what it has at hand; paths are written out when
somebody asks, because most who trace a document want to know of one value, or of none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from mappings.rules import Constant, Each, Source, Template, Total, Within

__all__ = ["TOP", "Element", "Origin", "Site", "Trace", "place_in", "several"]

Element = tuple[str, str]
"""An object or list element under way: where it stands in the document and in the source.

Both are paths with a dot behind, or empty at the top.
"""

TOP: Element = ("", "")


class Site(NamedTuple):
    """A rule that looks somewhere: its line, and target and source as seen from the element."""

    line: int
    target: str
    source: str


class Origin(NamedTuple):
    """Where a canonical value came from: the source path, the rule's line, the value as sent."""

    source: str
    line: int
    value: Any


@dataclass
class Trace:
    """What was noted while a document was mapped.

    ``unknown`` are codes without an entry: target, table, raw. ``line``, ``target``, ``place`` and
    ``value`` tell what was looked at last, where that failed.
    """

    document: dict[str, Any] = field(default_factory=dict)
    unknown: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[tuple[Element, str, int, str, Any]] = field(default_factory=list)
    """The element, the target in it, the rule's line, the source in it, the value as sent."""
    entered: list[tuple[Element, Within | Each]] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    """The lines of the branches whose condition held at least once."""
    line: int = 0
    target: str = ""
    place: str = ""
    value: Any = None

    @cached_property
    def origins(self) -> dict[str, Origin]:
        """Where every value came from, by its canonical path."""
        return {
            element[0] + target: Origin(_place(element, source), line, value)
            for element, target, line, source, value in self.notes
        }

    @cached_property
    def parts(self) -> dict[str, tuple[str, Within | Each]]:
        """Place and rule of every object and list element, by its target with a dot behind."""
        return {element[0]: (element[1], rule) for element, rule in self.entered}

    def failed(
        self, site: Site | None, element: Element | None, source: str | None, value: Any
    ) -> None:
        """What was looked at last could not be done; ``source`` says more than the site does."""
        if site is not None and element is not None:
            self.line = site.line
            self.target = element[0] + site.target
            self.place = _place(element, source or site.source)
            self.value = value


def place_in(source: Source) -> str:
    """Write a source as seen from an element: ``/`` starts at the top, ``.`` is itself.

    The places of a template stand one after the other.
    """
    if isinstance(source, Constant):
        return str(source)
    if isinstance(source, Template):
        return _AND.join(place_in(path) for path in source.paths) or str(source)
    if isinstance(source, Total):
        return place_in(source.path)
    text = str(source).lstrip("/.")
    return f"/{text}" if source.from_top else text or "."


_AND = "\n"
_SHOWN_MAX = 4


def several(places: list[str], path: str) -> str:
    """Places that a value is made of, as one source: of many only the first, else the path."""
    shown = places if len(places) <= _SHOWN_MAX else places[: _SHOWN_MAX - 1]
    more = [f"={len(places) - len(shown)} more"] if len(places) > len(shown) else []
    return _AND.join([*shown, *more]) or path


def _place(element: Element, source: str) -> str:
    if _AND in source:
        parts = source.split(_AND)
        return " + ".join(_place(element, each).removeprefix("=") for each in parts)
    if source[0] == "=":
        return source
    if source[0] == "/":
        return source[1:] or "."
    if source == ".":
        return element[1][:-1] or "."
    return element[1] + source

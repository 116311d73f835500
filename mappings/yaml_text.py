"""Reading YAML that nobody vouches for: plain maps, lists and texts, each with its place.

Every scalar is text: ``01``, ``NO``, ``12:30`` and ``1.10`` stay what they are. Anchors, aliases,
tags, duplicate keys and a second document are refused, and size and depth are counted on parse
events, before any structure is built, because a deep flow list can crash a composing loader.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from mappings.errors import HOSTILE, SYNTAX
from schemas.problem import ConfigError

__all__ = ["CHARACTERS_MAX", "DEPTH_MAX", "Map", "Node", "Scalar", "Sequence", "parse"]

CHARACTERS_MAX = 1024 * 1024
DEPTH_MAX = 20
NODES_MAX = 50_000

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text and the line it stands on, counted from 1.

    Every node also says from which character of the file to which it goes, for those who splice
    the text; a map or list without brackets starts at its first key or dash.
    """

    value: str
    line: int
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list. ``flow`` is the form with brackets."""

    items: tuple[Node, ...]
    line: int
    start: int = 0
    end: int = 0
    flow: bool = False


@dataclass(frozen=True, slots=True)
class Map:
    """A map in the order of the text, keys unique. ``flow`` is the form with brackets."""

    entries: tuple[tuple[Scalar, Node], ...]
    line: int
    start: int = 0
    end: int = 0
    flow: bool = False


Node = Scalar | Sequence | Map


def parse(text: str, file: str) -> Map:
    """Read the text of a mapping file. Raises ``ConfigError`` naming file and line."""
    if len(text) > CHARACTERS_MAX:
        raise ConfigError(HOSTILE.at(f"more than {CHARACTERS_MAX} characters", file=file))
    try:
        node = _Reader(file, text, yaml.parse(text, Loader=_Loader)).document()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        detail = f"line {line}: {error.problem}"
        raise ConfigError(SYNTAX.at(detail, file=file, rule=f"{file}:{line}")) from None
    except (yaml.YAMLError, UnicodeEncodeError):
        raise ConfigError(SYNTAX.at("a character that YAML does not allow", file=file)) from None
    if not isinstance(node, Map):
        raise ConfigError(SYNTAX.at("a mapping file is a map of keys", file=file))
    return node


class _Reader:
    def __init__(self, file: str, text: str, events: Iterator[Any]) -> None:
        self._file = file
        self._text = text
        self._events = events
        self._end = 0
        self._nodes = 0

    def document(self) -> Node:
        self._skip(yaml.StreamStartEvent, yaml.DocumentStartEvent)
        node = self._node(next(self._events), 0)
        self._skip(yaml.DocumentEndEvent)
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise self._refusal("a second document in one file", event)
        return node

    def _skip(self, *kinds: type[Any]) -> None:
        for kind in kinds:
            event = next(self._events)
            if not isinstance(event, kind):
                raise self._refusal("an empty file", event)

    def _refusal(self, detail: str, event: Any) -> ConfigError:
        line = event.start_mark.line + 1
        return ConfigError(HOSTILE.at(f"line {line}: {detail}", rule=f"{self._file}:{line}"))

    def _node(self, event: Any, depth: int) -> Node:
        self._nodes += 1
        if depth > DEPTH_MAX or self._nodes > NODES_MAX:
            raise self._refusal("nested too deep, or too many parts", event)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self._refusal("anchors and aliases are not allowed", event)
        if event.tag is not None:
            raise self._refusal("tags are not allowed", event)
        line, start, end = event.start_mark.line + 1, event.start_mark.index, event.end_mark.index
        if isinstance(event, yaml.ScalarEvent):
            if event.style in ("|", ">"):
                # Such a text ends where the next one begins, after any blank lines and comments.
                end = start + len(self._text[start:end].rstrip())
            self._end = end
            return Scalar(event.value, line, start, end)
        flow = bool(event.flow_style)
        if isinstance(event, yaml.SequenceStartEvent):
            items = tuple(self._items(depth))
            return Sequence(items, line, start, self._end, flow)
        entries = tuple(self._entries(depth))
        return Map(entries, line, start, self._end, flow)

    def _close(self, event: Any) -> None:
        """Brackets end a map or list; without them it ends with the last text in it."""
        if event.end_mark.index > event.start_mark.index:
            self._end = event.end_mark.index

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, depth + 1)
        self._close(event)

    def _entries(self, depth: int) -> Iterator[tuple[Scalar, Node]]:
        seen: set[str] = set()
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise self._refusal("a key must be plain text", event)
            if key.value in seen:
                raise self._refusal(f"the key {key.value!r} stands here twice", event)
            seen.add(key.value)
            yield key, self._node(next(self._events), depth + 1)
        self._close(event)

"""A source document under construction: what the way back writes before it is JSON or XML.

Paths lead here as they do when a mapping reads, and conditions hold here as they do there.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from mappings.reader import tag
from mappings.rules import Path, Step, Test
from mappings.transforms import as_decimal, as_text

__all__ = ["Names", "Node", "WriteError", "holds", "names_of", "written_json", "written_xml"]

Names = tuple[str, ...]
"""A source path without indices; an attribute is ``@name``."""

INDEX_MAX = 1000
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class WriteError(ValueError):
    """What cannot stand in the source, in words without a value."""


class Node:
    """An element, an object or a single value. ``claimed`` is one that a list rule has made."""

    __slots__ = ("attributes", "children", "claimed", "value")

    def __init__(self) -> None:
        self.value: Any = None
        self.attributes: dict[str, Any] = {}
        self.children: dict[str, list[Node]] = {}
        self.claimed = False

    def copy(self) -> Node:
        """Give another tree that can be written to on trial."""
        other = Node()
        other.value, other.claimed = self.value, self.claimed
        other.attributes = dict(self.attributes)
        other.children = {name: [c.copy() for c in found] for name, found in self.children.items()}
        return other

    def take(self, other: Node) -> None:
        """Become what was written on trial."""
        self.value, self.attributes, self.children = other.value, other.attributes, other.children

    def find(self, steps: tuple[Step, ...]) -> Node | None:
        """Go where steps lead, if there is something."""
        if not steps:
            return self
        chosen = self._chosen(steps[0])
        return chosen.find(steps[1:]) if chosen else None

    def make(self, steps: tuple[Step, ...]) -> Node:
        """Go where steps lead and make what is missing. Raises ``WriteError``."""
        if not steps:
            return self
        return (self._chosen(steps[0]) or self._added(steps[0])).make(steps[1:])

    def _chosen(self, step: Step) -> Node | None:
        found = self.children.get(step.name, [])
        if step.where is not None:
            field, text = step.where
            return next((each for each in found if each.text_at(field) == text), None)
        index = step.index or 0
        return found[index] if index < len(found) else None

    def _added(self, step: Step) -> Node:
        if self.value is not None:
            raise WriteError("a single value stands where an object is needed")
        found = self.children.setdefault(step.name, [])
        if step.where is not None:
            found.append(Node())
            field, text = step.where
            found[-1].put(_field(field), text)
            return found[-1]
        if (step.index or 0) > INDEX_MAX:
            raise WriteError(f"no more than {INDEX_MAX} places of a list are filled up")
        while len(found) <= (step.index or 0):
            found.append(Node())
        return found[-1]

    def text_at(self, field: str) -> str | None:
        """The text of a field or an ``@attribute`` below here."""
        value = self.leaf(_field(field))
        return None if isinstance(value, Node) or value is None else _text(value)

    def leaf(self, path: Path) -> Any:
        """The value at a path, or ``None``; the node where it is no single value."""
        node = self.find(path.steps)
        if node is None:
            return None
        if path.attribute is not None:
            return node.attributes.get(path.attribute)
        return node if node.value is None else node.value

    def put(self, path: Path, value: Any) -> None:
        """Write a value. Raises ``WriteError`` where another one stands, or an object."""
        node = self.make(path.steps)
        if path.attribute is not None:
            if _text(node.attributes.setdefault(path.attribute, value)) != _text(value):
                raise WriteError(f"another rule writes another value to {path}")
            return
        if node.children:
            raise WriteError("an object stands where a single value is needed")
        if node.value is None:
            node.value = value
        elif _text(node.value) != _text(value):
            raise WriteError(f"another rule writes another value to {path}")


def names_of(path: Path, above: Names) -> Names:
    """The names of a path seen from the element whose names are ``above``."""
    names = (*(() if path.from_top else above), *(step.name for step in path.steps))
    return names if path.attribute is None else (*names, f"@{path.attribute}")


def _field(field: str) -> Path:
    *names, last = field.split(".")
    if last.startswith("@"):
        return Path(tuple(Step(name) for name in names), last[1:])
    return Path(tuple(Step(name) for name in (*names, last)))


def _text(value: Any) -> str:
    return repr(value) if isinstance(value, list) else as_text(value)


def holds(test: Test, node: Node, *, xml: bool) -> bool:
    """Whether a test holds of what was written, as it will when a mapping reads it."""
    found = node.leaf(test.path)
    if test.operator in ("exists", "missing"):
        there = found is not None and (not _empty(found) or (xml and test.path.attribute is None))
        return there == (test.operator == "exists")
    if found is None or isinstance(found, (Node, list)) or _empty(found):
        return test.operator == "not in"
    if test.operator in ("in", "not in"):
        return (_text(found) in test.values) == (test.operator == "in")
    try:
        number, limit = as_decimal(found), as_decimal(test.values[0])
    except ValueError:
        return False
    return number < limit if test.operator == "<" else number > limit


def _empty(value: Any) -> bool:
    return isinstance(value, str) and not value


def written_json(node: Node, alone: frozenset[Names], at: Names = ()) -> Any:
    """Write a tree as dicts and lists. What lies at a path of ``alone`` stands without a list."""
    if node.value is not None or not node.children:
        return {} if node.value is None else node.value
    return {
        name: _json_children(found, alone, (*at, name)) for name, found in node.children.items()
    }


def _json_children(found: list[Node], alone: frozenset[Names], at: Names) -> Any:
    values = [written_json(each, alone, at) for each in found]
    single = len(values) == 1 and (at in alone or found[0].value is not None)
    return values[0] if single else values


def written_xml(node: Node, name: str) -> etree._Element:
    """Write a tree as an element; children stand in the order in which they were made."""
    element = etree.Element(tag(name))
    for attribute, value in node.attributes.items():
        element.set(tag(attribute), _xml_text(value))
    if node.value is not None:
        element.text = _xml_text(node.value)
    for child, found in node.children.items():
        element.extend(written_xml(each, child) for each in found)
    return element


def _xml_text(value: Any) -> str:
    return as_text(value)


def check_xml(value: Any) -> None:
    """Raise ``WriteError`` for what XML cannot hold in one place."""
    if isinstance(value, list):
        raise WriteError("an element holds one text, and these are several")
    if _NO_XML.search(as_text(value)):
        raise WriteError("XML has no such characters")

"""How generated code reads a source: plain dicts for JSON, lxml elements for XML.

The XML reader reads the tree itself, because building dicts of it costs five times the parse.
"""

# What the methods of a reader give is said once, in ``Reader``.
# ruff: noqa: D102

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from itertools import islice
from typing import Any, Protocol

from lxml import etree

from mappings.rules import Path, Step
from mappings.scope import Scope, Writer
from mappings.transforms import as_text

__all__ = ["JsonReader", "Reader", "XmlReader", "tag"]

_EMPTY: dict[str, Any] = {}
_HERE = Path(())


class Reader(Protocol):
    """Writes the look-ups of one kind of source; results are names of variables."""

    gives_text: bool
    """Whether every leaf is text already."""

    def leaf(self, path: Path, scope: Scope) -> str:
        """The value at a path; what ``present`` says of it tells whether it is there."""

    def node(self, path: Path, scope: Scope) -> str:
        """The object or element at a path, for rules inside it."""

    def many(self, path: Path, scope: Scope, inner: Scope) -> tuple[str, str]:
        """Target and iterable of the loop that makes each element of a list the ``inner`` node."""

    def at(self, elements: str, index: str) -> str:
        """An expression for the place of an element among ``elements``: ``[2]``."""

    def exists(self, path: Path, scope: Scope) -> str:
        """An expression that is true where the path leads somewhere."""

    def present(self, variable: str) -> str:
        """An expression that is true where a leaf is there and not empty."""

    def is_node(self, variable: str) -> str:
        """An expression that is true where a node is there."""


def _choose(found: Any, step: Step) -> Any:
    """The element of a JSON list that a step chooses, or ``None``."""
    elements = _list(found)
    if step.index is not None:
        return elements[step.index] if step.index < len(elements) else None
    assert step.where is not None
    field, text = step.where
    return next((e for e in elements if _same(_value_at(e, field.split(".")), text)), None)


def _value_at(element: Any, names: list[str]) -> Any:
    for name in names:
        element = element.get(name) if type(element) is dict else None
    return element


def _same(value: Any, text: str) -> bool:
    return type(value) in (str, int, bool, Decimal) and as_text(value) == text


def _list(found: Any) -> Any:
    """What is no list counts as a list of one; some senders drop the brackets around one."""
    if type(found) is list:
        return found
    return () if found is None or found == "" else (found,)


class JsonReader:
    """Reads dicts, lists and scalars as ``json`` gives them."""

    gives_text = False

    def __init__(self, writer: Writer) -> None:
        self._w = writer

    def leaf(self, path: Path, scope: Scope) -> str:
        if not path.steps:
            return "body" if path.from_top else scope.node
        key = ("leaf", path)
        if key not in scope.known:
            scope.known[key] = self._step(path, scope, "v", "")
        return scope.known[key]

    def node(self, path: Path, scope: Scope) -> str:
        if not path.steps:
            return "body" if path.from_top else scope.node
        key = ("node", path)
        if key not in scope.known:
            empty = self._w.constant(_EMPTY)
            scope.known[key] = self._step(path, scope, "n", f" or {empty}")
        return scope.known[key]

    def _step(self, path: Path, scope: Scope, letter: str, otherwise: str) -> str:
        parent = self.node(Path(path.steps[:-1], None, path.from_top), scope)
        step = path.steps[-1]
        variable = self._w.fresh(letter)
        found = f"{parent}.get({self._w.constant(step.name)})"
        if step.index is not None or step.where is not None:
            found = f"{self._w.constant(_choose)}({found}, {self._w.constant(step)})"
        self._w.line(f"{variable} = {found}{otherwise}")
        return variable

    def many(self, path: Path, scope: Scope, inner: Scope) -> tuple[str, str]:
        parent = self.node(Path(path.steps[:-1], None, path.from_top), scope)
        name = self._w.constant(path.steps[-1].name)
        elements = self._w.fresh("l")
        self._w.line(f"{elements} = {self._w.constant(_list)}({parent}.get({name}))")
        return inner.node, elements

    def at(self, elements: str, index: str) -> str:
        # What was no list has no place in one.
        return f'(f"[{{{index}}}]" if type({elements}) is list else "")'

    def exists(self, path: Path, scope: Scope) -> str:
        return f"({self.present(self.leaf(path, scope))})"

    def present(self, variable: str) -> str:
        # Most values are true, and only the others are worth a comparison.
        return f"({variable} or ({variable} is not None and {variable} != ''))"

    def is_node(self, variable: str) -> str:
        return variable


def tag(name: str) -> str:
    """The tag that lxml has for a name of a path: ``acs:Total`` is ``{acs}Total``."""
    prefix, colon, local = name.rpartition(":")
    return f"{{{prefix}}}{local}" if colon else name


def _child_chooser(step: Step) -> Callable[[etree._Element], etree._Element | None]:
    """A function from an element to the child that a step chooses, or ``None``."""
    if step.index is not None:
        position = step.index
        return lambda element: next(
            islice(element.iterchildren(tag(step.name)), position, None), None
        )
    assert step.where is not None
    field, text = step.where
    names = field.split(".")
    inside = "/".join(name if name[0] == "@" else f"{name}[1]" for name in names)
    # Most children lack the field: XPath passes over them without making them Python objects.
    candidates = _xpath(f"{step.name}[{inside}]")

    def choose(element: etree._Element) -> etree._Element | None:
        children: list[etree._Element] = candidates(element)
        for child in children:
            found = _text_at(child, names)
            if found is not None and found.strip() == text:
                return child
        return None

    return choose


def _xpath(path: str) -> Callable[[etree._Element], Any]:
    """XPath over canonical names; ``path`` is made of names that the grammar let through."""
    prefixes = {prefix: prefix for prefix in _PREFIX.findall(path)}
    return etree.XPath(path, namespaces=prefixes, regexp=False)


_PREFIX = re.compile(r"([\w-]+):")


def _text_at(element: etree._Element, names: list[str]) -> str | None:
    for name in names:
        if name[0] == "@":
            return element.get(tag(name[1:]))
        inner = next(element.iterchildren(tag(name)), None)
        if inner is None:
            return None
        element = inner
    return element.text


def _by_tag(element: str) -> str:
    # Reversed, so that the first of several children of one name wins.
    return f"{{x.tag: x for x in {element}.iterchildren(reversed=True)}}"


class XmlReader:
    """Reads lxml elements whose tags carry canonical prefixes.

    Looking children up one by one costs more than one pass that maps them all, except at the top
    where an element holds a list: there the pass would visit every element of it. A list that
    several rules go through is read once, with the children of its elements. A ``sparse`` reader is
    for a few rules of many, which look for one child or two of an element.
    """

    gives_text = True

    def __init__(self, writer: Writer, *, sparse: bool = False) -> None:
        self._w = writer
        self._sparse = sparse
        self._choosers: dict[Step, str] = {}

    def leaf(self, path: Path, scope: Scope) -> str:
        key = ("leaf", path)
        if key not in scope.known:
            node = self.node(Path(path.steps, None, path.from_top), scope)
            variable = self._w.fresh("v")
            if path.attribute is None:
                found = f"{node}.text"
            else:
                found = f"{node}.get({self._w.constant(tag(path.attribute))})"
            if path.steps:
                found = f"{found} if {node} is not None else None"
            self._w.line(f"{variable} = {found}")
            self._w.line(f"if {variable}: {variable} = {variable}.strip()")
            scope.known[key] = variable
        return scope.known[key]

    def node(self, path: Path, scope: Scope) -> str:
        if not path.steps:
            return "body" if path.from_top else scope.node
        key = ("node", path)
        if key not in scope.known:
            scope.known[key] = self._child(path, scope)
        return scope.known[key]

    def _child(self, path: Path, scope: Scope) -> str:
        above = Path(path.steps[:-1], None, path.from_top)
        parent, step = self.node(above, scope), path.steps[-1]
        variable = self._w.fresh("n")
        if step.index is not None or step.where is not None:
            found = f"{self._chooser(step)}({parent})"
        elif self._sparse or self._at_a_list(above, scope):
            found = f"next({parent}.iterchildren({self._w.constant(tag(step.name))}), None)"
        else:
            children = self._children(above, parent, scope)
            self._w.line(f"{variable} = {children}.get({self._w.constant(tag(step.name))})")
            return variable
        guard = f" if {parent} is not None else None" if above.steps else ""
        self._w.line(f"{variable} = {found}{guard}")
        return variable

    def _at_a_list(self, above: Path, scope: Scope) -> bool:
        return above.from_top or (above.steps in scope.list_parents and not scope.in_list)

    def _chooser(self, step: Step) -> str:
        """The name of the function for a step; equal steps share one."""
        if step not in self._choosers:
            self._choosers[step] = self._w.constant(_child_chooser(step))
        return self._choosers[step]

    def _children(self, path: Path, parent: str, scope: Scope) -> str:
        key = ("children", path)
        if key not in scope.known:
            variable = self._w.fresh("m")
            guard = f" if {parent} is not None else {self._w.constant(_EMPTY)}"
            self._w.line(f"{variable} = {_by_tag(parent)}{guard if path.steps else ''}")
            scope.known[key] = variable
        return scope.known[key]

    def many(self, path: Path, scope: Scope, inner: Scope) -> tuple[str, str]:
        above = Path(path.steps[:-1], None, path.from_top)
        parent = self.node(above, scope)
        name = self._w.constant(tag(path.steps[-1].name))
        found = f"{parent}.iterchildren({name})"
        if ("children", above) in scope.known:
            found = f"({found} if {name} in {scope.known['children', above]} else ())"
        elif above.steps:
            found = f"({found} if {parent} is not None else ())"
        if self._sparse or scope.loops[path] < 2:
            return inner.node, found
        inner.known["children", _HERE] = children = self._w.fresh("m")
        return f"({inner.node}, {children})", self._shared(path, found, scope)

    def _shared(self, path: Path, found: str, scope: Scope) -> str:
        """An expression that yields the elements of a list and the children of each."""
        key = ("shared", path)
        if key not in scope.known:
            elements, children = self._w.fresh("l"), self._w.fresh("l")
            self._w.line(f"{elements} = list({found})")
            self._w.line(f"{children} = [{_by_tag('e')} for e in {elements}]")
            scope.known[key] = f"zip({elements}, {children})"
        return scope.known[key]

    def at(self, elements: str, index: str) -> str:
        return f'f"[{{{index}}}]"'

    def exists(self, path: Path, scope: Scope) -> str:
        if path.attribute is not None:
            return f"({self.present(self.leaf(path, scope))})"
        return f"({self.node(path, scope)} is not None)"

    def present(self, variable: str) -> str:
        return variable

    def is_node(self, variable: str) -> str:
        return f"{variable} is not None"

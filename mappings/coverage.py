"""Coverage: what a document says that its mapping neither reads nor ignores on purpose.

Map or ignore explicitly: a field that is forgotten looks exactly like one that is not needed,
until someone asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from mappings.mapping import Mapping
from mappings.rules import (
    Assign,
    Choice,
    Condition,
    Each,
    Expression,
    Gather,
    Path,
    Rule,
    Rules,
    Within,
)

__all__ = ["unread"]

Names = tuple[str, ...]
"""A source path without indices; an attribute is ``@name``, as in a mapping."""


def unread(mapping: Mapping, body: Any) -> tuple[str, ...]:
    """Source paths with a value in ``body`` that no rule reads and no ``ignore`` entry covers.

    Written as they would stand in ``ignore``, in document order, each once. Whatever any rule of
    the mapping reads counts as read, also where its condition does not hold in this document. An
    ``ignore`` entry covers everything below it. What the mapping takes for absent is absent here
    too: null and empty text; an empty XML element says something by being there.
    """
    read, ignored = _known(mapping)
    found = _of_xml(body, ()) if mapping.spec.reads == "xml" else _of_json(body, ())
    return tuple(
        _text(names)
        for names in dict.fromkeys(found)
        if names not in read and not any(names[: len(above)] == above for above in ignored)
    )


@lru_cache(maxsize=64)
def _known(mapping: Mapping) -> tuple[frozenset[Names], tuple[Names, ...]]:
    read = frozenset(_of_rules(mapping.spec.rules, ()))
    return read, tuple(_names(path, ()) for path in mapping.spec.ignore)


def _text(names: Names) -> str:
    return ".".join(names) if not names[0].startswith("@") else f".{names[0]}"


def _names(path: Path, above: Names) -> Names:
    names = (*(() if path.from_top else above), *(step.name for step in path.steps))
    return names if path.attribute is None else (*names, f"@{path.attribute}")


def _of_rules(rules: Rules, above: Names) -> Iterator[Names]:
    for rule in rules:
        yield from _of_rule(rule, above)


def _of_rule(rule: Rule, above: Names) -> Iterator[Names]:
    match rule:
        case Assign():
            yield from _of_expression(rule.expression, above)
        case Gather():
            for expression in rule.expressions:
                yield from _of_expression(expression, above)
        case Choice():
            for branch in rule.branches:
                yield from _of_condition(branch.condition, above)
                yield from _of_rules(branch.rules or (), above)
        case Within() | Each():
            inside = _names(rule.source, above)
            yield from _of_choices(rule.source, above)
            if isinstance(rule, Each):
                yield from _of_condition(rule.where, inside)
            yield from _of_rules(rule.rules, inside)


def _of_expression(expression: Expression, above: Names) -> Iterator[Names]:
    for path in expression.paths:
        yield from _of_path(path, above)


def _of_condition(condition: Condition | None, above: Names) -> Iterator[Names]:
    for test in condition.tests if condition else ():
        yield from _of_path(test.path, above)


def _of_path(path: Path, above: Names) -> Iterator[Names]:
    yield _names(path, above)
    yield from _of_choices(path, above)


def _of_choices(path: Path, above: Names) -> Iterator[Names]:
    """The fields by which the steps of a path choose one of several: ``Total[@TotalType=...]``."""
    names = () if path.from_top else above
    for step in path.steps:
        names = (*names, step.name)
        if step.where is not None:
            yield (*names, *step.where[0].split("."))


def _of_xml(element: Any, above: Names) -> Iterator[Names]:
    """Attributes, texts, and elements that hold nothing at all."""
    attributes = [(*above, f"@{_name(attribute)}") for attribute in element.attrib]
    yield from attributes
    if (element.text or "").strip() or not (len(element) or attributes):
        yield above
    for child in element.iterchildren("*"):
        yield from _of_xml(child, (*above, _name(child.tag)))


def _name(tag: str) -> str:
    """``acs:Total`` for ``{acs}Total``."""
    return tag.removeprefix("{").replace("}", ":", 1)


def _of_json(value: Any, above: Names) -> Iterator[Names]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _of_json(inner, (*above, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _of_json(inner, above)
    elif value is not None and value != "":
        yield above

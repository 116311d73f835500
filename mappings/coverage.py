"""Coverage: what a document says that its mapping neither reads nor ignores on purpose.

Map or ignore explicitly: a field that is forgotten looks exactly like one that is not needed,
until someone asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mappings.fields import stale, unset
from mappings.mapping import Mapping
from mappings.own import opaque
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
from mappings.spec import Spec
from mappings.unreachable import idle_tables, unreachable

__all__ = [
    "Finding",
    "idle_ignores",
    "ignores",
    "left",
    "looked_at",
    "static",
    "unread",
    "unread_values",
]

Names = tuple[str, ...]
"""A source path without indices; an attribute is ``@name``, as in a mapping."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a mapping that its author should decide on.

    ``what`` is ``unset``, ``stale``, ``unreachable``, ``idle_table`` or ``opaque``; ``subject``
    is the field, table, function or line it is about, and ``next_step`` what to write or take out.
    """

    what: str
    subject: str
    next_step: str
    required: bool = False
    line: int | None = None


def static(mapping: Mapping) -> tuple[Finding, ...]:
    """What the text of a mapping says of its own coverage, before any document is read."""
    spec = mapping.spec
    return (
        *_of_document(spec),
        *(each for part in mapping.further.values() for each in _of_document(part.spec)),
        *(
            Finding("idle_table", name, "no rule looks anything up in it: take it out of `codes`")
            for name in idle_tables(spec)
        ),
        *(
            Finding("opaque", name, "what a function reads inside its value cannot be told")
            for name in dict.fromkeys(use.function for r in spec.every for use in opaque(r))
        ),
    )


def _of_document(spec: Spec) -> Iterator[Finding]:
    """What is said of one kind of documents; of further ones under their name."""
    about = f"{spec.part.name}: " if spec.part else ""
    yield from (
        *(
            Finding(
                "unset",
                f"{about}{field}",
                "write the rule that fills it"
                if field.required
                else f"write the rule that fills it, or say why not: `unset: {{{field}: ...}}`",
                required=field.required,
            )
            for field in unset(spec)
        ),
        *(
            Finding("stale", f"{about}{entry}", "a rule fills it: take it out of `unset`")
            for entry in stale(spec)
        ),
        *(
            Finding("unreachable", f"line {v.line}", f"{v.detail}; take it out", line=v.line)
            for v in unreachable(spec)
        ),
    )


def idle_ignores(mapping: Mapping, bodies: Iterable[Any]) -> dict[str, str]:
    """Entries of ``ignore`` that hide nothing in these documents, each with the reason in words.

    Either no document has such a field, or whatever it covers is read by a rule all the same.
    """
    read, ignored = _known(mapping)
    seen: set[Names] = set()
    for body in bodies:
        seen.update(names for names, _ in _found(mapping, body))
    idle: dict[str, str] = {}
    for entry in ignored:
        below = {names for names in seen if names[: len(entry)] == entry}
        if not below:
            idle[_text(entry)] = "no document has it"
        elif below <= read:
            idle[_text(entry)] = "all of it is read"
    return idle


def unread(mapping: Mapping, body: Any) -> tuple[str, ...]:
    """Source paths with a value in ``body`` that no rule reads and no ``ignore`` entry covers.

    Written as they would stand in ``ignore``, in document order, each once. Whatever any rule of
    the mapping reads counts as read, also where its condition does not hold in this document. An
    ``ignore`` entry covers everything below it. What the mapping takes for absent is absent here
    too: null and empty text; an empty XML element says something by being there.
    """
    return tuple(unread_values(mapping, body))


def unread_values(mapping: Mapping, body: Any) -> dict[str, Any]:
    """What is unread in ``body`` as ``unread`` says, each path with its first value."""
    return left(mapping, body)[0]


def left(mapping: Mapping, body: Any) -> tuple[dict[str, Any], set[str]]:
    """What no rule reads in ``body``: what is unread, as ``unread_values`` says, and the entries
    of ``ignore`` that the rest falls under.
    """
    read, ignored = _known(mapping)
    found: dict[Names, Any] = {}
    for names, value in _found(mapping, body):
        if names not in read and names not in found:
            found[names] = value
    values: dict[str, Any] = {}
    under: set[str] = set()
    for names, value in found.items():
        entries = [_text(above) for above in ignored if names[: len(above)] == above]
        under.update(entries)
        if not entries:
            values[_text(names)] = value
    return values, under


def ignores(mapping: Mapping) -> tuple[str, ...]:
    """The entries of ``ignore``, as ``left`` writes them."""
    return tuple(map(_text, _known(mapping)[1]))


def looked_at(rules: Rules, above: Names = ()) -> Iterator[Names]:
    """Every place of the source that rules look at, those of their loops included.

    No names at all stand for the whole of it.
    """
    yield from _of_rules(rules, above)
    for rule in rules:
        if isinstance(rule, Choice):
            for branch in rule.branches:
                yield from looked_at(branch.rules or (), above)
        elif isinstance(rule, Within | Each):
            inside = _names(rule.source, above)
            yield inside
            yield from looked_at(rule.rules, inside)


def _found(mapping: Mapping, body: Any) -> Iterator[tuple[Names, Any]]:
    return _of_xml(body, ()) if mapping.spec.reads == "xml" else _of_json(body, ())


@lru_cache(maxsize=64)
def _known(mapping: Mapping) -> tuple[frozenset[Names], tuple[Names, ...]]:
    read = frozenset(_of_mapping(mapping.spec))
    return read, tuple(_names(path, ()) for path in mapping.spec.ignore)


def _text(names: Names) -> str:
    return ".".join(names) if not names[0].startswith("@") else f".{names[0]}"


def _names(path: Path, above: Names) -> Names:
    names = (*(() if path.from_top else above), *(step.name for step in path.steps))
    return names if path.attribute is None else (*names, f"@{path.attribute}")


def _of_mapping(spec: Spec) -> Iterator[Names]:
    yield from _of_rules(spec.rules, ())
    for part in spec.further:
        yield from _of_choices(part.source, ())
        inside = _names(part.source, ())
        for path in part.looks_at:
            yield from _of_path(path, inside)
        yield from _of_rules(part.rules, inside)


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
                for path in rule.looks_at:
                    yield from _of_path(path, inside)
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


def _of_xml(element: Any, above: Names) -> Iterator[tuple[Names, Any]]:
    """Attributes, texts, and elements that hold nothing at all."""
    for attribute, value in element.attrib.items():
        yield (*above, f"@{_name(attribute)}"), value
    text = (element.text or "").strip()
    if text or not (len(element) or element.attrib):
        yield above, text
    for child in element.iterchildren("*"):
        yield from _of_xml(child, (*above, _name(child.tag)))


def _name(tag: str) -> str:
    """``acs:Total`` for ``{acs}Total``."""
    return tag.removeprefix("{").replace("}", ":", 1)


def _of_json(value: Any, above: Names) -> Iterator[tuple[Names, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _of_json(inner, (*above, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _of_json(inner, above)
    elif value is not None and value != "":
        yield above, value

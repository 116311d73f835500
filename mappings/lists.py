"""What a list rule does with its elements before its rules see them: order, choice, groups.

The generated code collects rows, one for each element that ``where`` lets through, and has them
arranged here: the elements left, in order, each with the members of its group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import reduce
from typing import Any

from mappings.numbers import DIGITS_MAX, EXACT
from mappings.rules import Assign, Choice, Each, Rules, Shape, Within

__all__ = ["Arranged", "Row", "arranger", "misplaced", "total"]

Row = tuple[Any, Any, tuple[Any, ...]]
"""An element, its place, and its keys: those of ``distinct``, then ``group``, then ``sort``."""
Arranged = tuple[Any, Any, list[tuple[Any, Any]]]
"""An element, its place, and elements and places of its group; of itself alone without one."""


def arranger(shape: Shape) -> Callable[[list[Row]], list[Arranged]]:
    """The function that a list rule arranges its rows with.

    ``distinct`` comes first, then ``group``, ``sort`` and ``take``. A group stands where its first
    element stood, and is sorted by what that one has.
    """
    distinct, grouped = len(shape.distinct), len(shape.distinct) + len(shape.group)

    def arrange(rows: list[Row]) -> list[Arranged]:
        if distinct:
            rows = _distinct(rows, distinct)
        groups = _groups(rows, distinct, grouped) if shape.group else [[row] for row in rows]
        for number, by in reversed(tuple(enumerate(shape.sort, grouped))):
            groups = _sorted(groups, number, descending=by.descending)
        if shape.take is not None:
            groups = groups[:1] if shape.take == "first" else groups[-1:]
        return [(g[0][0], g[0][1], [(row[0], row[1]) for row in g]) for g in groups]

    return arrange


def _distinct(rows: list[Row], end: int) -> list[Row]:
    """The first row of each key; those without any key are not the same as one another."""
    seen: set[tuple[Any, ...]] = set()
    kept = []
    for row in rows:
        key = row[2][:end]
        if key not in seen or not any(part is not None for part in key):
            seen.add(key)
            kept.append(row)
    return kept


def _groups(rows: list[Row], start: int, end: int) -> list[list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(row[2][start:end], []).append(row)
    return list(found.values())


def _sorted(groups: list[list[Row]], number: int, *, descending: bool) -> list[list[Row]]:
    """Sorted by one key, stable in both directions; what has no key comes last in both."""
    keyed = [group for group in groups if group[0][2][number] is not None]
    keyed.sort(key=lambda group: group[0][2][number], reverse=descending)
    return keyed + [group for group in groups if group[0][2][number] is None]


def total(function: str) -> Callable[[list[Decimal]], str | None]:
    """The function for a ``sum of`` or ``count of``; a sum of nothing is absent."""
    return _sum if function == "sum" else lambda found: str(len(found))


def _sum(found: list[Decimal]) -> str | None:
    if not found:
        return None
    number = reduce(EXACT.add, found)
    if len(number.as_tuple().digits) > DIGITS_MAX:
        raise ValueError("the sum has more digits than a number may have")
    return format(number, "f")


def misplaced(rules: Rules, *, grouped: bool = False) -> Iterator[int]:
    """The lines of rules that go through a group where there is none."""
    for rule in rules:
        if isinstance(rule, Choice):
            for when in rule.branches:
                yield from misplaced(when.rules or (), grouped=grouped)
        elif isinstance(rule, Each):
            if rule.source.in_group and not grouped:
                yield rule.line
            inner = rule.shape is not None and bool(rule.shape.group)
            yield from misplaced(rule.rules, grouped=inner)
        elif isinstance(rule, Within):
            yield from misplaced(rule.rules)
        elif not grouped:
            expressions = (rule.expression,) if isinstance(rule, Assign) else rule.expressions
            if any(path.in_group for each in expressions for path in each.paths):
                yield rule.line

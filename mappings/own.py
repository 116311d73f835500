"""Functions of a connector's own: what no transform can say, in Python, under a name.

They are opaque: nobody can tell from the mapping what they do, so reports list them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mappings.rules import Assign, Choice, Each, Gather, Rules, Within
from mappings.texts import ArgumentError, Transformer

__all__ = ["Function", "Opaque", "bound", "opaque"]

Function = Callable[..., Any]
"""From a text, number or yes/no, and the arguments of the rule as texts, to another or ``None``."""

_VALUES = (str, int, bool, Decimal)


@dataclass(frozen=True, slots=True)
class Opaque:
    """A rule whose value goes through a function that no report can look into."""

    line: int
    target: str
    function: str
    arguments: tuple[str, ...] = ()


def bound(name: str, function: Function, arguments: tuple[str, ...]) -> Transformer:
    """A transform that calls a function. Raises ``ArgumentError`` for arguments it cannot take.

    Whatever it raises is told without its words: they may quote the value.
    """
    try:
        inspect.signature(function).bind("", *arguments)
    except TypeError:
        raise ArgumentError("the function takes others") from None

    def call(value: Any) -> Any:
        if type(value) not in _VALUES:
            raise ValueError("a single value was expected here, not a list or an object")
        try:
            made = function(value, *arguments)
        except Exception:  # noqa: BLE001
            raise ValueError(f"the connector's function {name!r} does not take this") from None
        if made is not None and type(made) not in _VALUES:
            raise ValueError(f"the connector's function {name!r} makes no single value of this")
        return made if made != "" else None

    return call


def opaque(rules: Rules, above: tuple[str, ...] = ()) -> Iterator[Opaque]:
    """Every use of a function in some rules, in their order."""
    for rule in rules:
        if isinstance(rule, Choice):
            for branch in rule.branches:
                yield from opaque(branch.rules or (), above)
        elif isinstance(rule, Within | Each):
            yield from opaque(rule.rules, above + rule.target)
        else:
            yield from _in_values(rule, above)


def _in_values(rule: Assign | Gather, above: tuple[str, ...]) -> Iterator[Opaque]:
    expressions = (rule.expression,) if isinstance(rule, Assign) else rule.expressions
    for expression in (inner for outer in expressions for inner in outer.inner):
        for transform in expression.transforms:
            if transform.name == "own":
                target = ".".join(above + rule.target)
                name, *arguments = transform.arguments
                yield Opaque(rule.line, target, name, tuple(arguments))

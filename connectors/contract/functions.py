"""The part of the contract that a connector's own functions for mappings keep."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from connectors import registry
from connectors.contract import damage
from connectors.contract.trial import mapping, samples
from mappings.own import opaque

__all__ = ["functions_keep_their_word"]

_WORD = re.compile(r"[a-z][a-z0-9_]*")
_ODD = ("", "0", "-1.50", "x" * 300, "\u0663 \n", "{}", 7, Decimal("1.10"), True)


def functions_keep_their_word(connector: str) -> None:
    """A function for mappings says what it does, makes the same of the same, and raises ValueError.

    Each is tried with every value of the samples and some that fit nowhere, with the arguments of
    every rule that uses it.
    """
    functions = registry.load(connector).functions
    values = [*dict.fromkeys(_values(connector)), *_ODD] if functions else []
    for name, function in functions.items():
        assert _WORD.fullmatch(name), f"{name!r} is no name of a function"
        assert (inspect.getdoc(function) or "").strip(), f"{name} does not say what it does"
        uses = {use.arguments for use in _uses(connector) if use.function == name}
        for value in values:
            for arguments in uses or {()}:
                made = _tried(name, function, value, arguments)
                known = made is None or type(made) in (str, int, bool, Decimal)
                assert known, f"{name} makes a {type(made).__name__}, which no field takes"
                again = _tried(name, function, value, arguments)
                assert again == made, f"{name} makes another of the same"


def _values(connector: str) -> Iterator[str]:
    syntax = registry.manifests()[connector].format
    for sample in samples(connector):
        for leaf, _ in damage.without_each_leaf(sample.read_bytes(), syntax):
            yield leaf.text


def _uses(connector: str) -> Iterator[Any]:
    for kind in registry.manifests()[connector].messages:
        for rules in mapping(connector, kind).spec.every:
            yield from opaque(rules)


def _tried(name: str, function: Callable[..., Any], value: Any, arguments: tuple[str, ...]) -> Any:
    try:
        return function(value, *arguments)
    except ValueError:
        return None
    except Exception as error:
        raise AssertionError(f"{name} raises {type(error).__name__}") from error

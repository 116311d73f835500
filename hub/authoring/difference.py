"""Differences of two JSON values, path by path as canonical paths are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Difference", "differences"]

_MISSING = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """A place where two values differ; ``None`` where the one has nothing there."""

    path: str
    expected: Any
    found: Any


def differences(expected: Any, found: Any, path: str = "") -> Iterator[Difference]:
    """Every leaf that differs, in the order of the expected value."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in dict.fromkeys((*expected, *found)):
            inner = f"{path}.{name}" if path else name
            yield from differences(expected.get(name, _MISSING), found.get(name, _MISSING), inner)
    elif isinstance(expected, list) and isinstance(found, list):
        for index in range(max(len(expected), len(found))):
            one, other = (_at(values, index) for values in (expected, found))
            yield from differences(one, other, f"{path}[{index}]")
    elif expected is not found and (expected != found or type(expected) is not type(found)):
        yield Difference(path, _or_none(expected), _or_none(found))


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else _MISSING


def _or_none(value: Any) -> Any:
    return None if value is _MISSING else value

"""A canonical document seen as its values: where each lies, of which kind, and which are same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mappings.target import TargetError, default_at, kind_at
from mappings.transforms import as_decimal
from schemas.model import Canonical

__all__ = [
    "Place",
    "at",
    "fitted",
    "is_default",
    "leaves",
    "names",
    "path",
    "places",
    "plain",
    "raw",
    "same",
]

Place = tuple[str | int, ...]
"""A path inside a document: names and indices."""

_SET_BY_HUB = "system"


def plain(document: Canonical | dict[str, Any]) -> dict[str, Any]:
    """Give a document as plain values, without what is absent and what the hub sets itself."""
    if isinstance(document, Canonical):
        document = document.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    cleaned = _cleaned(document)
    return {key: value for key, value in cleaned.items() if key != _SET_BY_HUB}


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        inner = {key: _cleaned(each) for key, each in value.items()}
        return {key: each for key, each in inner.items() if not _absent(each)}
    return [_cleaned(each) for each in value] if isinstance(value, (list, tuple)) else value


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, (dict, list)) and not value)


def names(place: Place) -> tuple[str, ...]:
    """The names of a place without its indices."""
    return tuple(part for part in place if isinstance(part, str))


def path(place: Place) -> str:
    """Write a place as a path: ``lines[0].quantity``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".")


def at(value: Any, target: tuple[str, ...]) -> Any:
    """What lies at a target inside an object, or ``None``."""
    for name in target:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def leaves(model: type[Canonical], document: dict[str, Any]) -> dict[Place, tuple[str, Any]]:
    """Every single value of a document with its kind, in document order."""
    return {place: (kind, value) for place, kind, value in _walk(model, (), document, ())}


def places(
    model: type[Canonical], above: tuple[str, ...], value: dict[str, Any], place: Place
) -> Iterator[Place]:
    """The places of the values inside an object at a place."""
    for found, _, inner in _walk(model, above, value, place):
        if not is_default(model, found, inner):
            yield found


def _walk(
    model: type[Canonical], above: tuple[str, ...], value: dict[str, Any], place: Place
) -> Iterator[tuple[Place, str, Any]]:
    for name, inner in value.items():
        full, there = (*above, name), (*place, name)
        kind = _kind(model, full)
        if kind == "object" and isinstance(inner, dict):
            yield from _walk(model, full, inner, there)
        elif kind == "objects" and isinstance(inner, list):
            for index, each in enumerate(inner):
                if isinstance(each, dict) and each:
                    yield from _walk(model, full, each, (*there, index))
                else:
                    yield (*there, index), "text", each
        else:
            yield there, kind, inner


def _kind(model: type[Canonical], target: tuple[str, ...]) -> str:
    try:
        return kind_at(model, target)
    except TargetError:
        return "text"


def fitted(kind: str, value: Any) -> Any:
    """A value as its kind has it, also where it came as JSON. Raises ``ValueError``."""
    if kind == "decimal":
        return as_decimal(value)
    wanted: dict[str, type] = {"flag": bool, "integer": int, "moment": dict, "texts": list}
    inside: list[Any] = []
    if kind == "moment" and type(value) is dict:
        inside = [value.get("local"), value.get("offset", "")]
    elif kind == "texts" and type(value) is list:
        inside = value
    if type(value) is not wanted.get(kind, str) or not all(type(part) is str for part in inside):
        raise ValueError("the document has no such value here")
    return value


def raw(kind: str, value: Any) -> Any:
    """What a source says for a value of a kind, before transforms are undone."""
    return value["local"] + (value.get("offset") or "") if kind == "moment" else value


def same(kind: str, one: Any, other: Any) -> bool:
    """Whether two values of a kind are the same; of a moment what the source said."""
    try:
        one, other = fitted(kind, one), fitted(kind, other)
    except ValueError:
        return False
    if kind == "moment":
        one, other = raw(kind, one), raw(kind, other)
    return bool(one == other)


def is_default(model: type[Canonical], place: Place, value: Any) -> bool:
    """Whether a value says no more than its absence would."""
    return bool(default_at(model, names(place)) == value)

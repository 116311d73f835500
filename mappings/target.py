"""What the canonical model expects at a target: the kind of value, or that there is no such field."""

from __future__ import annotations

import types
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from mappings.errors import suggestion
from schemas.model import Canonical
from schemas.moment import Moment

__all__ = ["Kind", "TargetError", "kind_at"]

Kind = Literal["text", "decimal", "integer", "flag", "date", "moment", "object", "texts", "objects"]


class TargetError(ValueError):
    """The model has no such field, in words."""


@cache
def kind_at(model: type[Canonical], target: tuple[str, ...]) -> Kind:
    """Find what kind of value ``target`` takes; a step into a list looks at its elements.

    Raises ``TargetError``.
    """
    models: tuple[type[Canonical], ...] = (model,)
    kind: Kind = "object"
    for depth, name in enumerate(target):
        known = {field for m in models for field in m.model_fields}
        if name not in known:
            where = ".".join(target[:depth]) or models[0].__name__
            raise TargetError(f"{where} has no field {name!r}{suggestion(name, known)}")
        found = [m.model_fields[name].annotation for m in models if name in m.model_fields]
        kinds = {_kind(annotation) for annotation in found}
        kind = kinds.pop() if len(kinds) == 1 else "text"
        models = tuple(dict.fromkeys(inner for a in found for inner in _models(a)))
    return kind


def _parts(annotation: Any) -> Iterator[Any]:
    """The alternatives of an annotation, without None and without constraints."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _parts(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for part in get_args(annotation):
            if part is not type(None):
                yield from _parts(part)
    else:
        yield annotation


def _models(annotation: Any) -> Iterator[type[Canonical]]:
    for part in _parts(annotation):
        if get_origin(part) is tuple:
            yield from _models(get_args(part)[0])
        elif isinstance(part, type) and issubclass(part, Canonical):
            yield part


def _kind(annotation: Any) -> Kind:
    part = next(_parts(annotation))
    if get_origin(part) is tuple:
        return "objects" if any(True for _ in _models(part)) else "texts"
    if get_origin(part) is Literal:
        return "text"
    if issubclass(part, Moment):
        return "moment"
    if issubclass(part, Canonical):
        return "object"
    kinds: dict[type, Kind] = {bool: "flag", Decimal: "decimal", int: "integer", date: "date"}
    return kinds.get(part, "text")

"""What the canonical model expects at a target: which kind of value, and whether it takes one."""

from __future__ import annotations

import types
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from mappings.errors import suggestion
from schemas.model import Canonical
from schemas.moment import Moment

__all__ = [
    "Kind",
    "TargetError",
    "default_at",
    "inner_models",
    "kind_at",
    "location",
    "takes",
]

Kind = Literal["text", "decimal", "integer", "flag", "date", "moment", "object", "texts", "objects"]


class TargetError(ValueError):
    """The model has no such field, in words."""


@cache
def kind_at(model: type[Canonical], target: tuple[str, ...]) -> Kind:
    """Find what kind of value ``target`` takes; a step into a list looks at its elements.

    Raises ``TargetError``.
    """
    kinds = {_kind(field.annotation) for field in _fields(model, target)}
    return kinds.pop() if len(kinds) == 1 else "text"


def takes(model: type[Canonical], target: tuple[str, ...], value: object) -> bool:
    """Whether a value of the right kind is one that ``target`` may have: a word of its list."""
    for adapter in _adapters(model, target):
        try:
            adapter.validate_python(value)
        except ValidationError:
            continue
        return True
    return False


@cache
def default_at(model: type[Canonical], target: tuple[str, ...]) -> object:
    """What a target is where nothing is said of it; ``None`` where the model has no such field."""
    try:
        found = _fields(model, target)
    except TargetError:
        return None
    return None if found[0].is_required() else found[0].default


@cache
def _adapters(model: type[Canonical], target: tuple[str, ...]) -> list[TypeAdapter[Any]]:
    constrained: list[Any] = [Annotated[f.annotation, f] for f in _fields(model, target)]
    return [TypeAdapter(kind) for kind in constrained]


@cache
def inner_models(model: type[Canonical], target: tuple[str, ...]) -> tuple[type[Canonical], ...]:
    """The models that may stand at ``target``, several where it is a list of several kinds."""
    return _inside(_fields(model, target)) if target else (model,)


def location(model: type[Canonical], parts: tuple[int | str, ...]) -> str:
    """Write pydantic's location as a path; the tag of a union is no part of it."""
    path, tag_next = "", False
    models: tuple[type[Canonical], ...] = (model,)
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
            tag_next = len(models) > 1
        elif tag_next:
            tag_next = False
        else:
            path += f".{part}" if path else part
            models = _inside(_named(models, part))
    return path


def _fields(model: type[Canonical], target: tuple[str, ...]) -> list[FieldInfo]:
    """The field that a target names, in each of the models that may stand there."""
    models: tuple[type[Canonical], ...] = (model,)
    fields: list[FieldInfo] = []
    for depth, name in enumerate(target):
        fields = _named(models, name)
        if not fields:
            where = ".".join(target[:depth]) or model.__name__
            known = {field for m in models for field in m.model_fields}
            raise TargetError(f"{where} has no field {name!r}{suggestion(name, known)}")
        models = _inside(fields)
    return fields


def _named(models: tuple[type[Canonical], ...], name: str) -> list[FieldInfo]:
    return [model.model_fields[name] for model in models if name in model.model_fields]


def _inside(fields: list[FieldInfo]) -> tuple[type[Canonical], ...]:
    return tuple(dict.fromkeys(inner for field in fields for inner in _models(field.annotation)))


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

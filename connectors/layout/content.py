"""Which fields make two messages of one name the same fact: those that the layout lists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from connectors.layout.layout import Field, Layout

__all__ = ["written"]


def written(layout: Layout, document: dict[str, Any]) -> bytes:
    """Write the content down so that only equal content gives equal bytes.

    A number counts by its value: ``3.490`` and ``3.49`` are the same.
    """
    rows = []
    for path in layout.content:
        field = layout.paths.get(path)
        rows.append([path, [_plain(value, field) for value in _at(document, path.split("."))]])
    return json.dumps(rows, separators=(",", ":")).encode()


def _at(value: Any, steps: list[str]) -> Iterator[Any]:
    """What lies at a path, through lists; absent in an element of a list is told as well."""
    if isinstance(value, list):
        for inner in value:
            yield from _at(inner, steps)
    elif not steps:
        yield value
    elif isinstance(value, dict):
        yield from _at(value.get(steps[0]), steps[1:])
    else:
        yield None


def _plain(value: Any, field: Field | None) -> Any:
    if value is None or field is None or field.kind != "decimal":
        return value
    number = Decimal(value)
    return format(number.normalize(), "f") if number else "0"

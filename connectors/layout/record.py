"""One record as values: its fields cut out, decoded and read, each mistake with its place."""

from __future__ import annotations

from typing import Any

from connectors.api import ENCODING
from connectors.layout.causes import RECORD, VALUE
from connectors.layout.layout import Field, Layout, Record
from connectors.layout.value import read
from schemas.problem import Problem, Rejected

__all__ = ["misfit", "values"]


def misfit(layout: Layout, record: Record, row: bytes, number: int) -> Problem | None:
    """What is wrong with the length of a record; ``None`` if it is right."""
    size = layout.size_of(row)
    if size == record.size:
        return None
    unit = "columns" if layout.separator else "bytes"
    detail = (
        f"record {number} ({record.type}) has {size} {unit}, "
        f"the layout {layout.name} says {record.size}"
    )
    return RECORD.at(detail, path=record.type, byte=0)


def values(layout: Layout, record: Record, row: bytes, number: int) -> dict[str, Any]:
    """The values of a record by field; empty ones are left out.

    ``number`` is its place, counted from 1. Raises ``Rejected`` naming record, column and field.
    """
    problem = misfit(layout, record, row, number)
    if problem is not None:
        raise Rejected(problem)
    spans = layout.spans(row) if layout.separator else []
    texts = {}
    for field in record.fields:
        texts[field.name] = _text(layout, record, field, _span(field, spans), row, number)
    found: dict[str, Any] = {}
    for field in record.fields:
        text = texts[field.name]
        if field.kind == "skip":
            continue
        sign = texts[field.sign].strip() if field.sign in texts else ""
        try:
            value = read(field, text, layout, sign)
        except ValueError as error:
            detail = f"{_where(layout, record, field, number)}: {error}"
            begin, _ = _span(field, spans)
            path = f"{record.type}.{field.name}"
            raise Rejected(VALUE.at(detail, path=path, value=text, byte=begin)) from None
        if value is not None and field.kind not in {"is", "sign"}:
            found[field.name] = value
    return found


def _span(field: Field, spans: list[tuple[int, int]]) -> tuple[int, int]:
    return spans[field.start] if spans else (field.start, field.start + field.width)


def _where(layout: Layout, record: Record, field: Field, number: int) -> str:
    if layout.separator:
        name = layout.columns[field.start]
        return f"record {number} ({record.type}), column {field.start + 1} {name!r}"
    return (
        f"record {number} ({record.type}), bytes {field.start + 1} to {field.start + field.width}"
    )


def _text(
    layout: Layout,
    record: Record,
    field: Field,
    span: tuple[int, int],
    row: bytes,
    number: int,
) -> str:
    begin, end = span
    cell = row[begin:end]
    path = f"{record.type}.{field.name}"
    if layout.quote and cell.startswith(layout.quote):
        if len(cell) < 2 or not cell.endswith(layout.quote):
            detail = f"{_where(layout, record, field, number)}: a quote that is not closed"
            raise Rejected(RECORD.at(detail, path=path, byte=begin))
        cell = cell[1:-1].replace(layout.quote * 2, layout.quote)
        if layout.escape and layout.escape != layout.quote:
            cell = cell.replace(layout.escape + layout.quote, layout.quote)
    try:
        return cell.decode(layout.code_page)
    except UnicodeDecodeError as error:
        detail = f"{_where(layout, record, field, number)}: not in the code page {layout.code_page}"
        raise Rejected(ENCODING.at(detail, path=path, byte=begin + error.start)) from None

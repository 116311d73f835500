"""A message as a document: its records nested as the layout says, and its trailer compared."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from connectors.api import FOREIGN, MALFORMED
from connectors.layout.causes import COUNT, RECORD
from connectors.layout.layout import Layout, Record
from connectors.layout.record import values
from connectors.scrub.positional import lines
from schemas.problem import Problem, Rejected

__all__ = ["count_problem", "document", "file_values"]


def document(layout: Layout, payload: bytes, header: bytes) -> dict[str, Any]:
    """Give the document of a message. Raises ``Rejected``: what does not fit, and where."""
    made: dict[str, Any] = dict(layout.constants or {})
    if layout.file_begin:
        if not header:
            raise Rejected(MALFORMED.at("the header of its file is missing", byte=0))
        made["file"] = dict(file_values(layout, header))
    last: dict[str, dict[str, Any]] = {}
    number, at = 0, 0
    for begin, end, _ in lines(payload, layout.framing):
        row = payload[begin:end]
        if not row.strip(b" \x00"):
            continue
        number += 1
        try:
            _add(layout, made, last, row, number)
        except Rejected as error:
            at = begin + (error.problem.byte or 0)
            raise Rejected(error.problem.model_copy(update={"byte": at})) from None
    if number and layout.end and layout.end != layout.begin and layout.end not in last:
        raise Rejected(RECORD.at(f"the record {layout.end} is missing", path=layout.end, byte=at))
    return made


@lru_cache(maxsize=256)
def file_values(layout: Layout, header: bytes) -> dict[str, Any]:
    """The values of the record that a file begins with. Raises ``Rejected``."""
    return values(layout, layout.records[layout.file_begin], header, 1)


def count_problem(
    record: Record, found: dict[str, Any], counted: int, *, number: int
) -> Problem | None:
    """What is wrong with the count that a trailer gives; ``None`` if it is right or absent."""
    for field in record.fields:
        if field.counts and field.name in found and int(found[field.name]) != counted:
            detail = (
                f"record {number} ({record.type}) counts {int(found[field.name])} records, "
                f"there are {counted}"
            )
            return COUNT.at(detail, path=f"{record.type}.{field.name}", byte=0)
    return None


def _add(
    layout: Layout,
    made: dict[str, Any],
    last: dict[str, dict[str, Any]],
    row: bytes,
    number: int,
) -> None:
    record = layout.type_of(row)
    if record is None:
        detail = f"record {number} is of no type that the layout {layout.name} knows"
        raise Rejected(FOREIGN.at(detail, value=_tag(layout, row)))
    found = values(layout, record, row, number)
    if record.type == layout.begin:
        made.update(found)
        last[record.type] = made
        return
    if record.type == layout.end:
        problem = count_problem(record, found, number - 2, number=number)
        if problem is not None:
            raise Rejected(problem)
    above = last.get(record.under or layout.begin)
    if above is None:
        detail = f"record {number} ({record.type}) stands before any {record.under or layout.begin}"
        raise Rejected(RECORD.at(detail, path=record.type))
    name = record.name or record.type
    if record.many:
        above.setdefault(name, []).append(found)
    elif name in above:
        raise Rejected(
            RECORD.at(f"record {number} ({record.type}) is there twice", path=record.type)
        )
    else:
        above[name] = found
    last[record.type] = found


def _tag(layout: Layout, row: bytes) -> str:
    begin, end = layout.told
    if layout.separator:
        spans = layout.spans(row)
        begin, end = spans[begin] if begin < len(spans) else (0, 0)
    return row[begin:end].decode(layout.code_page, "replace")

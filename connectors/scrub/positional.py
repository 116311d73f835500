"""Card data in records whose fields have no names, only places: fixed widths or columns.

A layout says where the fields of each type of record lie. Each field is searched for itself,
because neighbours of a fixed width run into each other: an amount would hide a card number, and
two amounts would pass for one. Of a record that fits no layout nobody can say where its card
number is, so that every long run of digits in it is masked.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from connectors.scrub.card import KEPT, exposed
from connectors.scrub.field import Rule
from connectors.scrub.spelling import MASK

__all__ = ["Form", "Framing", "Positions", "cells", "finds", "lines", "mask_of"]

Span = tuple[int, int]

_BETWEEN = b"\x00|\x00"
"""Stands between two fields that are searched together; no number runs across it."""

_LONG_RUN = re.compile(rb"[0-9]{12,}")
_DIGIT = re.compile(rb"[0-9\x80-\xff]")
_LETTER_OR_DIGIT = re.compile(rb"[0-9A-Za-z\x7f-\xff]")


@dataclass(frozen=True, slots=True)
class Framing:
    r"""How records follow each other: by a line end, or all of ``record_bytes`` without any.

    Before a line end of ``\n`` a ``\r`` belongs to the line end.
    """

    line_end: bytes = b"\n"
    record_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Form:
    """One type of record: what tells it, how long it is, and its fields with their rules.

    In a fixed width the fields are stretches of bytes and ``size`` is in bytes; between
    separators they are columns, counted from 0, and ``size`` is the number of columns.
    """

    tag: bytes
    size: int
    fields: tuple[tuple[int, int, Rule | None], ...]


@dataclass(frozen=True, slots=True)
class Positions:
    """Where fields lie in the records of one layout.

    ``plain`` translates its code page to ASCII, byte for byte; all else is in that ASCII.
    ``tag`` is where the type of a record is told: a stretch of bytes, or a column and 0.
    """

    framing: Framing
    plain: bytes
    mask: int
    tag: Span
    forms: tuple[Form, ...]
    separator: bytes = b""
    """Of a layout with columns; a fixed width has none."""
    quote: bytes = b""
    escape: bytes = b""
    heads: tuple[bytes, ...] = ()
    """Lines that are no records, such as the names of the columns."""


def lines(payload: bytes, framing: Framing) -> Iterator[tuple[int, int, bool]]:
    """Start and end of each record without its line end, and whether it has one."""
    if framing.record_bytes:
        for at in range(0, len(payload), framing.record_bytes):
            end = min(at + framing.record_bytes, len(payload))
            yield at, end, end - at == framing.record_bytes
        return
    at = 0
    while at < len(payload):
        end = payload.find(framing.line_end, at)
        if end < 0:
            yield at, len(payload), False
            return
        bare = end - (framing.line_end == b"\n" and payload[at:end].endswith(b"\r"))
        yield at, bare, True
        at = end + len(framing.line_end)


def cells(row: bytes, separator: bytes, quote: bytes = b"", escape: bytes = b"") -> list[Span]:
    """Where the columns of a row lie, quotes and all.

    A quote opens only at the start of a column; a doubled one inside stands for itself. One that
    never closes takes the rest of the row with it.
    """
    if not quote or quote not in row:
        spans, at = [], 0
        for part in row.split(separator):
            spans.append((at, at + len(part)))
            at += len(part) + len(separator)
        return spans
    spans, at = [], 0
    while True:
        end = _quoted_end(row, at, quote, escape) if row.startswith(quote, at) else at
        end = row.find(separator, end)
        if end < 0:
            return [*spans, (at, len(row))]
        spans.append((at, end))
        at = end + len(separator)


def _quoted_end(row: bytes, at: int, quote: bytes, escape: bytes) -> int:
    at += 1
    while at < len(row):
        here = row[at : at + 1]
        if here == escape and escape != quote:
            at += 2
        elif here != quote:
            at += 1
        elif row.startswith(quote, at + 1):
            at += 2
        else:
            return at + 1
    return len(row)


def finds(payload: bytes, layouts: tuple[Positions, ...]) -> dict[int, int]:
    """What is to be masked: the offsets, each with the byte to put there.

    Where a record fits several layouts, the rules of all of them apply. The layouts have the same
    framing and code page, as one file has.
    """
    first = layouts[0]
    plain = payload.translate(first.plain)
    offsets: set[int] = set()
    searched: list[Span] = []
    for start, end, ended in lines(payload, first.framing):
        row = plain[start:end]
        fitting = [
            fields for one in layouts if (fields := _fields(one, row, ended=ended)) is not None
        ]
        if not fitting:
            offsets.update(start + at for at in _anywhere(row))
        for fields in fitting:
            for begin, stop, rule in fields:
                if rule is None:
                    searched.append((start + begin, start + stop))
                else:
                    offsets.update(start + at for at in _covered(row, begin, stop, rule))
    offsets.update(_found(plain, searched))
    mask = first.mask
    return {offset: mask for offset in offsets if payload[offset] != mask}


def _fields(
    layout: Positions, row: bytes, *, ended: bool
) -> tuple[tuple[int, int, Rule | None], ...] | None:
    """The fields of a record by byte; ``None`` if it does not fit the layout.

    A record that has not ended may lack what is behind it, but its beginning stands where it does.
    """
    if not row.strip(b" \x00") or row in layout.heads:
        return ()
    if not layout.separator:
        tag = row[layout.tag[0] : layout.tag[1]]
        for form in layout.forms:
            if form.tag == tag and (len(row) == form.size or (not ended and len(row) < form.size)):
                return form.fields
        return None
    spans = cells(row, layout.separator, layout.quote, layout.escape)
    for form in layout.forms:
        whole = len(spans) == form.size or (not ended and len(spans) < form.size)
        column = layout.tag[0]
        told = spans[column] if column < len(spans) else (0, 0)
        if whole and (
            not form.tag or row[told[0] : told[1]].strip(layout.quote + b" ") == form.tag
        ):
            rules = {column: rule for column, _, rule in form.fields}
            return tuple((*span, rules.get(n)) for n, span in enumerate(spans))
    return None


def _anywhere(row: bytes) -> Iterator[int]:
    for run in _LONG_RUN.finditer(row):
        yield from range(run.start(), run.end() - KEPT)
    for find in exposed(row):
        yield from find


def _covered(row: bytes, begin: int, stop: int, rule: Rule) -> Iterator[int]:
    if rule == "secret":
        yield from (m.start() for m in _LETTER_OR_DIGIT.finditer(row, begin, stop))
    elif rule == "pan":
        digits = [m.start() for m in _DIGIT.finditer(row, begin, stop)]
        yield from digits[:-KEPT]


def _found(plain: bytes, searched: list[Span]) -> Iterator[int]:
    """Card numbers in the other fields, all of them searched at once."""
    starts, at = [], 0
    for begin, stop in searched:
        starts.append(at)
        at += stop - begin + len(_BETWEEN)
    text = _BETWEEN.join(plain[begin:stop] for begin, stop in searched)
    for find in exposed(text):
        for index in find:
            field = bisect_right(starts, index) - 1
            begin, stop = searched[field]
            if (offset := begin + index - starts[field]) < stop:
                yield offset


def mask_of(code_page: str) -> int:
    """The byte that masks in a code page: an asterisk, where it has one."""
    try:
        return "*".encode(code_page)[0]
    except UnicodeError:
        return MASK

"""The model of a layout: which types of records there are, and where their fields lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from connectors.scrub.field import Rule
from connectors.scrub.positional import Framing, cells

__all__ = ["Field", "FieldKind", "Layout", "Record"]

FieldKind = Literal["text", "digits", "decimal", "date", "is", "sign", "skip"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record. ``start`` and ``width`` are bytes, or a column and 0."""

    name: str
    kind: FieldKind
    start: int
    width: int = 0
    trim: Literal["both", "left", "right", "none"] = "both"
    pad: str = ""
    """Cut off at the trimmed sides beside blanks and zero bytes."""
    places: int = 0
    """Decimals that are not written; the last digits are meant."""
    comma: bool = False
    group: str = ""
    sign: str = ""
    """Name of the field with the sign, or ``trailing`` or ``overpunch``."""
    pattern: str = ""
    constant: str = ""
    counts: bool = False
    """Of a trailer: how many records lie between header and trailer."""
    card: Rule | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A type of record, told by its ``tag``; ``size`` is in bytes, or the number of columns.

    In the document it stands under the record ``under`` that came last, as ``name`` or, if there
    may be ``many``, in the list of that name.
    """

    type: str
    tag: str
    fields: tuple[Field, ...]
    size: int
    under: str = ""
    name: str = ""
    many: bool = False


@dataclass(frozen=True, eq=False)
class Layout:
    """A format. Two layouts are the same only if they are one object."""

    name: str
    summary: str
    code_page: str
    framing: Framing
    records: Mapping[str, Record]
    told: tuple[int, int]
    """Where a record's tag stands: start and end in bytes, or a column and 0."""
    file_begin: str
    """Type of the record that a file begins with; empty if it has none."""
    file_end: str
    begin: str
    end: str
    """Type of the record that a message ends with; empty if the next one ends it."""
    kind_field: str
    kinds: Mapping[str, str]
    key: tuple[str, ...]
    content: tuple[str, ...]
    content_version: int = 1
    constants: Mapping[str, str] | None = None
    separator: bytes = b""
    quote: bytes = b""
    escape: bytes = b""
    columns: tuple[str, ...] = ()
    header: bool = False
    """The first line names the columns."""
    skipped: int = 0
    """Lines before the first record of a file, or before its header, that say nothing."""
    plus: tuple[str, ...] = ("P", "+", "")
    minus: tuple[str, ...] = ("N", "-")

    @cached_property
    def head(self) -> bytes:
        """The line that names the columns, as a sender without need for quotes writes it."""
        return self.separator.join(column.encode(self.code_page) for column in self.columns)

    @cached_property
    def types(self) -> dict[bytes, Record]:
        """The types of records by the bytes of their tags."""
        return {record.tag.encode(self.code_page): record for record in self.records.values()}

    @cached_property
    def paths(self) -> dict[str, Field]:
        """Every field that a document of this layout can have, by its path."""
        return dict(self._paths())

    def _paths(self) -> Iterator[tuple[str, Field]]:
        for record in self.records.values():
            if record.type == self.file_end:
                continue
            above = self._above(record)
            for field in record.fields:
                if field.kind not in {"skip", "sign", "is"}:
                    yield f"{above}{field.name}", field

    def _above(self, record: Record, depth: int = 0) -> str:
        """The path of a record with a dot behind it; records do not stand under each other."""
        if record.type == self.begin or depth > len(self.records):
            return ""
        if record.type == self.file_begin:
            return "file."
        under = self.records.get(record.under or self.begin)
        above = self._above(under, depth + 1) if under is not None else ""
        return f"{above}{record.name or record.type}."

    def spans(self, row: bytes) -> list[tuple[int, int]]:
        """Where the columns of a row lie."""
        return cells(row, self.separator, self.quote, self.escape)

    def type_of(self, row: bytes) -> Record | None:
        """The type of a record, told by its tag alone."""
        if not self.separator:
            return self.types.get(row[self.told[0] : self.told[1]])
        if b"" in self.types:
            return self.types[b""]
        spans = self.spans(row)
        if self.told[0] >= len(spans):
            return None
        begin, end = spans[self.told[0]]
        return self.types.get(row[begin:end].strip(self.quote + b" "))

    def size_of(self, row: bytes) -> int:
        """How long a record is, in the measure of ``Record.size``."""
        return len(self.spans(row)) if self.separator else len(row)

    def begins_file(self, row: bytes, *, ended: bool) -> bool:
        """Whether a file of this layout can begin with this record, or with these bytes of it."""
        if self.header:
            head = self.names(row)
            if ended:
                return head == list(self.columns)
            return (
                bool(row)
                and list(self.columns)[: len(head) - 1] == head[:-1]
                and (
                    len(head) <= len(self.columns)
                    and self.columns[len(head) - 1].startswith(head[-1])
                )
            )
        if not self.file_begin:
            first = self.records[self.begin]
            tag = first.tag.encode(self.code_page)
            return self.type_of(row) is first or (not ended and tag.startswith(row))
        first = self.records[self.file_begin]
        tag = first.tag.encode(self.code_page)
        if self.type_of(row) is first:
            size = self.size_of(row)
            whole = size == first.size and self.constants_fit(first, row)
            return whole or (not ended and size < first.size)
        return not ended and not self.separator and not self.told[0] and tag.startswith(row)

    def constants_fit(self, record: Record, row: bytes) -> bool:
        """Whether the fields that are always the same are; by these files tell their release."""
        spans = self.spans(row) if self.separator else []
        for field in record.fields:
            if field.kind == "is":
                end = field.start + field.width
                begin, end = spans[field.start] if spans else (field.start, end)
                text = row[begin:end].decode(self.code_page, "replace")
                if text.strip(" \x00" + self.quote.decode(self.code_page)) != field.constant:
                    return False
        return True

    def names(self, row: bytes) -> list[str]:
        """The texts of a line that names columns."""
        quote = self.quote.decode(self.code_page)
        return [
            row[begin:end].decode(self.code_page, "replace").strip().strip(quote or None)
            for begin, end in self.spans(row)
        ]

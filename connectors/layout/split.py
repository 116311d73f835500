"""A file cut into its messages, record by record, before any field is read.

What a record is, its tag alone says, so that a broken field spoils its own message and the
neighbours go on. The record that the file begins with is the context of its messages; the one it
ends with is not kept, unless it counts other records than there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connectors.api import (
    EMPTY,
    FOREIGN,
    MALFORMED,
    NO_MESSAGE,
    TRUNCATED,
    Rest,
    Slice,
)
from connectors.layout.causes import WRONG
from connectors.layout.document import count_problem
from connectors.layout.layout import Layout, Record
from connectors.layout.record import misfit, values
from connectors.layout.rows import Group, Row, content, read_rows
from connectors.layout.shelf import of_record
from schemas.problem import Problem, Refused, Rejected

__all__ = ["continues", "head_of", "split_file"]

_BOM = b"\xef\xbb\xbf"
_UNCOUNTED = b"-"
"""In the context of a rest: the start of the file was never seen, so that no count can be told."""
_NOTHING = b" \x00\x1a\r\n\t"
"""A record of nothing but these is none: blank lines, zero bytes behind the end, Ctrl-Z of DOS."""


def split_file(
    chunks: Iterable[bytes], layouts: tuple[Layout, ...], rest: Rest | None
) -> Iterator[Slice | Rest]:
    """Cut a file that has one of these layouts; its first record tells which.

    Raises ``Refused`` for a file of another layout, and for a message that is too large.
    """
    yield from _Splitter(chunks, layouts, rest).run()


def continues(head: bytes, layouts: tuple[Layout, ...]) -> bool:
    """Whether a record with this head starts in the middle of a file of these layouts."""
    skipped, row = layouts[0].skipped, None
    for row in read_rows([head.removeprefix(_BOM)], layouts[0].framing, b""):
        if skipped and row.ended:
            skipped -= 1
        elif skipped or row.raw.strip(_NOTHING):
            break
    else:
        # Nothing but blank lines goes on; lines that are to be skipped begin a file.
        return bool(head) and not layouts[0].skipped
    if skipped:
        return False
    bare = content(row, layouts[0].framing)
    return not any(one.begins_file(bare, ended=row.ended) or _is_head(one, bare) for one in layouts)


def _is_head(layout: Layout, bare: bytes) -> bool:
    """Whether a file begins here that then turns out to be of another layout."""
    record = layout.type_of(bare)
    return record is not None and record.type == layout.file_begin


def head_of(context: bytes) -> bytes:
    """The record that the file begins with, out of a context, which in a rest counts as well."""
    head, mark, count = context.rpartition(b"\n")
    return head if mark and (count.isdigit() or count == _UNCOUNTED) else context


class _Splitter:
    def __init__(
        self, chunks: Iterable[bytes], layouts: tuple[Layout, ...], rest: Rest | None
    ) -> None:
        self._layouts, self._rest = layouts, rest
        self._framing = layouts[0].framing
        before = rest.payload if rest else b""
        self._chunks = read_rows(chunks, self._framing, before)
        self._layout: Layout | None = layouts[0] if len(layouts) == 1 else None
        self._begun = False
        self._in_file = False
        self._context = b""
        self._counted: int | None = 0
        self._number = 0
        self._open: Group | None = None
        self._stray: Group | None = None
        self._found = False
        self._preamble = Group()
        self._skip = layouts[0].skipped
        self._seen = 0
        if rest is not None and rest.context:
            self._go_on(rest.context)

    def _go_on(self, context: bytes) -> None:
        head, _, count = context.rpartition(b"\n")
        if self._layout is None:
            fitting = of_record(head, self._layouts)
            self._layout = fitting[0] if len(fitting) == 1 else None
        self._context, self._in_file = head, True
        self._begun = self._layout is not None
        self._counted = int(count) if count.isdigit() and len(count) < 12 else None

    def run(self) -> Iterator[Slice | Rest]:
        blank = True
        for row in self._chunks:
            one = self._without_bom(row)
            self._seen = one.at + len(one.raw)
            if not self._begun and self._skip and one.ended:
                self._skip -= 1
                self._preamble.add(row)
                continue
            if not one.raw.strip(_NOTHING):
                self._pass_over(one)
                continue
            blank = False
            self._number += 1
            if not self._begun and self._layout_of(one):
                yield self._unread(row)
                return
            if (partial := self._unfinished(one)) is not None:
                yield from self._end(partial)
                return
            yield from self._take(one)
        if blank and self._preamble.raws:
            yield self._unread(None)
            return
        if blank and self._rest is None:
            raise Refused(EMPTY.at())
        yield from self._end(None)

    def _unread(self, row: Row | None) -> Rest:
        """The beginning of a file, of which too little came to tell what it is."""
        if row is not None:
            self._preamble.add(row)
        return Rest(b"".join(self._preamble.raws), self._offset(self._preamble.at), b"")

    def _without_bom(self, row: Row) -> Row:
        if row.at or not row.raw.startswith(_BOM) or (self._rest and self._rest.context):
            return row
        return Row(row.raw[len(_BOM) :], len(_BOM), row.ended)

    def _pass_over(self, row: Row) -> None:
        """A blank line counts as no record, but lies in the middle of what is open."""
        if group := self._open or self._stray:
            group.add(row, blank=True)

    def _layout_of(self, row: Row) -> bool:
        """Find the layout by the first record; true if more of it must come to tell.

        Raises ``Refused`` if it is of none.
        """
        bare = content(row, self._framing)
        fitting = of_record(bare, self._layouts, ended=row.ended)
        if not row.ended:
            if not self._skip and not fitting and not (row.at == 0 and _BOM.startswith(row.raw)):
                raise Refused(self._wrong(bare))
            return True
        if len(fitting) != 1 and (self._layout is None or not self._may_be_middle(bare)):
            raise Refused(self._wrong(bare, several=fitting))
        self._layout = self._layout or fitting[0]
        self._begun = True
        self._counted = None
        if self._layout.header:
            self._context = self._layout.head
        return False

    def _may_be_middle(self, bare: bytes) -> bool:
        """Whether a file whose layout was chosen may be read from here on, without its start."""
        layout = self._layout
        if layout is None:
            return False
        record = layout.type_of(bare)
        if layout.header:
            return record is not None and layout.size_of(bare) == record.size
        return record is None or record.type != layout.file_begin

    def _wrong(self, bare: bytes, *, several: list[Layout] | None = None) -> Problem:
        """Say why the file has none of the layouts, or that it has several."""
        if several:
            names = ", ".join(layout.name for layout in several)
            return WRONG.at(f"record 1 fits several layouts: {names}", byte=0)
        for layout in self._layouts:
            record = layout.type_of(bare)
            if layout.header and len(self._layouts) == 1:
                return WRONG.at(_header_mistake(layout, bare), path="columns", byte=0)
            if record is not None and (problem := misfit(layout, record, bare, 1)) is not None:
                return WRONG.at(problem.detail or "", path=record.type, byte=0)
            if record is not None and not layout.constants_fit(record, bare):
                detail = f"record 1 ({record.type}) lacks a constant of the layout {layout.name}"
                return WRONG.at(detail, path=record.type, byte=0)
        names = ", ".join(layout.name for layout in self._layouts)
        return WRONG.at(f"record 1 does not begin a file of the layout {names}", byte=0)

    def _unfinished(self, row: Row) -> Row | None:
        """The row itself, if the file stops inside of it."""
        if row.ended:
            return None
        assert self._layout is not None
        bare = content(row, self._framing)
        record = self._layout.type_of(bare)
        whole = not self._layout.separator and record and len(bare) == record.size
        return None if whole else row

    def _take(self, row: Row) -> Iterator[Slice]:
        layout = self._layout
        assert layout is not None
        bare = content(row, self._framing)
        if layout.header and layout.begins_file(bare, ended=True):
            self._counted = 0
            return
        record = layout.type_of(bare)
        kind = record.type if record else ""
        if kind and kind == layout.file_begin:
            yield from self._close(TRUNCATED.at("another file begins", byte=self._offset(row.at)))
            self._context, self._counted, self._in_file = bare, 0, True
        elif kind and kind == layout.file_end:
            yield from self._finish_file(row, record)
        else:
            yield from self._in_message(row, kind)
            if self._counted is not None:
                self._counted += 1

    def _in_message(self, row: Row, kind: str) -> Iterator[Slice]:
        layout = self._layout
        assert layout is not None
        if kind == layout.begin:
            byte = self._offset(row.at)
            yield from self._close(
                TRUNCATED.at("another message begins", byte=byte) if layout.end else None
            )
            self._open = Group()
            self._open.add(row)
            if layout.end == kind:
                yield from self._close(None)
        elif self._open is not None:
            self._open.add(row)
            if kind and kind == layout.end:
                yield from self._close(None)
        else:
            self._stray = self._stray or Group()
            self._stray.add(row)

    def _finish_file(self, row: Row, record: Record | None) -> Iterator[Slice]:
        layout = self._layout
        assert layout is not None
        assert record is not None
        yield from self._close(
            TRUNCATED.at("the file ends", byte=self._offset(row.at)) if layout.end else None
        )
        self._in_file = False
        problem = self._trailer_problem(layout, record, content(row, self._framing))
        if problem is not None:
            offset = self._offset(row.at)
            there = problem.model_copy(update={"byte": offset + (problem.byte or 0)})
            yield self._cut(content(row, self._framing), row.at, there)

    def _trailer_problem(self, layout: Layout, record: Record, bare: bytes) -> Problem | None:
        if self._counted is None:
            return None
        try:
            found = values(layout, record, bare, self._number)
        except Rejected as error:
            return error.problem
        return count_problem(record, found, self._counted, number=self._number)

    def _close(self, problem: Problem | None) -> Iterator[Slice]:
        """Give what is open: a message, or records that belong to none."""
        if self._stray is not None:
            stray, self._stray = self._stray, None
            yield self._cut(self._payload(stray), stray.at, self._stray_problem(stray))
        if self._open is not None:
            whole, self._open = self._open, None
            yield self._cut(self._payload(whole), whole.at, problem)

    def _stray_problem(self, stray: Group) -> Problem:
        byte = self._offset(stray.at)
        if not self._found and not self._in_file and self._rest is None:
            return TRUNCATED.at("the file begins in the middle of a message", byte=byte)
        layout = self._layout
        assert layout is not None
        first = content(Row(stray.raws[0], 0, ended=True), self._framing)
        if layout.type_of(first) is None:
            detail = f"a record of no type that the layout {layout.name} knows"
            return FOREIGN.at(detail, byte=byte)
        return MALFORMED.at("the start of the message is missing", byte=byte)

    def _payload(self, group: Group) -> bytes:
        """The bytes of a group, without the line end behind it.

        It stays where the last record has not the length that it should: that it has ended is
        then what tells the scrubber that it does not fit.
        """
        layout = self._layout
        assert layout is not None
        last = content(Row(group.raws[-1], 0, ended=True), self._framing)
        record = layout.type_of(last)
        fits = record is not None and layout.size_of(last) == record.size
        if fits and not layout.separator:
            return b"".join((*group.raws[:-1], last))
        return b"".join(group.raws)

    def _cut(self, payload: bytes, at: int, problem: Problem | None) -> Slice:
        self._found = True
        joined = self._rest is not None and at < len(self._rest.payload)
        return Slice(payload, self._offset(at), self._context, joined, problem)

    def _end(self, partial: Row | None) -> Iterator[Slice | Rest]:
        layout = self._layout
        if self._stray is not None:
            if not self._found and self._rest is None and self._open is None and not self._context:
                raise Refused(NO_MESSAGE.at("no record that begins a message"))
            stray, self._stray = self._stray, None
            yield self._cut(self._payload(stray), stray.at, self._stray_problem(stray))
        tail = b"" if partial is None else partial.raw
        context = self._rest_context()
        if self._open is not None:
            payload = b"".join(self._open.raws) + tail
            yield Rest(payload, self._offset(self._open.at), context)
        elif partial is not None:
            yield Rest(tail, self._offset(partial.at), context)
        elif self._in_file and layout is not None and layout.file_end:
            yield Rest(b"", self._offset(self._seen), context)

    def _rest_context(self) -> bytes:
        """The context of what is open, whose records will be counted when it goes on."""
        if self._counted is None:
            return self._context + b"\n" + _UNCOUNTED
        return b"%s\n%d" % (
            self._context,
            self._counted - (self._open.records if self._open else 0),
        )

    def _offset(self, at: int) -> int:
        """The byte of the record for a place in what was read."""
        if self._rest is None:
            return at
        length = len(self._rest.payload)
        return self._rest.offset + at if at < length else at - length


def _header_mistake(layout: Layout, bare: bytes) -> str:
    names = layout.names(bare)
    for number, (said, wanted) in enumerate(zip(names, layout.columns, strict=False), 1):
        if said != wanted:
            return f"record 1, column {number} is not {wanted!r}, as the layout {layout.name} says"
    size = len(layout.columns)
    return f"record 1 names {len(names)} columns, the layout {layout.name} has {size}"

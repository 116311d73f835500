"""Cut a record of XML into its messages as it streams by, before anything is understood.

Only the markup that decides where messages start and end is read: their tags, comments, CDATA,
processing instructions, and between the messages the tags of their wrappers. Memory is bounded by
one message and one chunk.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

from connectors.api import (
    DEPTH,
    EMPTY,
    MALFORMED,
    MARKUP_DECLARATION,
    MESSAGE_BYTES_MAX,
    NO_MESSAGE,
    OVERSIZED,
    TRUNCATED,
    Options,
    Rest,
    Slice,
)
from connectors.formats.xml_gap import DAMAGED, read_gap
from connectors.formats.xml_head import (
    Head,
    Transcoder,
    begins_document,
    is_prolog,
    opening,
    read_context,
    read_head,
    resume,
)
from connectors.formats.xml_markup import Markup, Token
from connectors.formats.xml_tree import Namespaces, parse_slice
from connectors.repeated import many
from schemas.problem import Problem, Refused, Rejected

__all__ = ["Format", "continues", "split_xml"]

_BROKEN_MAX = 256
"""So many messages in a row without an end, or without a start, are no accident."""

_HEAD_BYTES_MIN = 4
"""Fewer bytes than these do not tell the encoding."""

_ENDS = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}
"""What may hold anything, and so must be skipped to its end."""

_END = re.compile(rb"\s*+>")
_EMPTY_TAG = re.compile(
    rb"<[^<>\s/]++" + many(rb"\s++[^<>\s=/]++\s*+=\s*+(?:\"[^\"<]*+\"|'[^'<]*+')") + rb"\s*+/>"
)


@dataclass(frozen=True, slots=True)
class Format:
    """An XML format as the door sees it.

    ``message`` is the local name of the element that is a message, ``roots`` the local names that
    a document of the format starts with.
    """

    message: str
    roots: frozenset[str]
    names: Namespaces

    def begins(self, first: bytes) -> bool:
        """Whether these first bytes start a document."""
        return begins_document(first, frozenset(root.encode() for root in self.roots))


def continues(head: bytes, form: Format) -> bool:
    """Whether a record with this head starts in the middle of a document."""
    return not form.begins(head)


def split_xml(
    chunks: Iterable[bytes], options: Options, rest: Rest | None, *, form: Format
) -> Iterator[Slice | Rest]:
    """Yield the messages of a record, then its open end if it stopped in the middle.

    ``offset`` counts bytes of the record; of a UTF-16 record, bytes of its UTF-8 form. A joined
    slice counts from the start of the record that its ``Rest`` came from. Broken messages are
    slices with a ``problem``. Raises ``Refused`` for a record of which nothing may be kept.
    """
    source = iter(chunks)
    first = b""
    if rest is not None and rest.context:
        head, transcode = read_context(rest.context), resume(rest.context)
        joined = rest.payload
    else:
        source = chain([rest.payload] if rest else [], source)
        first = opening(source)
        if len(first) < _HEAD_BYTES_MIN and first.strip():
            yield Rest(first, rest.offset if rest else 0)
            return
        head, transcode = read_head(first, options.encoding)
        joined = b""
    cutter = _Cutter(form, options, head, rest, transcode)
    yield from cutter.feed(joined)
    for chunk in chain([first], source):
        yield from cutter.feed(transcode(chunk) if transcode else chunk)
    yield from cutter.finish()


class _Cutter:
    """The state of a split between two chunks.

    ``start`` is where in the buffer the open message starts, or else the gap before the next one;
    ``scanned`` is how far markup has been read; ``base`` is where the buffer lies in the stream,
    which starts with the payload of the rest.
    """

    def __init__(
        self,
        form: Format,
        options: Options,
        head: Head,
        rest: Rest | None,
        transcode: Transcoder | None,
    ) -> None:
        self.form, self.options, self.rest, self.transcode = form, options, rest, transcode
        self.markup = Markup(form.message)
        self.buffer = b""
        self.base = self.start = self.scanned = 0
        self.open: bytes | None = None
        """Name of the message element that is open, with its prefix."""
        self.head, self.context = head, head.write()
        self.in_header = not head.wrappers
        self.found = False
        self.broken = 0

    def feed(self, data: bytes) -> Iterator[Slice]:
        """Take the next bytes and give the messages that they complete."""
        self.buffer = self.buffer[self.start :] + data
        self.base += self.start
        self.scanned -= self.start
        self.start = 0
        yield from self._scan(final=False)
        self._limit(len(self.buffer) - self.start)

    def finish(self) -> Iterator[Slice | Rest]:
        """The record is over: give what is left as a message, as its open end, or as a problem."""
        yield from self._scan(final=True)
        closing = self._closing()
        if closing is not None and self.scanned < len(self.buffer):
            # Markup that never ends in a document that does end: the message was cut off inside.
            self.scanned += len(b"<!")
            yield from self._scan(final=True)
            closing = self._closing()
        if closing is not None:
            byte = self._offset(closing)
            yield self._cut(closing, TRUNCATED.at("its wrapper closes before it does", byte=byte))
        if self.open is not None:
            self._examine(self.buffer[self.start :])
            yield self._rest()
        else:
            yield from self._last_gap()

    def _scan(self, *, final: bool) -> Iterator[Slice]:
        last = self.buffer.rfind(b"<")
        partial = not final and last >= 0 and self.buffer.find(b">", last) < 0
        limit = last if partial else len(self.buffer)
        while token := self.markup.next(self.buffer, self.scanned, limit):
            if token.name is None:
                past = self._past(token.start)
                self.scanned = token.start if past is None else past
                if past is None:
                    return
            elif self.open not in {None, token.name}:
                # A vendor's element of the same local name, inside the message.
                self.scanned = token.end
            elif token.closes:
                yield from self._end(token)
            elif final or self.buffer.find(b"<", token.end) >= 0:
                yield from self._begin(token)
            else:
                self.scanned = token.start
                return
        self.scanned = max(self.scanned, limit)

    def _past(self, at: int) -> int | None:
        """The end of the comment, CDATA section or instruction at ``at``, if it is here already."""
        here = self.buffer[at : at + 9]
        opener = next((o for o in _ENDS if here.startswith(o)), None)
        if opener is None:
            cut_off = here.find(b"<", 1)
            if not any(o.startswith(here[:cut_off] if cut_off > 0 else here) for o in _ENDS):
                raise Refused(MARKUP_DECLARATION.at(byte=self._offset(at)))
            return at + cut_off if cut_off > 0 else None
        if opener == b"<!--":
            dashes = self.buffer.find(b"--", at + 4)
            if 0 <= dashes < len(self.buffer) - 2 and self.buffer[dashes + 2] != ord(">"):
                # A comment never holds two dashes, so this one was cut off and another begins.
                return at + len(opener)
        end = self.buffer.find(_ENDS[opener], at + len(opener))
        return None if end < 0 else end + len(_ENDS[opener])

    def _begin(self, token: Token) -> Iterator[Slice]:
        at = token.start
        if self.open is None:
            yield from self._gap(at)
        else:
            self.broken += 1
            if self.broken > _BROKEN_MAX:
                raise Refused(DEPTH.at("messages inside messages", byte=self._offset(at)))
            yield self._cut(at, TRUNCATED.at("another message starts", byte=self._offset(at)))
        self.start, self.scanned, self.open = at, token.end, token.name
        if empty := _EMPTY_TAG.match(self.buffer, at):
            yield self._cut(empty.end())

    def _end(self, token: Token) -> Iterator[Slice]:
        close = _END.match(self.buffer, token.end)
        if close is None:
            self.scanned = token.end
        elif self.open is not None:
            self.broken = 0
            yield self._cut(close.end())
        else:
            self.broken += 1
            if self.broken > _BROKEN_MAX:
                raise Refused(DAMAGED.at("messages without a start", byte=self._offset(self.start)))
            yield self._cut(close.end(), self._headless())

    def _gap(self, end: int) -> Iterator[Slice]:
        """Read the wrappers before a message; what belongs nowhere becomes a slice of its own."""
        gap = self.buffer[self.start : end]
        self._limit(len(gap))
        header = self.in_header and self.form.begins(gap)
        read = read_gap(gap, self.head.wrappers, header=header, last=False)
        fragment = read.stray is not None and self.in_header and not header
        if fragment:
            yield self._cut(end, self._headless())
        elif read.stray:
            begin, stop = (self.start + at for at in read.stray)
            self.start = begin
            yield self._cut(stop, MALFORMED.at("outside any message", byte=self._offset(begin)))
        self.in_header = False
        if not fragment and read.wrappers != self.head.wrappers:
            self.head = replace(self.head, wrappers=read.wrappers)
            self.context = self.head.write()

    def _last_gap(self) -> Iterator[Slice | Rest]:
        gap = self.buffer[self.start :]
        header = self.in_header and self.form.begins(gap)
        read = read_gap(gap, self.head.wrappers, header=header, last=True)
        prolog = self.in_header and is_prolog(gap)
        goes_on = read.partial or bool(read.wrappers) or prolog
        if not self.found and self.rest is None:
            if not gap.strip():
                raise Refused(EMPTY.at())
            if not goes_on or (read.stray and not header):
                raise Refused(NO_MESSAGE.at(f"no <{self.form.message}> element"))
        if goes_on:
            yield self._rest()
        elif read.stray:
            yield from self._gap(len(self.buffer))

    def _closing(self) -> int | None:
        """Where the wrappers close for good while a message is still open."""
        if self.open is None or not self.head.wrappers:
            return None
        at = self.buffer.rfind(b"</" + self.head.wrappers[-1].name, self.start)
        if at < 0:
            return None
        read = read_gap(self.buffer[at:], self.head.wrappers, header=False, last=True)
        return None if read.wrappers or read.stray or read.partial else at

    def _headless(self) -> Problem:
        """The problem of content that has lost the start of its message."""
        byte = self._offset(self.start)
        if self.in_header:
            return TRUNCATED.at("the record begins in the middle of a message", byte=byte)
        return MALFORMED.at("the start of the message is missing", byte=byte)

    def _cut(self, end: int, problem: Problem | None = None) -> Slice:
        """The slice from ``start`` to ``end``; what follows is a gap."""
        payload = self.buffer[self.start : end]
        self._limit(len(payload))
        found = self._examine(payload)
        offset = self._offset(self.start)
        joined = self.rest is not None and self.base + self.start < len(self.rest.payload)
        self.start = self.scanned = end
        self.open, self.found = None, True
        return Slice(payload, offset, self.context, joined, problem or found)

    def _rest(self) -> Rest:
        context = b"" if self.in_header else self.context
        if self.transcode:
            context = self.transcode.suspend(self.context)
        return Rest(self.buffer[self.start :], self._offset(self.start), context)

    def _examine(self, payload: bytes) -> Problem | None:
        """What decoding will say. Raises ``Refused`` for a nest, which is never kept."""
        try:
            parse_slice(payload, self.context, self.form.names, encoding=self.options.encoding)
        except Rejected as error:
            byte = self._offset(self.start) + (error.problem.byte or 0)
            problem = error.problem.model_copy(update={"byte": byte})
            if problem.code == DEPTH.code:
                raise Refused(problem) from None
            return problem
        return None

    def _offset(self, at: int) -> int:
        """The byte of the record for a place in the buffer."""
        position = self.base + at
        if self.rest is None:
            return position
        length = len(self.rest.payload)
        return self.rest.offset + position if position < length else position - length

    def _limit(self, size: int) -> None:
        if size > MESSAGE_BYTES_MAX:
            raise Refused(OVERSIZED.at(f"more than {MESSAGE_BYTES_MAX} bytes"))

"""A JSON record cut into its documents before anything in them is understood.

A record is one object, an object wrapped as ``{"order": {...}}``, a list, a list wrapped as
``{"orders": [...]}``, or any number of these one after the other (JSON lines). Only strings and
brackets are looked at, so that a bad number, a doubled key or a bad byte spoils its own slice and
the neighbours go on.

Broken syntax is cut off where it shows: a closing bracket closes down to its partner; a string
that was never closed ends with its line where the next line begins with a bracket; a ``{`` where a
key must stand begins the next document. An unclosed string on one single line cannot be told from
text and takes the rest of that line with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

from connectors.api import (
    DEPTH,
    EMPTY,
    FOREIGN,
    MESSAGE_BYTES_MAX,
    NO_MESSAGE,
    OVERSIZED,
    TRUNCATED,
    Rest,
    Slice,
)
from connectors.formats.utf8_stream import Utf8Stream
from connectors.repeated import many
from schemas.problem import Problem, Refused

__all__ = ["DEPTH_MAX", "RECORD_BYTES_MAX", "continues", "split_record"]

RECORD_BYTES_MAX = 64 * 1024 * 1024
"""A record larger than this is refused, however small its documents are."""

DEPTH_MAX = 100
"""Brackets that may be open at once."""

# Inside a string a line end counts as text unless the next line begins with a bracket. Every
# repeat is possessive and every look ahead bounded, so that hostile input stays linear.
_IN_STRING = many(rb'[^"\\\n]++|\\.|\n(?=[ \t]{0,64}+[^{}\[\]])')
_UP_TO_BRACKET = re.compile(many(rb'[^"{}\[\]]++|"' + _IN_STRING + rb'"'), re.DOTALL)
_OPEN_STRING = re.compile(rb'"' + _IN_STRING, re.DOTALL)
_LINE_OF_BRACKET = re.compile(rb"\n[ \t]{0,64}+[{}\[\]]")
_BLANK = re.compile(rb"[ \t\r\n]*+")
_CLOSING = re.compile(rb"[,}\] \t\r\n]++")
_WRAPPER = re.compile(rb'\{[ \t\r\n]*+"(\w{1,64}+)"[ \t\r\n]*+:[ \t\r\n]*+([\[{])')
_UP_TO_LINE_OF_DOCUMENT = re.compile(many(rb"[^\n]++|\n(?![{\[])"))
_UP_TO_ELEMENT = re.compile(rb".[^,{}\[\]\n]*+", re.DOTALL)
_DOCUMENT_START = re.compile(rb'(?:\{[ \t\r\n]*+(?:["}]|\Z)|\[[ \t\r\n]*+(?:[{\["\]0-9tfn\-]|\Z))')
_BLANKS = b" \t\r\n"
_QUOTE, _OBJECT, _LIST = b'"{['
_OPEN_OF = {ord("}"): _OBJECT, ord("]"): _LIST}


def split_record(
    chunks: Iterable[bytes],
    *,
    wrappers: frozenset[bytes],
    lists: frozenset[bytes],
    rest: Rest | None = None,
) -> Iterator[Slice | Rest]:
    """Cut a record into slices; the context of a slice is its wrapper's key, else empty.

    ``wrappers`` are the keys that wrap one document, ``lists`` those that wrap a list of them; any
    other object is a document itself. A record that stops inside a document or a list ends in a
    ``Rest``; the bytes that follow it, with that rest, give the slices that the whole would have
    given. A joined slice has the offset at which it began in the earlier record.

    Raises ``Refused`` as soon as a slice exceeds ``MESSAGE_BYTES_MAX``, the record
    ``RECORD_BYTES_MAX`` or the nesting ``DEPTH_MAX``, and for a record without any document.
    """
    yield from _Splitter(chunks, wrappers=wrappers, lists=lists, rest=rest).run()


def continues(head: bytes) -> bool:
    """Tell from its first bytes whether a record begins in the middle of a document.

    It does if it cannot begin one, or if after its first complete value comes what only stands
    inside another (``,``, ``]``). The more of the record is in ``head``, the surer the answer; it
    is False where ``head`` is the beginning of a document as well as it might be the middle of one.
    """
    # Without its zero bytes UTF-16 reads like ASCII; zero bytes alone are the end of a character.
    text = head.replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf")
    window = _Window(iter([text]))
    if not window.skip_blank():
        return bool(head) and not text
    if not _DOCUMENT_START.match(window.data):
        return True
    try:
        end = _Value(window, outer_depth=0).end()
    except Refused:
        return False
    if end is None:
        return False
    window.at = end
    return window.skip_blank() and window.data[0] not in b"{["


class _Frame(StrEnum):
    """What lies around the next document."""

    TOP = "top"
    LIST = "list"
    TAIL = "tail"
    """Behind the list of a wrapper, before its closing bracket."""


class _Window:
    """The part of the record that is still needed; ``data[0]`` lies ``base`` bytes into it."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self.data = bytearray()
        self.at = 0
        self.base = 0
        self._source = source

    def fill(self) -> bool:
        """Read at least as much again as is unread, so that looking again stays linear."""
        if len(self.data) > MESSAGE_BYTES_MAX:
            raise Refused(OVERSIZED.at(byte=self.base))
        before, wanted = len(self.data), 2 * len(self.data) - self.at
        for chunk in self._source:
            self.data += chunk
            if len(self.data) > wanted:
                break
        return len(self.data) > before

    def skip_blank(self) -> bool:
        """Drop what lies before ``at`` and the blanks after it; False at the end of the record."""
        while True:
            self.at = _end(_BLANK, self.data, self.at)
            del self.data[: self.at]
            self.base += self.at
            self.at = 0
            if self.data or not self.fill():
                return bool(self.data)


def _end(pattern: re.Pattern[bytes], data: bytearray, at: int) -> int:
    # The match must not outlive this call: while it does, the buffer cannot change its size.
    match = pattern.match(data, at)
    return match.end() if match else at


class _Value:
    """One bracketed value at the start of a window.

    ``list_key`` is set where the value turns out to wrap a list of documents: the end is then just
    behind the list's opening bracket. ``inner_end`` is where its first bracketed member ends.
    """

    def __init__(
        self,
        window: _Window,
        *,
        outer_depth: int,
        lists: frozenset[bytes] = frozenset(),
        opened: bytes = b"",
    ) -> None:
        self.list_key: bytes | None = None
        self.inner_end = 0
        self._window = window
        self._depth_max = DEPTH_MAX - outer_depth
        self._lists = lists
        self._opened = bytearray(opened)

    def end(self) -> int | None:
        """Where the value ends; None where the record ends first."""
        window, data = self._window, self._window.data
        while True:
            here = window.at = _end(_UP_TO_BRACKET, data, window.at)
            if here == len(data) or data[here] == _QUOTE:
                if not self._leave_string() and not window.fill():
                    return None
                continue
            if data[here] in _OPEN_OF:
                self._close(here)
            elif self._is_next_document(here):
                return here
            else:
                self._open(here)
            if self.list_key is not None or not self._opened:
                return here + 1
            window.at = here + 1

    def _leave_string(self) -> bool:
        """Pass a string that its line's end closes; False if the string may yet go on."""
        window = self._window
        stop = _end(_OPEN_STRING, window.data, window.at)
        if not _LINE_OF_BRACKET.match(window.data, stop):
            return False
        window.at = stop
        return True

    def _open(self, here: int) -> None:
        data = self._window.data
        if len(self._opened) == 1 and self._lists and data[here] == _LIST:
            wrapper = _WRAPPER.match(data, 0, here + 1)
            if wrapper and wrapper.end() == here + 1 and wrapper[1] in self._lists:
                self.list_key = bytes(wrapper[1])
                return
        self._opened.append(data[here])
        if len(self._opened) > self._depth_max:
            raise Refused(DEPTH.at(byte=self._window.base + here))

    def _close(self, here: int) -> None:
        """Close down to the partner of a closing bracket; one without a partner closes nothing."""
        partner = _OPEN_OF[self._window.data[here]]
        if partner not in self._opened:
            return
        while self._opened.pop() != partner:
            pass
        if len(self._opened) == 1 and not self.inner_end:
            self.inner_end = here + 1

    def _is_next_document(self, here: int) -> bool:
        """Whether this bracket stands where a key must, because the value was never closed."""
        data = self._window.data
        if data[here] != _OBJECT or not self._opened or self._opened[-1] != _OBJECT:
            return False
        before = bytes(data[max(0, here - 64) : here])
        last = before.rstrip(_BLANKS)[-1:]
        return last == b"," or (before[-1:] == b"\n" and last not in {b"", b":"})


class _Splitter:
    def __init__(
        self,
        chunks: Iterable[bytes],
        *,
        wrappers: frozenset[bytes],
        lists: frozenset[bytes],
        rest: Rest | None,
    ) -> None:
        self._wrappers, self._lists, self._rest = wrappers, lists, rest
        self._frame, self._key = _Frame.TOP, b""
        self._documents = 0
        self._stream = self._open_stream(_counted(chunks))
        self._window = _Window(iter(self._stream))
        if rest and self._stream.encoding:
            self._window.data += rest.payload

    def _open_stream(self, chunks: Iterator[bytes]) -> Utf8Stream:
        if self._rest is None:
            return Utf8Stream(chunks)
        key, frame, encoding, open_bytes = self._rest.context.split(b" ")
        self._frame, self._key = _Frame(frame.decode()), key
        raw = bytes.fromhex(open_bytes.decode()) if encoding else self._rest.payload
        return Utf8Stream(chunks, encoding=encoding.decode(), open_bytes=raw)

    def run(self) -> Iterator[Slice | Rest]:
        steps = {_Frame.TOP: self._top, _Frame.LIST: self._list, _Frame.TAIL: self._tail}
        blank = True
        while self._window.skip_blank():
            blank = False
            found = steps[self._frame]()
            if found is not None:
                self._documents += 1
                yield found
            if isinstance(found, Rest):
                return
        if self._frame is not _Frame.TOP or self._stream.open_bytes:
            yield self._rest_from_here()
        elif self._rest is None and not self._documents:
            raise Refused(EMPTY.at() if blank else NO_MESSAGE.at())

    def _top(self) -> Slice | Rest | None:
        window = self._window
        if window.data[0] == _OBJECT:
            return self._document()
        if window.data[0] not in b"[,}]":
            return self._foreign_lines()
        if window.data[0] == _LIST:
            self._frame, self._key = _Frame.LIST, b""
            window.at = 1
        else:
            # What closes the brackets of an earlier record has no meaning in this one.
            window.at = _end(_CLOSING, window.data, 0)
        return None

    def _document(self) -> Slice | Rest | None:
        """A document that stands alone, bare or wrapped; or the head of a list of them."""
        window = self._window
        value = _Value(window, outer_depth=0, lists=self._lists)
        end = value.end()
        if end is None:
            return self._rest_from_here()
        window.at = end
        if value.list_key is not None:
            self._frame, self._key = _Frame.LIST, value.list_key
            return None
        start, key = _inside(window.data, self._wrappers)
        if key and not window.data[value.inner_end : end - 1].strip(_BLANKS):
            return self._slice(start, value.inner_end, key)
        return self._slice(0, end)

    def _list(self) -> Slice | Rest | None:
        window = self._window
        if window.data[0] in b",]":
            if window.data[0] != ord(","):
                self._frame = _Frame.TAIL if self._key else _Frame.TOP
            window.at = 1
            return None
        if window.data[0] in b"{[":
            end = _Value(window, outer_depth=2 if self._key else 1).end()
        else:
            end = self._end_in_record(_UP_TO_ELEMENT)
        if end is None:
            return self._rest_from_here()
        window.at = end
        return self._slice(0, end, self._key)

    def _tail(self) -> Slice | Rest | None:
        """The end of a wrapper; what stands beside its list is kept, for a person to see."""
        end = _Value(self._window, outer_depth=0, opened=b"{").end()
        if end is None:
            return self._rest_from_here()
        closed = self._window.data[end - 1] == ord("}")
        self._window.at = end
        if closed:
            self._frame, self._key = _Frame.TOP, b""
        problem = FOREIGN.at("members beside the list of a wrapper", byte=self._window.base)
        return self._slice(0, end - closed, problem=problem)

    def _foreign_lines(self) -> Slice | None:
        """What is no document, up to the next line that begins like one."""
        first = self._rest is None and not self._documents
        end = self._end_in_record(_UP_TO_LINE_OF_DOCUMENT)
        if end is None and first:
            raise Refused(NO_MESSAGE.at())
        end = len(self._window.data) if end is None else end
        self._window.at = end
        problem = TRUNCATED.at("the record begins inside a document", byte=0) if first else None
        return self._slice(0, end, problem=problem)

    def _end_in_record(self, pattern: re.Pattern[bytes]) -> int | None:
        """Where the pattern stops before the record does; None if it runs to the end."""
        window = self._window
        while (end := _end(pattern, window.data, 0)) == len(window.data):
            if not window.fill():
                return None
        return end

    def _slice(
        self, start: int, end: int, key: bytes = b"", *, problem: Problem | None = None
    ) -> Slice | None:
        payload = bytes(self._window.data[start:end]).rstrip(b"," + _BLANKS)
        offset, joined = self._place(start)
        if len(payload) > MESSAGE_BYTES_MAX:
            raise Refused(OVERSIZED.at(byte=offset))
        if not payload:
            return None
        return Slice(payload, offset, context=key, joined=joined, problem=problem)

    def _rest_from_here(self) -> Rest:
        stream = self._stream
        payload = bytes(self._window.data) if stream.encoding else stream.open_bytes
        open_bytes = stream.open_bytes.hex() if stream.encoding else ""
        context = f"{self._key.decode()} {self._frame} {stream.encoding} {open_bytes}"
        return Rest(payload, self._place(0)[0], context.encode())

    def _place(self, index: int) -> tuple[int, bool]:
        """Offset in the record of a byte of the window, and whether it came in an earlier one."""
        offset = self._stream.bom_bytes + self._window.base + index
        if self._rest is None:
            return offset, False
        joined = offset < len(self._rest.payload)
        return offset + self._rest.offset if joined else offset - len(self._rest.payload), joined


def _inside(data: bytearray, wrappers: frozenset[bytes]) -> tuple[int, bytes]:
    """Where the wrapped document begins and the key that wraps it; an empty key if none does."""
    wrapper = _WRAPPER.match(data)
    if wrapper and wrapper[1] in wrappers and wrapper[2] == b"{":
        return wrapper.end() - 1, bytes(wrapper[1])
    return 0, b""


def _counted(chunks: Iterable[bytes]) -> Iterator[bytes]:
    received = 0
    for chunk in chunks:
        received += len(chunk)
        if received > RECORD_BYTES_MAX:
            detail = f"the record is larger than {RECORD_BYTES_MAX} bytes"
            raise Refused(OVERSIZED.at(detail))
        yield chunk

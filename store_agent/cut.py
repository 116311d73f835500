"""Cutting: how far a file can be taken without cutting a message, or a card number, in two.

A file is read through a window that starts where its open message does, so that the scrubber
always sees a message from its beginning. The connector says where messages end. Nothing here
knows a format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from connectors.api import Connector, Rest, Slice
from connectors.scrub import scrub

__all__ = ["WINDOWS", "Cut", "Mark", "cut", "scrubbed"]

_MB = 1024 * 1024
WINDOWS = (_MB, 2 * _MB, 5 * _MB, 16 * _MB)
"""Sizes of a window, tried one after the other. The third has room for any message that the hub
takes; the last is for encodings in which only a whole file can be taken."""

# A number may run on behind a cut. It never crosses these: the scrubber takes none for part of a
# number, and in a format without fields (text) a letter might belong to one.
_BORDER = {
    "xml": re.compile(rb"</?[^\W\d][^<>]*>"),
    "json": re.compile(rb"[{}\[\],]"),
    "form": re.compile(rb"&"),
    "text": re.compile(rb"[,;|\"'<>(){}]"),
    "positional": re.compile(rb"[\r\n]"),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a file was taken: ``end`` bytes.

    Its open message starts at ``anchor``, and ``context`` is what the connector needs to go on from
    there; ``None`` where a new document may start.
    """

    end: int = 0
    anchor: int = 0
    context: bytes | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """Up to where a file can be taken now, and up to where it could be if no more of it came.

    ``open_end`` leaves out what might be the first half of a number. ``whole``: nothing is open, so
    the file is complete as far as anyone can tell. ``torn``: a message is open, and not only what
    is around it. ``at_end``: there is no more of the file.
    """

    mark: Mark
    open_end: int
    whole: bool
    at_end: bool
    torn: bool = False


def cut(
    window: bytes, mark: Mark, connector: Connector, options: Any, *, at_end: bool
) -> Cut | None:
    """Find the cut in a window that starts at the anchor of ``mark``.

    ``at_end`` says that the window reaches the end of the file. ``None`` if a larger window is
    needed to tell. Raises ``Refused`` for what the hub would refuse: nothing of it may be kept,
    because card data might hide from the scrubber in it.
    """
    end = mark.anchor + len(window)
    if mark.end and mark.context is None and not window.strip():
        # A line end after the last document is no document.
        return Cut(Mark(end, end), end, whole=True, at_end=at_end)
    begun = None if mark.context is None else Rest(b"", 0, mark.context)
    messages, rest = 0, None
    for piece in connector.split([window], options, begun):
        messages += isinstance(piece, Slice)
        rest = piece if isinstance(piece, Rest) else None
    if rest is None:
        return Cut(Mark(end, end), end, whole=True, at_end=True) if at_end else None
    anchored = mark
    if rest.offset + len(rest.payload) == len(window) and window.endswith(rest.payload):
        # Where the connector has recoded the record, its offsets are none of the file.
        at = mark.anchor + rest.offset
        anchored = Mark(at, at, rest.context)
    if not at_end and (not messages or anchored.end <= mark.end):
        return None
    tail = window[anchored.anchor - mark.anchor :]
    if not tail.strip():
        return Cut(anchored, end, whole=False, at_end=at_end)
    open_end = max(end - _tail_bytes(tail, connector), mark.end)
    return Cut(anchored, open_end, whole=False, at_end=at_end, torn=True)


def _tail_bytes(tail: bytes, connector: Connector) -> int:
    """How much of an open message might be the first half of a number."""
    borders = _BORDER[connector.scrub.syntax].finditer(tail)
    return len(tail) - max((border.end() for border in borders), default=0)


def scrubbed(window: bytes, mark: Mark, end: int, connector: Connector) -> bytes:
    """The bytes from ``mark.end`` to ``end`` without card data.

    The whole message is scrubbed even if its beginning is gone already: that tells its fields.
    """
    clean = scrub(window[: end - mark.anchor], connector.scrub)
    return clean[mark.end - mark.anchor :]

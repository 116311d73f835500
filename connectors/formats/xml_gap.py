"""What lies between two messages of an XML record: the tags of wrappers, and what is out of place.

A wrapper is an element that is still open when the next message starts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.api import DEPTH
from connectors.formats.xml_head import COMMENT, INSTRUCTION, Wrapper, wrapper
from connectors.repeated import many, some
from schemas.problem import Cause, Refused

__all__ = ["DAMAGED", "Gap", "read_gap"]

DAMAGED = Cause(
    "LP-XML-002",
    "The record is too damaged to tell its messages apart.",
    "Have the sender send it again; treat the file as hostile until you know where it is from.",
)

_WRAPPERS_MAX = 200
_STRAY_MAX = 10_000

_TOKEN = re.compile(
    rb"(?P<blank>" + some(rb"\xef\xbb\xbf|\s") + rb"|" + COMMENT + rb"|" + INSTRUCTION + rb")"
    rb"|(?P<close></(?P<closed>[^<>\s/]++)\s*+>)"
    rb"|(?P<open><(?P<name>[^<>\s/!?]++)"
    rb"(?P<attributes>" + many(rb"[^<>\"'/]++|/(?!>)|\"[^\"<]*+\"|'[^'<]*+'") + rb")(?P<empty>/?)>)"
    rb"|(?P<text><!\[CDATA\[" + many(rb"[^\]]++|\](?!\]>)") + rb"\]\]>|[^<]++)"
    rb"|(?P<broken><)"
)


@dataclass(frozen=True, slots=True)
class Gap:
    """``wrappers`` are open at its end; ``stray`` is the range of content that belongs nowhere.

    ``partial`` is set if a gap at the end of a record ends within a tag, comment or instruction.
    """

    wrappers: tuple[Wrapper, ...]
    stray: tuple[int, int] | None
    partial: bool


def read_gap(gap: bytes, wrappers: tuple[Wrapper, ...], *, header: bool, last: bool) -> Gap:
    """Read the bytes between two messages, or from the ``last`` one to the end of the record.

    In the ``header`` of a document whole elements are batch numbers and the like; later on they
    are stray, for they may be what is left of a message. A closing tag without an opening one
    closes a wrapper of an earlier record. Raises ``Refused`` for a nest of wrappers and for debris.
    """
    walk = _Walk(list(wrappers), header=header)
    for token in _TOKEN.finditer(gap):
        kind = token.lastgroup
        if kind == "open" and not token["empty"]:
            walk.open(token)
        elif kind == "close":
            walk.close(token)
        elif kind == "broken" and last and _is_partial(gap, token.start()):
            return walk.gap(partial=True)
        elif kind in {"text", "broken"} or (kind == "open" and not header):
            walk.drop(token.span())
    return walk.gap(partial=False)


class _Walk:
    """The open wrappers and the stray content, while a gap is read."""

    def __init__(self, wrappers: list[Wrapper], *, header: bool) -> None:
        self.wrappers = wrappers
        self.header = header
        self.opened: list[int] = []
        """Where the wrappers start that were opened in this gap."""
        self.stray: list[tuple[int, int]] = []

    def open(self, token: re.Match[bytes]) -> None:
        self.wrappers.append(wrapper(token["name"], token["attributes"]))
        self.opened.append(token.start())
        if len(self.wrappers) > _WRAPPERS_MAX:
            raise Refused(DEPTH.at("in the elements around the messages"))

    def close(self, token: re.Match[bytes]) -> None:
        if not self.wrappers:
            return
        if self.wrappers[-1].name != token["closed"]:
            self.drop(token.span())
            return
        self.wrappers.pop()
        if not self.opened:
            return
        # An element that holds no message is no wrapper: what was stray in it is its content.
        start = self.opened.pop()
        while self.stray and self.stray[-1][0] >= start:
            self.stray.pop()
        if not self.header:
            self.drop((start, token.end()))

    def drop(self, span: tuple[int, int]) -> None:
        self.stray.append(span)
        if len(self.stray) > _STRAY_MAX:
            raise Refused(DAMAGED.at("nothing but debris around the messages"))

    def gap(self, *, partial: bool) -> Gap:
        stray = (self.stray[0][0], self.stray[-1][1]) if self.stray else None
        return Gap(tuple(self.wrappers), stray, partial)


def _is_partial(gap: bytes, at: int) -> bool:
    """Whether the markup that begins at ``at`` goes on to the end without being complete."""
    ends = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}
    end = next((end for opener, end in ends.items() if gap.startswith(opener, at)), None)
    if end is not None:
        return gap.find(end, at) < 0
    return gap.find(b"<", at + 1) < 0 and gap.find(b">", at) < 0

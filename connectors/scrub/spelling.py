"""How a document may spell a character, and how to mask it where it stands.

A digit comes as itself, full-width, as a character reference or as an escape, and a comment or
CDATA may interrupt a number that the parser then joins. A view is the same text spelt plainly,
and knows for each of its bytes where it stands in the document.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from connectors.repeated import many

__all__ = ["MASK", "View", "decoded", "plain", "views", "write_mask"]

MASK = 0x2A
"""``*``"""

_SPACE = 0x20
_OTHER = 0x7F
"""Stands for a character that is neither ASCII nor a space or dash."""

_SPACES = frozenset({0xA0, 0xAD, 0x202F, 0x2060, 0x2212, 0xFEFF, *range(0x2000, 0x2016)})
"""What may stand between groups of digits: spaces, dashes, and what nobody sees."""


def plain(code: int) -> int:
    """The ASCII code that means the same to a search for card numbers."""
    if code < 0x80:
        return code
    if 0xFF10 <= code <= 0xFF19:  # full-width digits
        return code - 0xFF10 + 0x30
    return _SPACE if code in _SPACES else _OTHER


class View:
    """Plainly spelt ``text`` of a stretch of the payload, which need not be spelt so itself."""

    __slots__ = ("_offsets", "_starts", "_under", "text")

    def __init__(
        self, payload: bytes, pieces: Iterable[tuple[int, int, bytes]], under: View | None = None
    ) -> None:
        """Join ``pieces``: start and end in the payload, and what to read after them."""
        self._starts: list[int] = []
        self._offsets: list[int] = []
        self._under = under
        texts: list[bytes] = []
        size = 0
        for start, end, spelt in pieces:
            self._starts.append(size)
            self._offsets.append(start)
            texts += (payload[start:end], spelt)
            size += end - start + len(spelt)
        self.text = b"".join(texts)

    def at(self, index: int) -> int:
        """Offset in the payload of what is at ``index`` of the text."""
        piece = bisect_right(self._starts, index) - 1
        offset = self._offsets[piece] + index - self._starts[piece]
        return self._under.at(offset) if self._under else offset


_SIGNS = (b"#", b"\\", b"\xc2", b"\xe2", b"\xef", b"&nbsp;", b"%2", b"%C2", b"%c2")
"""One of these is in any document that spells a digit or a space in another way; most have none."""

_SPELT = re.compile(
    rb"&" + many(rb"amp;") + rb"#(?:0*+(?P<decimal>[0-9]{1,7})|[xX]0*+(?P<hex>[0-9a-fA-F]{1,6}));"
    rb"|&(?P<entity>[A-Za-z]{2,8});"
    # Each level of JSON inside JSON doubles the backslashes.
    rb"|\\\\{0,14}(?:u(?P<escape>[0-9a-fA-F]{4})|(?P<letter>[bfnrt/]))"
    rb"|\xc2[\xa0\xad]|\xe2\x80[\x80-\x95\xaf]|\xe2\x81\xa0|\xe2\x88\x92|\xef\xbb\xbf"
    rb"|\xef\xbc[\x90-\x99]"
    rb"|%(?:20|2[dD]|[cC]2%[aA]0)"
)
_LETTERS = {b"n": 0x0A, b"r": 0x0D, b"/": 0x2F}


def _meaning(spelt: re.Match[bytes]) -> int:
    kind = spelt.lastgroup
    value = spelt[kind or 0]
    match kind:
        case "entity":
            return _SPACE if value == b"nbsp" else ord("~")
        case "letter":
            return _LETTERS.get(value, _SPACE)
        case "decimal":
            code = int(value)
        case "hex" | "escape":
            code = int(value, 16)
        case _:
            code = _SPACE if value.startswith(b"%") else ord(value.decode())
    return plain(code)


def decoded(payload: bytes, start: int, end: int) -> View:
    """View a stretch of the payload with every character spelt in one way."""
    pieces: list[tuple[int, int, bytes]] = []
    done = start
    for spelt in _SPELT.finditer(payload, start, end):
        # What stands for the character is one byte, as if it were the first of its spelling.
        pieces.append((done, spelt.start(), _meaning(spelt).to_bytes()))
        done = spelt.end()
    return View(payload, (*pieces, (done, end, b"")))


# What never closes reaches to the end of the text, so that no search is made twice.
_MARKUP = rb"<[!?](?:(?<=!)--.*?-->|(?<=!)\[CDATA\[|(?<=\?).*?\?>|(?<=!)--.*|(?<=\?).*)"
_INTERRUPTION = re.compile(_MARKUP, re.DOTALL)
_INTERRUPTION_OR_END = re.compile(_MARKUP + rb"|\]\]>", re.DOTALL)
_IN_NUMBER = frozenset(b"0123456789 \t\r\n./+-\x96\x97\xa0")


def views(payload: bytes) -> Iterator[View]:
    """The payload spelt plainly, and once more with numbers joined as an XML parser joins them."""
    whole = (0, len(payload))
    # One byte is found at once, three are not.
    is_plain = not any(sign[:1] in payload and sign in payload for sign in _SIGNS)
    view = View(payload, [(*whole, b"")]) if is_plain else decoded(payload, *whole)
    yield view
    cuts = list(_interruptions(view.text))
    if cuts:
        ends = [0, *(end for _, end in cuts)]
        starts = [*(start for start, _ in cuts), len(view.text)]
        pieces = ((end, start, b"") for end, start in zip(ends, starts, strict=True))
        yield View(view.text, pieces, view)


def _interruptions(text: bytes) -> Iterator[tuple[int, int]]:
    """Stretches of markup that stand between two characters of a number."""
    start = end = -1
    pattern = _INTERRUPTION_OR_END if b"]]>" in text else _INTERRUPTION
    for markup in pattern.finditer(text):
        if markup.start() != end:
            if _interrupts(text, start, end):
                yield start, end
            start = markup.start()
        end = markup.end()
    if _interrupts(text, start, end):
        yield start, end


def _interrupts(text: bytes, start: int, end: int) -> bool:
    return start > 0 and end < len(text) and {text[start - 1], text[end]} <= _IN_NUMBER


def write_mask(out: bytearray, payload: bytes, offset: int) -> None:
    """Mask the character that starts at ``offset`` of the payload, in as many bytes as it has."""
    match payload[offset]:
        case 0x26:  # a reference
            start = payload.index(b"#", offset) + 1
            end = payload.index(b";", start)
            is_hex = payload[start] in b"xX"
            start += is_hex
            out[start:end] = (b"2A" if is_hex else b"42").rjust(end - start, b"0")
        case 0x5C:  # an escape
            start = payload.index(b"u", offset) + 1
            out[start : start + 4] = b"002a"
        case 0xEF if payload[offset + 1 : offset + 2] == b"\xbc":  # a full-width digit
            out[offset : offset + 3] = b"***"
        case _:
            out[offset] = MASK

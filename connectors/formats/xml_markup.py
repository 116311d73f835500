"""What decides where messages of XML start and end: ``<!``, ``<?`` and the tags of messages.

Nearly all of a record are other tags. So what is looked for is not a tag, of which each would have
to be looked at, but what is rare: the name of the message, which comes twice in each, and the signs
``!`` and ``?``. What stands before them is looked at only there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Markup", "Token"]


@dataclass(frozen=True, slots=True)
class Token:
    """From ``start`` to ``end``. ``name`` with its prefix, or ``None`` for ``<!`` and ``<?``."""

    start: int
    end: int
    name: bytes | None = None
    closes: bool = False


class Markup:
    """Finds one token after the other in bytes that stay the same.

    It goes over the bytes once for names and once for each of the signs, however many tokens there
    are of one before the next of another: what was found and not asked for yet it keeps.
    """

    def __init__(self, message: str) -> None:
        name = re.escape(message.encode())
        self._name = re.compile(rb"%b(?<=[</:]%b)(?=[\s/><])" % (name, name))
        self._tag = re.compile(rb"<(/?)(%b|[\w.\-\x80-\xff]++:%b)(?=[\s/><])" % (name, name))
        self._buffer = b""
        self._limit = 0
        self._found: dict[bytes, Token | None] = {}

    def next(self, buffer: bytes, at: int, limit: int) -> Token | None:
        """The next token behind ``at``, if one ends before ``limit``."""
        if buffer is not self._buffer or limit != self._limit:
            self._buffer, self._limit = buffer, limit
            self._found.clear()
        first: Token | None = None
        for sign in (b"", b"!", b"?"):
            token = self._next(sign, at)
            if token is not None and (first is None or token.start < first.start):
                first = token
        return first

    def _next(self, sign: bytes, at: int) -> Token | None:
        if sign in self._found:
            known = self._found[sign]
            if known is None or known.start >= at:
                return known
        self._found[sign] = token = self._signed(sign, at) if sign else self._named(at)
        return token

    def _signed(self, sign: bytes, at: int) -> Token | None:
        found = at
        while (found := self._buffer.find(sign, found + 1, self._limit)) >= 0:
            if self._buffer[found - 1] == ord("<"):
                return Token(found - 1, found + 1)
        return None

    def _named(self, at: int) -> Token | None:
        while name := self._name.search(self._buffer, at, self._limit):
            start = self._buffer.rfind(b"<", at, name.start())
            tag = self._tag.match(self._buffer, start, self._limit) if start >= 0 else None
            if tag is not None and tag.end() == name.end():
                return Token(start, tag.end(), tag[2], bool(tag[1]))
            at = name.end()
        return None

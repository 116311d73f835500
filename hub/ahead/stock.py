"""The stock: what the second process is through with, until its turn comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from hub.ahead.wire import Done
from hub.journal import Stored

__all__ = ["SLOWER", "Portion", "Stock"]

SLOWER = 4
"""So many times as long as one translated ahead takes a message that was not."""
_BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Portion:
    """What the process was given at once: each message by number and digest. These are a part of
    ``whole``, where each message stands by number and bytes, as the hub kept the others.
    """

    sent: list[tuple[int, str]]
    whole: list[tuple[int, int]]


@dataclass(slots=True)
class Stock:
    """Messages in the order they came: those translated, and in between those that were kept."""

    _line: deque[tuple[int, int]] = field(default_factory=deque)
    _done: dict[int, tuple[str, Done]] = field(default_factory=dict)
    _bytes: int = 0

    def __bool__(self) -> bool:
        return bool(self._line)

    def add(self, portion: Portion, done: Iterable[Done]) -> None:
        """Put in what was done of a portion."""
        named = zip(portion.sent, done, strict=True)
        self._done.update((number, (digest, one)) for (number, digest), one in named)
        self._line += portion.whole
        self._bytes += sum(size for _, size in portion.whole)

    def take(self, stored: Stored) -> Done | None:
        """Take out what was done of a message, and whatever stood before it, which somebody else
        has settled; nothing if it was kept.
        """
        digest, done = self._done.pop(stored.id, ("", None))
        while self._line and self._line[0][0] <= stored.id:
            number, size = self._line.popleft()
            self._done.pop(number, None)
            self._bytes -= size
        return done if digest == stored.digest else None

    def within(self, limit: int) -> int:
        """So many of what comes next take as long as ``limit`` that are all translated; none where
        nothing is in stock.
        """
        count = len(self._line)
        if not count:
            return 0
        kept = count - len(self._done)
        return min(max(limit * count // (count + (SLOWER - 1) * kept), 1), count)

    def is_full(self, most: int) -> bool:
        """Whether it holds more than so many messages, or more bytes than is good."""
        return len(self._line) > most or self._bytes > _BYTES_MAX

    def lacks(self, numbers: Iterable[int]) -> bool:
        """Whether none of these is in it."""
        return self._done.keys().isdisjoint(numbers)

    def clear(self) -> None:
        """Forget it all: somebody else has settled it, or the process is another."""
        self._line.clear()
        self._done.clear()
        self._bytes = 0

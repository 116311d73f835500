"""Dice that fall the same on every machine and every Python."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

__all__ = ["Dice"]

T = TypeVar("T")


class Dice:
    """Draws that depend on the seed alone.

    Python promises stable results for ``Random.random`` only, not for ``randrange``, ``choice``
    or ``shuffle``, so everything here is made of that one method.
    """

    def __init__(self, *seed: str | int) -> None:
        self._random = Random()
        self._random.seed("/".join(map(str, seed)), version=2)

    def below(self, limit: int) -> int:
        """A whole number from 0 to ``limit - 1``."""
        return int(self._random.random() * limit)

    def between(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + self.below(high - low + 1)

    def pick(self, things: Sequence[T]) -> T:
        """One of the things."""
        return things[self.below(len(things))]

    def percent(self, chance: int) -> bool:
        """True in ``chance`` of a hundred draws."""
        return self.below(100) < chance

"""Rates: how often somebody may call, measured with token buckets."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from hub.settings import Limits
from schemas.problem import Cause, Unavailable

__all__ = ["LIMITED", "Buckets", "Kind", "Limited", "Rates"]

LIMITED = Cause(
    "LP-API-020",
    "More calls than the hub takes from one caller.",
    "Send it again after the seconds of `Retry-After`; an operator can raise `[limits]`.",
)

_BUCKETS_MAX = 10_000
_BURST_SECONDS = 2.0
_NAME_LENGTH_MAX = 100
"""A proxy says which address calls, and may say anything."""

Kind = Literal["calls", "records", "denied"]
"""What is counted: reading and deciding, taking in, and calling without a key that holds."""


class Limited(Unavailable):
    """Nothing was done, for it came too often: the same again after ``seconds`` will do."""

    def __init__(self, seconds: int) -> None:
        super().__init__(LIMITED.at())
        self.seconds = seconds


@dataclass(slots=True)
class Buckets:
    """A bucket for each caller: full at first, filled again at a steady rate.

    There are at most ``room`` of them. Then the one that was longest not asked for is forgotten,
    which is to say filled. ``clock`` counts seconds.
    """

    per_second: float
    burst: float
    clock: Callable[[], float] = time.monotonic
    room: int = _BUCKETS_MAX
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)
    """What each held at which moment, the longest untouched first."""

    def take(self, who: str) -> None:
        """Take one from the bucket of a caller. Raises ``Limited`` if there is none in it."""
        now = self.clock()
        level, since = self._levels.pop(who, (self.burst, now))
        level = min(self.burst, level + (now - since) * self.per_second)
        taken = level >= 1
        self._levels[who] = (level - 1 if taken else level, now)
        if len(self._levels) > self.room:
            del self._levels[next(iter(self._levels))]
        if not taken:
            raise Limited(max(1, math.ceil((1 - level) / self.per_second)))


@dataclass(frozen=True, slots=True)
class Rates:
    """How often anybody may call a running hub; used from its event loop only."""

    buckets: dict[Kind, Buckets]

    @classmethod
    def of(cls, limits: Limits, clock: Callable[[], float] = time.monotonic) -> Rates:
        """What the settings allow, twice of it at once."""
        per_second: dict[Kind, float] = {
            "calls": limits.calls_per_second,
            "records": limits.records_per_second,
            "denied": limits.denied_per_minute / 60,
        }
        return cls(
            {kind: Buckets(rate, _burst(kind, rate), clock) for kind, rate in per_second.items()}
        )

    def take(self, kind: Kind, who: str) -> None:
        """Count one call of a caller: the id of a key, a source, an address.

        Raises ``Limited`` if it comes too soon.
        """
        self.buckets[kind].take(who[:_NAME_LENGTH_MAX])


def _burst(kind: Kind, per_second: float) -> float:
    # Whoever is denied has a minute's worth: a till with a revoked key tries again and again.
    seconds = 60.0 if kind == "denied" else _BURST_SECONDS
    return max(1.0, per_second * seconds)

"""Steps: the processor time of live traffic, by what it goes into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from time import thread_time as clock
from typing import Literal, TypeVar

__all__ = ["NAMES", "Step", "Steps", "clock"]

Step = Literal["verify", "scrub", "decode", "map", "validate", "resolve", "write"]
NAMES: tuple[Step, ...] = ("verify", "scrub", "decode", "map", "validate", "resolve", "write")
"""In the order in which a message goes through them: its signature, and the cut out of its record
that proves it well-formed; card numbers; its documents and their names; the mapping; what must
hold; what is known of it, and whom it claims to be of; its rows."""

T = TypeVar("T")


@dataclass(slots=True)
class Steps:
    """Seconds by step. Two threads that add at the same moment may lose one of both, no more."""

    seconds: dict[Step, float] = field(default_factory=lambda: dict.fromkeys(NAMES, 0.0))

    def add(self, step: Step, since: float) -> float:
        """Count what this thread has done since; the time from which the next step counts."""
        now = clock()
        self.seconds[step] += now - since
        return now

    def include(self, others: Mapping[Step, float]) -> None:
        """Count what another process did."""
        for step, seconds in others.items():
            self.seconds[step] += seconds

    def each(self, step: Step, things: Iterable[T]) -> Iterator[T]:
        """The same things, each counted by what it takes to make it."""
        iterator = iter(things)
        while True:
            since = clock()
            try:
                thing = next(iterator)
            except StopIteration:
                return
            finally:
                self.add(step, since)
            yield thing

"""Measuring: processor seconds of runs in turn, so that a busy machine slows all of them alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median, quantiles

__all__ = ["Sample", "interleaved", "ratio"]


@dataclass(frozen=True, slots=True)
class Sample:
    """Figures of the same thing, one a round."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The figure that half of the rounds stay under."""
        return median(self.values)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Half of the rounds lie between these two."""
        if len(self.values) < 2:
            return self.values[0], self.values[0]
        low, _, high = quantiles(self.values, n=4, method="inclusive")
        return low, high

    def times(self, factor: float) -> Sample:
        """The same in another unit."""
        return Sample(tuple(value * factor for value in self.values))


def interleaved(
    works: Mapping[str, Callable[[], object]], *, rounds: int, each: int
) -> dict[str, Sample]:
    """Run all works in turn, ``rounds`` times; give processor seconds for one of ``each``.

    Each work does ``each`` things a call. One call of every work comes first and does not count.
    Garbage is collected between the works and not within them, as ``timeit`` does.
    """
    for work in works.values():
        work()
    seconds: dict[str, list[float]] = {name: [] for name in works}
    enabled = gc.isenabled()
    try:
        for _ in range(rounds):
            for name, work in works.items():
                gc.collect()
                gc.disable()
                start = time.process_time()
                work()
                seconds[name].append((time.process_time() - start) / each)
                gc.enable()
    finally:
        if not enabled:
            gc.disable()
    return {name: Sample(tuple(values)) for name, values in seconds.items()}


def ratio(above: Sample, below: Sample) -> Sample:
    """How many times as long ``above`` took, round by round."""
    pairs = zip(above.values, below.values, strict=True)
    return Sample(tuple(a / b for a, b in pairs))

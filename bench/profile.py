"""Where processor time goes, by looking at a running program a thousand times a second."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FrameType

__all__ = ["REST", "sampled"]

REST = "the rest"
_SECONDS = 0.001


@contextmanager
def sampled(steps: Mapping[str, tuple[Callable[..., object], ...]]) -> Iterator[dict[str, float]]:
    """Run the block and then fill in which share of its processor time each step took.

    A step is one or more functions with all that they call; time inside none of them is ``REST``.
    The shares add up to 1. Works in the main thread.
    """
    names = {_code(function): name for name, functions in steps.items() for function in functions}
    seen: Counter[str] = Counter()

    def look(number: int, frame: FrameType | None) -> None:
        while frame is not None and frame.f_code not in names:
            frame = frame.f_back
        seen[REST if frame is None else names[frame.f_code]] += 1

    shares: dict[str, float] = {}
    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _SECONDS, _SECONDS)
    try:
        yield shares
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    shares |= {name: seen[name] / seen.total() for name in (*steps, REST)}


def _code(function: Callable[..., object]) -> CodeType:
    code: CodeType = function.__code__
    return code

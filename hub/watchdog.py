"""The watchdog: a hub that has work and gets no further says so, and ends.

Whatever keeps the writer from its work, a lock, a disk that hangs or a fault of ours, a fresh
process is the one cure that needs nobody. What was acknowledged is on the disk by then, and what
was not is sent again.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hub.writer import Writer
from schemas.problem import Cause

__all__ = ["EXIT_STATUS", "STALLED", "is_stalled", "watched"]

STALLED = Cause(
    "LP-HUB-042",
    "The hub has work and gets no further.",
    "Its supervisor starts it again by itself; look at its disk and its log if that goes on.",
)

EXIT_STATUS = 75
"""EX_TEMPFAIL of sysexits.h: trying again may help, so a supervisor should."""

_LOOKS = 20
"""So often it looks while a stall lasts long enough to be one."""
_LEFT = 1.1
"""It ends a little after it stopped being ready, so that no more is sent to it meanwhile."""

_log = logging.getLogger("lynchpin.watchdog")


def is_stalled(writer: Writer) -> bool:
    """Whether something has waited for as long as the settings allow, and nothing got done."""
    return writer.stalled_for > writer.hub.settings.watchdog.stall_seconds


@contextmanager
def watched(writer: Writer, end: Callable[[int], object] = os._exit) -> Iterator[None]:
    """End the process where the writer gets no further, until the block ends."""
    over = threading.Event()
    thread = threading.Thread(target=_watch, args=(writer, over, end), name="watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _watch(writer: Writer, over: threading.Event, end: Callable[[int], object]) -> None:
    limit = writer.hub.settings.watchdog.stall_seconds
    while not over.wait(limit / _LOOKS):
        if writer.stalled_for > limit * _LEFT:
            extra = {"code": STALLED.code, "seconds": round(writer.stalled_for, 1)}
            _log.critical("the hub has work and gets no further", extra=extra)
            # Nobody else is asked to clean up: whoever hangs would be waited for.
            end(EXIT_STATUS)
            return

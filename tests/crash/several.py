"""Runs ``lynchpin`` as one of several hubs on a database. Usage: ``several.py VARIANT ...``.

``slow``: now and then it takes longer over a batch than its lease lasts. ``blind`` is as slow and
does not look whether the lease is still its own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from random import Random
from typing import Any

from hub.bus import Leased, Taken
from hub.cli import main

LEASE_SECONDS = 1.0


def _slow() -> None:
    take, dice = Leased.take, Random()

    def slowly(self: Leased, limit: int) -> Taken:
        taken = take(self, min(limit, 20))
        if taken.messages and dice.random() < 0.4:
            time.sleep(1.5 * LEASE_SECONDS)
        return taken

    Leased.take = slowly  # type: ignore[method-assign]


def _blind() -> None:
    _slow()
    looked: Any = lambda self, connection, taken: None  # noqa: E731
    Leased.confirm = looked  # type: ignore[method-assign]


_VARIANTS: dict[str, Callable[[], None]] = {"slow": _slow, "blind": _blind}

if __name__ == "__main__":
    _VARIANTS[sys.argv[1]]()
    sys.argv[:2] = ["lynchpin"]
    main()

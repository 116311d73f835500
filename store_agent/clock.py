"""The clock: what time it is and how long something took, so that a test can say both."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["Clock"]


@dataclass(frozen=True, slots=True)
class Clock:
    """``wall`` names moments; ``monotonic``, in seconds, measures: no one sets it back."""

    wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic

    def now(self) -> str:
        """UTC as text of fixed width."""
        return self.wall().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

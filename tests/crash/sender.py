"""Runs ``lynchpin`` and kills it once while it sends. Usage: ``sender.py VARIANT MARK ...``.

``short``: not at all; what it has taken is anybody's after a few seconds, if it does not say what
came of it. ``answered``: after the answer, before anything of it is written. ``posted early``: what
is taken counts as delivered at once, and the kill comes before anything was posted. It dies only
while the file ``MARK`` is not there, which it leaves behind.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import update

from hub.cli import main
from hub.delivery import queue, sender
from hub.delivery.sender import Sender
from hub.store.tables import delivery

LEASE_SECONDS = 2.0
SHORT_SECONDS = 5.0
TIMEOUT_SECONDS = 5.0


def _die(mark: Path) -> None:
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def _theirs_after(seconds: float) -> None:
    """Where others share the database, what was taken is theirs once its time is over."""
    sender._SPARE_SECONDS = seconds - sender._AT_ONCE * TIMEOUT_SECONDS


def _short(mark: Path) -> None:
    _theirs_after(SHORT_SECONDS)


def _answered(mark: Path) -> None:
    _theirs_after(LEASE_SECONDS)
    finish = queue.finish

    def killed(*said: Any, **more: Any) -> None:
        _die(mark)
        finish(*said, **more)

    queue.finish = killed


def _posted_early(mark: Path) -> None:
    take, sent = queue.take, Sender._sent

    def early(*said: Any, **more: Any) -> list[queue.Sending]:
        taken = take(*said, **more)
        for each in taken:
            done = update(delivery).where(delivery.c.id == each.id)
            said[0].execute(done.values(state="delivered", done_at=more["now"]))
        return taken

    def killed(self: Sender, sending: queue.Sending) -> Any:
        _die(mark)
        return sent(self, sending)

    queue.take = early
    Sender._sent = killed  # type: ignore[method-assign, assignment]


_VARIANTS: dict[str, Callable[[Path], None]] = {
    "short": _short,
    "answered": _answered,
    "posted early": _posted_early,
}

if __name__ == "__main__":
    _VARIANTS[sys.argv[1]](Path(sys.argv[2]))
    sys.argv[:3] = ["lynchpin"]
    main()

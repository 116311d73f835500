"""Runs ``lynchpin receive`` and kills it at a chosen step, again and again, each in a fresh home.

A step is a statement or a commit. The interpreter is forked with everything loaded, so that every
step of a run can be tried. Usage: ``killer.py FOLDER FILE VARIANT STEP...``; ``FOLDER/empty`` is
the home to start from, ``FOLDER/STEP`` is what is left. Step 0 is never reached. What comes after
a kill is a second run, undisturbed and as the program is.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from hub import door
from hub.apply import Batch
from hub.cli import main


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_at(step: int, counted: Path) -> None:
    """Die at this step; else leave behind how many there were."""
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1
        counted.write_text(str(seen))
        if seen == step:
            _die()

    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count)


def _commit_early(connection: Connection) -> None:
    """Make durable what is there so far, behind the back of the transaction that is open."""
    raw: Any = connection.connection.driver_connection
    raw.execute("COMMIT")
    raw.execute("BEGIN IMMEDIATE")


def _document_first() -> None:
    """Break applying: the document is committed before the state of its message."""
    flush = Batch.flush

    def broken(self: Batch) -> None:
        flush(self)
        _commit_early(self.connection)

    Batch.flush = broken  # type: ignore[method-assign]


def _journal_in_pieces() -> None:
    """Break journalling: a record is committed some messages at a time."""
    flush = door._Intake._flush

    def broken(self: door._Intake) -> None:
        flush(self)
        _commit_early(self._connection)

    door._Intake._flush = broken  # type: ignore[method-assign]
    door._ROWS_AT_ONCE = 10


_VARIANTS: dict[str, Callable[[], None]] = {
    "as it is": lambda: None,
    "document first": _document_first,
    "journal in pieces": _journal_in_pieces,
}


def _receive(home: Path, file: str, report: Path, prepare: Callable[[], None]) -> int:
    """Run the program in a process of its own; returns how that ended."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    os.environ["LYNCHPIN_HOME"] = str(home)
    os.dup2(os.open(report, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    sys.argv = ["lynchpin", "receive", "poslog", file, "--json"]
    status = 1
    try:
        prepare()
        main()
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        sys.stdout.flush()
        os._exit(status)


def _try(folder: Path, file: str, variant: str, step: int) -> None:
    home = folder / str(step)
    shutil.copytree(folder / "empty", home)

    def prepare() -> None:
        _VARIANTS[variant]()
        _kill_at(step, folder / f"{step}.steps")

    status = _receive(home, file, folder / f"{step}.first", prepare)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed == (step > 0), f"step {step} ended with {status}"
    if killed:
        status = _receive(home, file, folder / f"{step}.report", _VARIANTS["as it is"])
        assert status == 0, f"the run after step {step} ended with {status}"


if __name__ == "__main__":
    for number in sys.argv[4:]:
        _try(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(number))

"""Runs the agent and kills it at a chosen step, again and again.

A step is a statement of its database, or the sending of a batch or its answer. The interpreter is
forked with everything loaded, so that every step can be tried. Reads lines ``STEP HOME VARIANT``
and answers each with ``killed`` or ``ended``. A run lives until it reaches its step, or until
nothing is left to capture and to ship. Step 0 is never reached.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from store_agent import kept, settings, status
from store_agent.database import Database
from store_agent.folder import Folder
from store_agent.home import Home
from store_agent.link import Answer, Link
from store_agent.run import run
from store_agent.spool import Batch, Entry, Spool

_LIVES_SECONDS = 30


def _kill_at(step: int) -> None:
    """Die at the step of this number."""
    seen = 0
    init, send = Database.__init__, Link.send

    def count(statement: str) -> None:
        nonlocal seen
        # What only looks changes nothing: dying before it is like dying after the last change.
        seen += not statement.lstrip().startswith(("SELECT", "PRAGMA"))
        if seen == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(self: Database, home: Home) -> None:
        init(self, home)
        self._connection.set_trace_callback(count)

    def sent(self: Link, capture: str, batch: Batch) -> Answer:
        count("before")
        answer = send(self, capture, batch)
        count("after")
        return answer

    Database.__init__ = counted  # type: ignore[method-assign]
    Link.send = sent  # type: ignore[method-assign]


def _delete_early() -> None:
    """Break shipping: records are deleted when they are sent, not when they are acknowledged."""
    batch, acknowledge = Spool.batch, Spool.acknowledge

    def broken(self: Spool, capture: str, **named: Any) -> Batch:
        found = batch(self, capture, **named)
        if found.records:
            acknowledge(self, capture, found, found.records[-1].seq, {}, now=named["now"])
        return found

    kept.keep = lambda *_, **__: None
    Spool.batch = broken  # type: ignore[method-assign]
    Spool.acknowledge = lambda *_, **__: None  # type: ignore[method-assign]


def _state_apart() -> None:
    """Break capturing: where a file stands is committed in a transaction of its own, afterwards."""
    add = Spool.add

    def broken(self: Spool, capture: str, entries: Sequence[Entry], *, now: str) -> None:
        set_file = Spool._set_file
        Spool._set_file = lambda *_: None  # type: ignore[method-assign]
        try:
            add(self, capture, entries, now=now)
        finally:
            Spool._set_file = set_file  # type: ignore[method-assign]
        add(self, capture, [Entry(entry.file) for entry in entries], now=now)

    Spool.add = broken  # type: ignore[method-assign]


_VARIANTS: Mapping[str, Callable[[], None]] = {
    "as it is": lambda: None,
    "deleted early": _delete_early,
    "state apart": _state_apart,
}


def _live(home: Home, variant: str, step: int) -> None:
    _VARIANTS[variant]()
    _kill_at(step)
    scanned = threading.Event()
    scan = Folder.scan

    def seen(self: Folder) -> bool:
        found = scan(self)
        scanned.set()
        return found

    Folder.scan = seen  # type: ignore[method-assign]
    stopping = threading.Event()
    thread = threading.Thread(target=run, args=(home, stopping))
    thread.start()
    chosen, until = settings.read(home), time.monotonic() + _LIVES_SECONDS
    while time.monotonic() < until and thread.is_alive():
        if scanned.wait(0.01) and not any(c.waiting for c in status.read(home, chosen).captures):
            break
        time.sleep(0.01)
    stopping.set()
    thread.join()


def main() -> None:
    for line in sys.stdin:
        step, home, variant = line.rstrip("\n").split(" ", 2)
        child = os.fork()
        if not child:
            try:
                _live(Home(Path(home)), variant, int(step))
            finally:
                os._exit(0)
        ended = os.waitpid(child, 0)[1]
        sys.stdout.write("killed\n" if os.WIFSIGNALED(ended) else "ended\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Plans a mapping and kills itself once the report was written down some times.

Usage: ``killer.py HOME FILE TIMES``. Every page is small and is written down, so that a plan of
few documents can be cut short in many places.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from hub import bootstrap
from hub.authoring import draft as drafts
from hub.home import Home
from hub.plan import planning, shelf
from hub.plan.report import Report


def main(place: str, file: str, times: str) -> None:
    """Plan, and die in the middle."""
    left = int(times)
    write = shelf.write

    def counted(home: Home, report: Report) -> None:
        nonlocal left
        write(home, report)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    shelf.write = counted
    planning.PAGE = 7
    planning._KEEP_SECONDS = -1.0
    home = Home(Path(place))
    draft = drafts.read(Path(file), home)
    with bootstrap.open_hub(home, access="read") as hub:
        report = planning.begun(hub, draft, source=None, since=None)
        report = shelf.unfinished(home, report) or report
        planning.plan(hub, draft, report)


if __name__ == "__main__":
    main(*sys.argv[1:])

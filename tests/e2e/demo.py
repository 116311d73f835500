"""The demo as a program that runs, and its visitors at a second terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Demo", "lynchpin", "waiting"]

PROGRAM = Path(sys.executable).with_name("lynchpin")
_PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Demo:
    """A demo that waits for visitors, and its folder."""

    process: subprocess.Popen[bytes]
    folder: Path
    screen: Path

    def lynchpin(self, *args: str) -> subprocess.CompletedProcess[str]:
        """The program in another terminal, where the demo's hub is meant."""
        environ = {"TMPDIR": str(self.folder.parent), "LYNCHPIN_HOME": str(self.folder / "hub")}
        return lynchpin(*args, **environ)

    def link(self) -> str:
        """The link that it printed, which opens the console once."""
        link = re.search(r"http://\S+/console/enter\?token=\S+", self.screen.read_text())
        assert link is not None, self.screen.read_text()
        return link[0]


def lynchpin(*args: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """The program in this environment."""
    return subprocess.run(
        [PROGRAM, *args],
        env={**os.environ, "COLUMNS": "400", **environ},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )


@contextmanager
def waiting(folder: Path) -> Iterator[Demo]:
    """A demo somewhere in this folder, from when it waits for visitors until it is told to end."""
    screen = folder / "screen"
    with screen.open("wb") as stream:
        process = subprocess.Popen(
            [PROGRAM, "demo"],
            env={**os.environ, "TMPDIR": str(folder), "COLUMNS": "400"},
            stdout=stream,
            stderr=stream,
        )
    with process:
        try:
            until = time.monotonic() + _PATIENCE_SECONDS
            while not (found := list(folder.glob("*/demo.json"))):
                assert process.poll() is None, screen.read_text()
                assert time.monotonic() < until, screen.read_text()
                time.sleep(0.1)
            yield Demo(process, found[0].parent, screen)
        finally:
            process.terminate()

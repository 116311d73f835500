"""Start-up: what a person waits before the program says anything."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import sale
from bench.clock import Sample
from bench.figure import Figure, of

__all__ = ["figures"]

_ROUNDS = 9
_MS = 1_000
_PROGRAM = [sys.executable, "-c", "from hub.cli import main; main()"]


def figures() -> Iterator[Figure]:
    """Measure whole runs of the program, the interpreter's own start beside them."""
    with TemporaryDirectory() as folder:
        file = sale.write(Path(folder) / "sale.xml", 1, size="4 kB")
        home = {**os.environ, "LYNCHPIN_HOME": f"{folder}/home"}
        commands = {
            "python": [sys.executable, "-c", "pass"],
            "help": [*_PROGRAM, "--help"],
            "receive": [*_PROGRAM, "receive", "poslog", str(file)],
        }
        took = _took(commands, home)
    python = took["python"]
    for name, what in (
        ("help", "`lynchpin --help`"),
        ("receive", "`lynchpin receive` of one sale into a home that exists"),
    ):
        processor, wall = took[name]
        yield of(
            processor.times(_MS),
            id=f"start.{name}_ms",
            what=f"processor time of {what}",
            unit="ms",
            n=1,
            beside={
                "by the clock": wall.median * _MS,
                "an empty Python program": python[0].median * _MS,
            },
        )


def _took(
    commands: dict[str, list[str]], environment: dict[str, str]
) -> dict[str, tuple[Sample, Sample]]:
    """Processor and wall seconds of each command, taken in turn; the first turn does not count."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for turn in range(_ROUNDS + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            with subprocess.Popen(
                command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as process:
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise AssertionError(f"{command[2:]} failed")
            if turn:
                wall = time.perf_counter() - start
                seen[name].append((usage.ru_utime + usage.ru_stime, wall))
    return {
        name: (Sample(tuple(p for p, _ in pairs)), Sample(tuple(w for _, w in pairs)))
        for name, pairs in seen.items()
    }

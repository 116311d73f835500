"""kill -9 in the middle of a restore: what was there is there, or what the backup holds, whole."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from hub import backup, bootstrap, integrity, restore, settings
from hub.demo import poslog_writer
from hub.home import Home
from hub.receive import receive
from hub.store.tables import metadata
from schemas.problem import ConfigError
from tests import homes

RESTORER = Path(__file__).with_name("restorer.py")
EARLY, LAST = 1, {"sqlite": 5, "postgresql": 3}
"""How many steps are tried while rows are put together, and how many before the last."""
DAMAGED = b"no database at all " * 500
WRITTEN = {"restore", "unverified", "audit"}
"""What a restore writes into by itself."""

Dump = dict[str, list[str]]


def _dump(home: Home) -> Dump:
    """Every row of every table, as a hub finds it that opens the database."""
    with bootstrap.open_hub(home) as hub, hub.engine.begin() as connection:
        return {
            name: sorted(repr(tuple(row)) for row in connection.execute(select(table)))
            for name, table in metadata.tables.items()
        }


def _rows(dump: Dump) -> Dump:
    return {name: rows for name, rows in dump.items() if name not in WRITTEN}


def _sell(home: Home, folder: Path, first: int, last: int) -> None:
    file = folder / f"{first}.xml"
    file.write_bytes(b"".join(poslog_writer.sale(index, seed=1) for index in range(first, last)))
    with bootstrap.open_hub(home) as hub:
        assert receive(hub, "poslog", [file]).applied == last - first


@dataclass
class Restorer:
    """Restores a backup into a home, as often as it is asked to."""

    process: subprocess.Popen[str]
    counted: Path

    def run(self, step: int) -> int:
        """Run until this step; says how it ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{step}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def steps(self) -> int:
        """How many an undisturbed run has."""
        assert self.run(0) == 0
        return int(self.counted.read_text())


def _restore(home: Home, file: Path) -> None:
    chosen = settings.read(home)
    now = bootstrap.utc_now
    restore.restore_from(file, chosen.database(home), chosen, replace=True, actor="ann", now=now)


@contextmanager
def _restorer(home: Home, file: Path) -> Iterator[Restorer]:
    counted = home.path.with_name("steps")
    with home.path.with_name("log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, RESTORER, home.path, counted, file],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with process:
        yield Restorer(process, counted)


def _tried(steps: int, last: int) -> list[int]:
    return [*range(1, steps - last, (steps - last) // EARLY), *range(steps - last, steps + 1)]


@pytest.mark.databases
def test_what_a_killed_restore_leaves_is_whole_and_the_next_one_succeeds(
    tmp_path: Path, database: str
) -> None:
    home, file = homes.made(tmp_path / "home"), tmp_path / "backup"
    place = settings.read(home).database(home)
    _sell(home, tmp_path, 0, 8)
    backup.back_up(place, file, now=bootstrap.utc_now, overwrite=False)
    wanted = _rows(_dump(home))
    old = set()
    with _restorer(home, file) as restorer:
        for step in _tried(restorer.steps(), LAST[database]):
            _sell(home, tmp_path, 8, 12)
            before = _dump(home)
            assert restorer.run(step) == -signal.SIGKILL
            after = _dump(home)
            old.add(after == before)
            if after != before:
                assert _rows(after) == wanted, step
                # It has healed as well: this is another life of the hub.
                assert len(after["restore"]) == 1
                assert after["restore"] != before["restore"]
            assert list(integrity.examine(place)) == []
            _restore(home, file)
            assert _rows(_dump(home)) == wanted
            assert _beside(home) == []
    # Some were killed before it was done, and some when it was.
    assert old == {True, False}


def test_killed_in_the_place_of_a_damaged_file_nothing_takes_it_for_an_empty_one(
    tmp_path: Path,
) -> None:
    home, file = homes.made(tmp_path / "home"), tmp_path / "backup"
    _sell(home, tmp_path, 0, 8)
    backup.back_up(home.database, file, now=bootstrap.utc_now, overwrite=False)
    wanted = _rows(_dump(home))
    with _restorer(home, file) as restorer:
        home.database.write_bytes(DAMAGED)
        steps = restorer.steps()
        refused = set()
        for step in range(steps - 5, steps - 1):
            home.database.write_bytes(DAMAGED)
            assert restorer.run(step) == -signal.SIGKILL
            try:
                assert _rows(_dump(home)) == wanted, step
                refused.add("")
            except ConfigError as error:
                refused.add(error.problem.code)
            _restore(home, file)
            assert _rows(_dump(home)) == wanted
            assert _beside(home) == []
    assert refused == {"", "LP-CFG-024"}


def _beside(home: Home) -> list[str]:
    return [each.name for each in home.path.iterdir() if "restoring" in each.name]

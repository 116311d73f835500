"""kill -9 while a day is received: the next run ends where an undisturbed one would have."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from hub import bootstrap, export
from hub.demo import poslog_writer, till
from hub.demo.ledger import tally
from hub.home import Home
from hub.receive import receive

KILLER = Path(__file__).with_name("killer.py")
PROGRAM = Path(sys.executable).with_name("lynchpin")
MOMENTS = 50
SALES = 700

_STATE = {
    "transactions": "SELECT * FROM transaction_index ORDER BY fact",
    "links": "SELECT * FROM link ORDER BY from_fact, position",
    "revenue": "SELECT fact, revenue, currency FROM document ORDER BY fact",
}
_BROKEN = {
    "a message was never settled": "SELECT id FROM message WHERE state = 'pending'",
    "a record lacks messages": """
        SELECT id FROM record
        WHERE messages != (SELECT count(*) FROM message WHERE record_id = record.id)""",
    "a document is not the work of its message": """
        SELECT document.fact FROM document JOIN message ON message.id = document.message_id
        WHERE message.state != 'applied' OR message.fact != document.fact""",
    "a message was applied and left no document": """
        SELECT id FROM message WHERE state = 'applied'
        AND id NOT IN (SELECT message_id FROM document)""",
    "a duplicate is answered by itself": "SELECT id FROM message WHERE first_id >= id",
}


def _export(home: Path) -> str:
    hubs = bootstrap.open_hub(Home(home), access="read")
    with hubs as hub, hub.engine.begin() as connection:
        return "\n".join(export.export(connection))


def _rows(home: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(f"{(home / 'lynchpin.db').as_uri()}?mode=ro", uri=True)) as db:
        return db.execute(statement).fetchall()


def _state(home: Path) -> dict[str, Any]:
    """All that two homes must have in common: no number and no clock of the hub is in it."""
    return {"export": _export(home)} | {what: _rows(home, sql) for what, sql in _STATE.items()}


def _broken(home: Path) -> list[str]:
    """What is never so, whatever happened: the promises that transactions keep."""
    return [what for what, statement in _BROKEN.items() if _rows(home, statement)]


def _started(home: Path, file: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PROGRAM, "receive", "poslog", file, "--json"],
        env={**os.environ, "LYNCHPIN_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _report(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    report: dict[str, Any] = json.loads(output)
    return report


def _kill(process: subprocess.Popen[str]) -> bool:
    """Kill -9; false if it had come to its end by then."""
    process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


def _wait_for_work(home: Path, process: subprocess.Popen[str]) -> None:
    """Until the process has taken the lock: from then on it reads and writes."""
    while process.poll() is None and str(process.pid) not in (home / "lock").read_text():
        time.sleep(0.001)


def _fresh(tmp_path: Path, empty_home: Path, name: str) -> Path:
    home = tmp_path / name
    shutil.copytree(empty_home, home)
    return home


def _check(home: Path, whole: dict[str, Any], report: dict[str, Any], messages: int) -> None:
    assert _state(home) == whole
    assert _broken(home) == []
    assert report["messages"] == messages
    assert report["applied"] + report["duplicates"] == messages
    # What the killed run journalled is settled now, and the file itself then answered as known.
    assert report["recovered"] in (0, report["duplicates"])
    assert report["held"] == report["refused"] == 0


def test_killed_at_any_moment_the_next_run_ends_as_if_undisturbed(
    tmp_path: Path, empty_home: Path, day: Path
) -> None:
    home = _fresh(tmp_path, empty_home, "undisturbed")
    began = time.monotonic()
    process = _started(home, day)
    _wait_for_work(home, process)
    worked = time.monotonic()
    messages = _report(process)["messages"]
    ended = time.monotonic()
    whole = _state(home)
    dice, killed = Random("moments"), 0
    for number in range(MOMENTS):
        home = _fresh(tmp_path, empty_home, f"killed-{number}")
        process = _started(home, day)
        # One in five dies anywhere in the run; the others while they read and write.
        if number % 5:
            _wait_for_work(home, process)
            time.sleep(dice.random() * (ended - worked))
        else:
            time.sleep(dice.random() * (ended - began))
        killed += _kill(process)
        with bootstrap.open_hub(Home(home)) as hub:
            report = receive(hub, "poslog", [day])
        _check(home, whole, report.as_json(), messages)
        shutil.rmtree(home)
    assert killed > 0


def _settled(home: Path) -> int:
    [(count,)] = _rows(home, "SELECT count(*) FROM message WHERE settled_at IS NOT NULL")
    return int(count)


@pytest.mark.parametrize("least", [1, 201, 401])
def test_killed_between_two_batches_nothing_is_lost_or_doubled(
    tmp_path: Path, empty_home: Path, least: int
) -> None:
    file = tmp_path / "sales.xml"
    file.write_bytes(b"".join(poslog_writer.sales(SALES, seed=1, lines=2)))
    home = _fresh(tmp_path, empty_home, "killed")
    process = _started(home, file)
    while process.poll() is None and _settled(home) < least:
        time.sleep(0.001)
    assert _kill(process)
    settled = _settled(home)
    assert least <= settled < SALES
    report = _report(_started(home, file))
    ledger = tally(till.sales(SALES, seed=1, lines=2))
    assert (report["recovered"], report["duplicates"]) == (SALES - settled, SALES)
    assert _broken(home) == []
    revenue = {(row[2], row[1]) for row in _rows(home, _STATE["revenue"])}
    assert len(_rows(home, _STATE["transactions"])) == ledger.transactions == SALES
    assert {currency for currency, _ in revenue} == set(ledger.totals)
    [(cents,)] = _rows(home, "SELECT sum(CAST(round(revenue * 100) AS INTEGER)) FROM document")
    assert cents == ledger.totals["USD"] * 100


def _try(folder: Path, empty_home: Path, file: Path, variant: str, steps: Iterable[int]) -> None:
    if not (folder / "empty").exists():
        shutil.copytree(empty_home, folder / "empty")
    numbers = [str(step) for step in steps]
    command: list[str | Path] = [sys.executable, KILLER, folder, file, variant, *numbers]
    subprocess.run(command, check=True, timeout=600)


def _steps(folder: Path, empty_home: Path, file: Path, variant: str) -> int:
    """How many steps an undisturbed run has; its home is left as ``0``."""
    _try(folder, empty_home, file, variant, [0])
    return int((folder / "0.steps").read_text())


def test_killed_at_every_single_statement_and_commit(
    tmp_path: Path, empty_home: Path, day: Path
) -> None:
    steps = _steps(tmp_path, empty_home, day, "as it is")
    whole = _state(tmp_path / "0")
    messages = json.loads((tmp_path / "0.first").read_text())["messages"]
    _try(tmp_path, empty_home, day, "as it is", range(1, steps + 1))
    for step in range(1, steps + 1):
        report = json.loads((tmp_path / f"{step}.report").read_text())
        _check(tmp_path / str(step), whole, report, messages)


@pytest.mark.parametrize(
    ("variant", "promise"),
    [
        ("document first", "a document is not the work of its message"),
        ("journal in pieces", "a record lacks messages"),
    ],
)
def test_without_its_transaction_a_kill_breaks_a_promise(
    tmp_path: Path, empty_home: Path, day: Path, variant: str, promise: str
) -> None:
    """The control: the checks above are red where a transaction is cut in two."""
    steps = _steps(tmp_path, empty_home, day, variant)
    # What is cut in two lies open for two steps at least: every other one is enough.
    tried = range(2, steps + 1, 2)
    _try(tmp_path, empty_home, day, variant, tried)
    broken = [_broken(tmp_path / str(step)) for step in tried]
    assert promise in {what for one in broken for what in one}

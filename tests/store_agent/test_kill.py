"""Killed at any moment the agent loses nothing and sends nothing twice; broken, it does."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import pytest

from store_agent.folder import Folder
from store_agent.home import Home
from store_agent.run import run
from store_agent.spool import Spool
from tests.store_agent.conftest import FOOT, HEAD, FakeHub, log, sale, write_settings

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60
ROUNDS_MAX = 5


def environment(home: Home) -> dict[str, str]:
    return {**os.environ, "LYNCHPIN_AGENT_HOME": str(home.path)}


@contextmanager
def agent(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "store_agent.cli", "run"]
    with subprocess.Popen(command, cwd=ROOT, env=environment(home)) as process:
        try:
            yield process
        finally:
            process.kill()


class Killer:
    """The program of ``killer.py``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, home: Home, *, step: int = 0, variant: str = "as it is") -> bool:
        """Run the agent up to this step; whether it was reached."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{step} {home.path} {variant}\n")
        self._process.stdin.flush()
        return {"killed\n": True, "ended\n": False}[self._process.stdout.readline()]


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    command = [sys.executable, str(Path(__file__).with_name("killer.py"))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        yield Killer(process)


def wait_until(so: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not so():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def fill(drop: Path) -> dict[str, bytes]:
    """A handful of files."""
    files = {f"{number}.xml": log(number, number + 100) for number in range(4)}
    for name, content in files.items():
        (drop / name).write_bytes(content)
    return files


@pytest.mark.parametrize("variant", ["as it is", "deleted early", "state apart"])
def test_killed_at_any_step_nothing_is_lost_or_doubled_thanks_to_its_guards(
    home: Home, drop: Path, hub: FakeHub, killer: Killer, tmp_path: Path, variant: str
) -> None:
    """Kill at every step there is: as it is all is well, without a guard some step is fatal."""
    fatal: set[int] = set()
    step, rounds = 1, 1
    while variant == "as it is" or not fatal:
        # Again for each step: what was deleted early may have got through all the same.
        files = fill(drop)
        hub.stores.clear()
        tried = Home(tmp_path / f"home-{rounds}-{step}")
        shutil.copytree(home.path, tried.path)
        reached = killer.run(tried, step=step, variant=variant)
        killer.run(tried)
        if hub.content() != files:
            fatal.add(step)
        step += 1
        if not reached:
            assert step > 10
            # Threads take turns as they like, so one round may pass over the step that is fatal.
            if variant == "as it is" or rounds == ROUNDS_MAX:
                break
            step, rounds = 1, rounds + 1
    assert bool(fatal) == (variant != "as it is"), fatal


def test_killed_at_random_while_files_arrive_and_grow(
    home: Home, drop: Path, hub: FakeHub, tmp_path: Path
) -> None:
    write_settings(home, drop, hub.url, more='after = "delete"\n')
    random, written = Random(4), {}
    done = threading.Event()
    turns = iter(range(10**9))
    hub.fault = lambda _method: "cut" if next(turns) % 3 == 0 else None

    def till() -> None:
        day = HEAD
        for number in range(400):
            if done.is_set():
                break
            day += sale(number)
            with (drop / "day.xml").open("ab") as file:
                file.write(day[file.tell() :])
            part = tmp_path / "part"
            part.write_bytes(log(number))
            part.rename(drop / f"{number}.xml")
            written[f"{number}.xml"] = log(number)
            time.sleep(0.02)
        with (drop / "day.xml").open("ab") as file:
            file.write(FOOT)
        written["day.xml"] = day + FOOT

    thread = threading.Thread(target=till)
    thread.start()
    for _ in range(20):
        with agent(home) as process:
            time.sleep(random.uniform(0.3, 1.2))
            process.send_signal(signal.SIGKILL)
    done.set()
    thread.join()
    calls = len(hub.calls)
    with agent(home) as process:
        wait_until(lambda: len(hub.calls) > calls, "the agent does not start")
        wait_until(lambda: hub.content() == written, "not everything arrived, or more than that")
        wait_until(lambda: not list(drop.iterdir()), "what the hub has was not deleted")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
    assert len(written) > 100


def test_the_database_of_a_cut_moment_opens_whole(
    home: Home, drop: Path, hub: FakeHub, tmp_path: Path
) -> None:
    """Its files as they are at random moments: each tells of exactly the files that it holds."""
    hub.fault = lambda _method: "away"
    files = {f"{number}.xml": log(*range(number, number + 20)) for number in range(600)}
    for name, content in files.items():
        (drop / name).write_bytes(content)
    seen = set()
    with agent(home) as process:
        wait_until(home.spool.exists, "the agent does not start")
        random = Random(5)
        for moment in range(15):
            time.sleep(random.uniform(0.01, 0.15))
            process.send_signal(signal.SIGSTOP)
            copy = Home(tmp_path / f"copy-{moment}")
            shutil.copytree(home.path, copy.path)
            process.send_signal(signal.SIGCONT)
            with (copy.path / "spool.db-wal").open("ab") as wal:
                # What was being written when the power went is anything.
                wal.write(random.randbytes(random.randrange(5000)))
            seen.add(whole(copy, files))
    assert len(seen) > 2, "the moments were all the same"


def whole(home: Home, files: dict[str, bytes]) -> int:
    """Check that a spool holds what it says of each file; how many these are."""
    with closing(Spool(home, ["log"])) as spool:
        batch = spool.batch("log", records_max=10_000, bytes_max=1 << 40, now="2031")
    with closing(sqlite3.connect(home.spool)) as connection:
        known = dict(connection.execute("SELECT name, end FROM file"))
    assert [record.seq for record in batch.records] == list(range(1, len(batch.records) + 1))
    spooled = {record.name: record.payload for record in batch.records}
    assert spooled == {name: files[name][:end] for name, end in known.items()}
    return len(known)


def test_a_second_agent_refuses_the_same_home(home: Home, hub: FakeHub) -> None:
    with agent(home):
        wait_until(lambda: hub.calls, "the agent does not start")
        command = [sys.executable, "-m", "store_agent.cli", "run"]
        second = subprocess.run(
            command, cwd=ROOT, env=environment(home), capture_output=True, check=False
        )
    assert second.returncode == 1
    assert b"LP-AGENT-004" in second.stderr


def test_status_answers_while_the_agent_runs_and_afterwards(
    home: Home, drop: Path, hub: FakeHub
) -> None:
    def said(*options: str) -> str:
        command = [sys.executable, "-m", "store_agent.cli", "status", *options]
        done = subprocess.run(
            command, cwd=ROOT, env=environment(home), capture_output=True, check=True
        )
        return done.stdout.decode()

    hub.fault = lambda _method: "away"
    with agent(home) as process:
        fill(drop)
        wait_until(lambda: '"waiting": 4' in said("--json"), "the files are not captured")
        assert '"running": true' in said("--json")
        wait_until(lambda: "LP-AGENT-011" in said(), "nobody says that the hub is away")
        hub.fault = lambda _method: None
        wait_until(lambda: "needs help" not in said(), "the records do not arrive")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
    after = said()
    assert "does not run" in after
    assert "sent" in after


def test_a_hub_that_does_not_answer_does_not_keep_the_agent_from_stopping(
    home: Home, drop: Path, hub: FakeHub
) -> None:
    asked: list[str] = []

    def slow(method: str) -> str | None:
        asked.append(method)
        return "slow" if method == "POST" else None

    hub.fault = slow
    fill(drop)
    with agent(home) as process:
        # Its sign of life or the first records, whichever comes first.
        wait_until(lambda: "POST" in asked, "nothing is sent")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
        assert not hub.hurry.is_set()


def test_an_agent_whose_disk_fails_ends(
    home: Home, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(self: Folder) -> bool:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(Folder, "scan", failing)
    assert run(home, threading.Event()) is False


def test_the_agent_is_light(home: Home) -> None:
    """Neither the hub nor what only the hub needs is loaded on a till."""
    heavy = ["hub", "sqlalchemy", "fastapi", "typer", "rich", "structlog", "alembic"]
    code = (
        "import sys, store_agent.cli, store_agent.run; from connectors import registry;"
        "registry.load('poslog'); print(*sys.modules, sep='\\n')"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    loaded = set(done.stdout.decode().split())
    assert "store_agent.run" in loaded
    assert loaded.isdisjoint(heavy)


def test_a_folder_that_is_not_there_is_waited_for(home: Home, drop: Path, hub: FakeHub) -> None:
    drop.rmdir()
    with agent(home):
        wait_until(lambda: hub.calls, "the agent does not start")
        drop.mkdir()
        files = fill(drop)
        wait_until(lambda: hub.content() == files, "the folder is not found again")

"""A house to receive in: a home of its own for every test, the invented days, the real samples."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser
from sqlalchemy import Connection

from hub import bootstrap, export, finding, holds
from hub.demo import poslog_writer
from hub.demo.retailer import NEW_YORK, VIENNA
from hub.finding import Shown
from hub.home import Home
from hub.receive import Report, receive
from hub.store.tables import metadata
from schemas.problem import Problem
from tests.e2e.browser import started
from tests.e2e.demo import Demo, waiting
from tests.e2e.store import a_port

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT.parent / "shared" / "samples"


@dataclass(frozen=True)
class Up:
    """``lynchpin up``, answering. What it writes to stderr lies in ``log``."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @contextmanager
    def calling(self, key: str | None, connections: int = 200) -> Iterator[httpx2.Client]:
        """A client with this key."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        limits = httpx2.Limits(max_connections=connections)
        with httpx2.Client(
            base_url=self.url, headers=headers, timeout=60, limits=limits, trust_env=False
        ) as client:
            yield client

    def peak_bytes(self) -> int:
        """The most memory it has ever held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    def sockets(self) -> int:
        """How many sockets it has open."""
        files = Path(f"/proc/{self.process.pid}/fd")
        count = 0
        for file in files.iterdir():
            # One may be closed while we look.
            with suppress(FileNotFoundError):
                count += str(file.readlink()).startswith("socket:")
        return count

    def lines(self) -> list[dict[str, Any]]:
        """What it logged."""
        written = self.log.read_text().splitlines()
        return [json.loads(line) for line in written if line.startswith("{")]


@dataclass(frozen=True)
class House:
    """A home under a folder of its own, and the ways to look at it from outside."""

    folder: Path
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def receive(self, source: str, *files: Path) -> Report:
        """What ``lynchpin receive`` does, in this process."""
        with bootstrap.open_hub(Home(self.home)) as hub:
            return receive(hub, source, files)

    def send(self, source: str, content: bytes, name: str | None = None) -> Report:
        """Receive bytes as a file; without a name each has another one."""
        return self.receive(source, self.file(content, name))

    def file(self, content: bytes, name: str | None = None) -> Path:
        """A file outside the home, as the source left it."""
        inbox = self.folder / "inbox"
        inbox.mkdir(exist_ok=True)
        file = inbox / (name or f"file-{next(self._numbers)}")
        file.write_bytes(content)
        return file

    def export(self, *kinds: str) -> str:
        with self._reading() as connection:
            return "\n".join(export.export(connection, kinds=kinds))

    def held(self) -> list[Problem]:
        """Why messages are held now, the oldest first."""
        return list(self.holds().values())

    def holds(self) -> dict[int, Problem]:
        with self._reading() as connection:
            return {row["message_id"]: row["problem"] for row in holds.held(connection)}

    def show(self, name: str) -> Shown:
        with self._reading() as connection:
            fact = finding.resolve(connection, name, systems=("poslog", "shopify"))
            return finding.show(connection, fact)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        hubs = bootstrap.open_hub(Home(self.home), access="read")
        with hubs as hub, hub.engine.begin() as connection:
            yield connection

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        database = f"{(self.home / 'lynchpin.db').as_uri()}?mode=ro"
        with closing(sqlite3.connect(database, uri=True)) as connection:
            return {
                name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
                for name in metadata.tables
            }

    @contextmanager
    def up(self, *variant: str | Path, **settings: str) -> Iterator[Up]:
        """Run ``lynchpin up`` on any port, under these settings; killed at the end if it runs on.

        What it logs goes to a file: a pipe that nobody empties would make it wait. ``variant`` is
        what to run in place of it.
        """
        program = variant or (Path(sys.executable).with_name("lynchpin"), "up")
        log = self.folder / "hub.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [*program, "--port", "0"],
                env={**os.environ, "LYNCHPIN_HOME": str(self.home), "COLUMNS": "400", **settings},
                cwd=self.folder,
                stderr=stream,
            )
        with process:
            try:
                yield Up(process, _address(process, log), log)
            finally:
                process.kill()

    def key(self, role: str, *more: str) -> str:
        """A key of this role, made by the program."""
        made = self.lynchpin("key", "create", role, "--role", role, *more, "--json")
        assert made.returncode == 0, made.stderr
        return str(json.loads(made.stdout)["key"])

    def lynchpin(self, *args: str | Path) -> subprocess.CompletedProcess[str]:
        """The real program in a process of its own."""
        return subprocess.run(
            [Path(sys.executable).with_name("lynchpin"), *args],
            env={**os.environ, "LYNCHPIN_HOME": str(self.home), "COLUMNS": "400"},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where it says that it listens."""
    while not (said := re.search(r"http://\S+(?=\n)", log.read_text())):
        assert process.poll() is None, log.read_text()
        time.sleep(0.01)
    return said[0]


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh home, made once and copied for every test."""
    path = tmp_path_factory.mktemp("empty") / "home"
    bootstrap.create(Home(path))
    return path


@pytest.fixture
def fresh(tmp_path: Path, empty_home: Path) -> Callable[[], House]:
    """Gives another new house each time it is called."""
    numbers = itertools.count()

    def make() -> House:
        folder = tmp_path / f"house-{next(numbers)}"
        shutil.copytree(empty_home, folder / "home")
        return House(folder)

    return make


@pytest.fixture
def house(fresh: Callable[[], House]) -> House:
    """A new house."""
    return fresh()


@pytest.fixture
def port() -> Iterator[int]:
    """A port that nobody else gets."""
    with a_port() as number:
        yield number


@pytest.fixture(scope="session")
def samples() -> Path:
    """Real data, which lies beside the repository and never inside it."""
    if not SAMPLES.is_dir():
        pytest.skip("the real samples do not lie beside this repository")
    return SAMPLES


@pytest.fixture(scope="session")
def real_day(samples: Path) -> bytes:
    """A real day of a real store."""
    return (samples / "poslog" / "ncr-acs-v2.1-day.xml").read_bytes()


@pytest.fixture(scope="session")
def us_day() -> bytes:
    """An invented day in the words of POSLog 2."""
    return poslog_writer.day(NEW_YORK, seed=3)


@pytest.fixture(scope="session")
def eu_day() -> bytes:
    """An invented day in the words of POSLog 6."""
    return poslog_writer.day(VIENNA, seed=3)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser. It is ended with its module: while it runs, nothing else can have a loop."""
    with started() as running:
        yield running


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """A demo that waits for visitors."""
    with waiting(tmp_path) as running:
        yield running

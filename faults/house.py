"""A hub under faults: started again whenever it is gone, and a store that sends until it is told
that its files are there.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from random import Random

import httpx2

from faults.ledger import content, database_is
from faults.variant import CLOCK
from hub import bootstrap, keys
from hub.home import Home, write_atomically

__all__ = ["House", "Sender", "some"]

_VARIANT = (sys.executable, "-m", "faults.variant")
_POLL_SECONDS = 0.05
_LOOK_SECONDS = 0.02
_PATIENCE_SECONDS = 300.0
_CALL_SECONDS = 30.0
_FILES_BETWEEN_HARMS = (1, 1, 2, 4)
_making = threading.Lock()
"""Migrations, and what the environment names, are of the whole process."""


def some(dice: Random) -> int:
    """How many files come between two harms: not by the clock, since a hub that is quick would
    come to few of them.
    """
    return dice.choice(_FILES_BETWEEN_HARMS)


@dataclass
class House:
    """A home and the hub that runs on it. ``before`` is what the program is started by."""

    folder: Path
    variant: str = "as it is"
    database: str | None = None
    before: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None
    key: str = ""
    runs: int = 0
    port: int = 0
    settings: str = ""
    """What its settings say beside those of a new home."""
    clock: Path | None = None
    """A file with the seconds by which its clock is ahead."""
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        with _making, database_is(self.database):
            bootstrap.create(self.home)
            with self.home.settings.open("a", encoding="utf-8") as file:
                file.write(f"\n{self.settings}")
            with bootstrap.open_hub(self.home) as hub, hub.engine.begin() as connection:
                _, self.key = keys.create(
                    connection,
                    "store",
                    "source",
                    ["poslog", "shopify"],
                    actor="faults",
                    now=hub.now(),
                )

    @property
    def home(self) -> Home:
        """Where everything of the hub lies."""
        return Home(self.folder / "home")

    @property
    def _own(self) -> dict[str, str]:
        own = {} if self.database is None else {"LYNCHPIN_DATABASE_URL": self.database}
        return own if self.clock is None else {**own, CLOCK: str(self.clock)}

    @property
    def _log(self) -> Path:
        return self.folder / f"hub-{self.runs}.log"

    def start(self) -> None:
        """Start the hub, if it does not run; nobody waits for it to listen."""
        # Who sends starts it, and so does who harms it: two would be one that nobody ends.
        with self._turn:
            if self.process is None or self.process.poll() is not None:
                self._start()

    def _start(self) -> None:
        self.runs += 1
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*self.before, *_VARIANT, self.variant, "up", "--port", str(self.port)],
                env={
                    **os.environ,
                    **self._own,
                    "LYNCHPIN_HOME": str(self.home.path),
                    "LYNCHPIN_LEASE_SECONDS": "1",
                    "COLUMNS": "400",
                    "PYTHONPATH": str(Path(__file__).parents[1]),
                },
                stderr=log,
                start_new_session=True,
            )

    def pass_by(self, seconds: float) -> None:
        """Let its clock go on at once."""
        assert self.clock is not None
        ahead = float(self.clock.read_text("utf-8")) if self.clock.exists() else 0.0
        write_atomically(self.clock, str(ahead + seconds).encode())

    def kill(self) -> None:
        """Kill -9, with whatever it was started by."""
        with self._turn:
            if self.process is not None:
                with suppress(ProcessLookupError):
                    os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def address(self) -> str | None:
        """Where it listens, once it does."""
        with suppress(FileNotFoundError):
            if said := re.search(r"listening at (http://\S+)", self._log.read_text("utf-8")):
                return said[1]
        return None

    def settled(self) -> bool:
        """Whether a hub that runs has nothing left to settle."""
        address = self.address()
        if address is None:
            return False
        with suppress(httpx2.HTTPError):
            url = f"{address}/sources/poslog/records/{self.last}"
            answer = httpx2.get(url, headers=self.headers, timeout=_CALL_SECONDS, trust_env=False)
            if answer.status_code == HTTPStatus.NOT_FOUND:
                # Acknowledged, and not there: it will not come any more.
                return True
            if answer.is_success:
                return not answer.json()["states"].get("pending")
        return False

    last: int = 0
    """The record that was acknowledged last."""

    @property
    def headers(self) -> dict[str, str]:
        """What the store shows."""
        return {"Authorization": f"Bearer {self.key}", "X-File-Name": "sales.xml"}

    def rest(self) -> None:
        """Let the hub run, without harm, until nothing is left to settle; then end it."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while not self.settled():
            if time.monotonic() > until:
                raise AssertionError(f"it does not settle: {self._log.read_text('utf-8')[-500:]}")
            self.start()
            time.sleep(_POLL_SECONDS)
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()


@dataclass
class Sender:
    """Sends files in order, so many as one, each until it is acknowledged, and no more than it was
    let: whoever harms the hub would not keep up with it. ``lose`` says whose answer is lost on the
    way, after the hub has given it.
    """

    house: House
    files: int
    lose: float = 0.0
    at_once: int = 1
    acknowledged: list[int] = field(default_factory=list)
    again: int = 0
    """How often one had to be sent again."""
    unsaid: int = 0
    """How often a hub that was there had its answer lost on the way, or could not take one."""
    struck: int = 0
    """How often harm was done."""
    done: threading.Event = field(default_factory=threading.Event)
    _allowed: float = 0.0
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _client: httpx2.Client = field(
        default_factory=lambda: httpx2.Client(timeout=_CALL_SECONDS, trust_env=False)
    )

    def let(self, files: float) -> None:
        """Have it send so many more than are acknowledged by now, and then wait."""
        with self._turn:
            self._allowed = len(self.acknowledged) + files
            self._turn.notify()

    def _wait_until_let(self, number: int) -> None:
        with self._turn:
            self._turn.wait_for(lambda: number < self._allowed)

    def gets_on(self, files: int) -> bool:
        """Have it send so many more and begin with the next, and wait until the former are
        acknowledged; says whether there are any left to send.
        """
        enough = len(self.acknowledged) + files
        self.let(files + 1)
        while len(self.acknowledged) < enough and not self.done.is_set():
            self.done.wait(_LOOK_SECONDS)
        return not self.done.is_set()

    def run(self) -> None:
        """Send all of them."""
        try:
            for number in range(0, self.files, self.at_once):
                numbers = range(number, min(number + self.at_once, self.files))
                body = content(*numbers)
                self._wait_until_let(number)
                while not self.sends(number, body):
                    self.again += 1
                    self.house.start()
                    time.sleep(_POLL_SECONDS)
                self.acknowledged.extend(numbers)
        finally:
            self.close()
            self.done.set()

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def sends(self, number: int, body: bytes) -> bool:
        """Send it once; says whether that was acknowledged."""
        address = self.house.address()
        if address is None:
            return False
        url = f"{address}/sources/poslog/records"
        try:
            answer = self._client.post(url, content=body, headers=self.house.headers)
        except httpx2.HTTPError:
            return False
        if answer.is_success:
            self.house.last = answer.json()["record"]
            lost = self.lose > 0 and (number + self.again) % round(1 / self.lose) == 0
            self.unsaid += lost
            return not lost
        if answer.is_client_error and answer.status_code != 429:
            raise AssertionError(answer.text)
        self.unsaid += 1
        return False

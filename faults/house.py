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
from pathlib import Path

import httpx2

from faults.ledger import content
from hub import bootstrap, keys
from hub.home import Home

__all__ = ["House", "Sender"]

_VARIANT = (sys.executable, "-m", "faults.variant")
_POLL_SECONDS = 0.05
_PATIENCE_SECONDS = 300.0
_CALL_SECONDS = 30.0


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

    def __post_init__(self) -> None:
        previous = os.environ.get("LYNCHPIN_DATABASE_URL")
        os.environ.update(self._own)
        try:
            bootstrap.create(self.home)
            with bootstrap.open_hub(self.home) as hub, hub.engine.begin() as connection:
                _, self.key = keys.create(
                    connection, "store", "source", ["poslog"], actor="faults", now=hub.now()
                )
        finally:
            os.environ.pop("LYNCHPIN_DATABASE_URL", None)
            if previous is not None:
                os.environ["LYNCHPIN_DATABASE_URL"] = previous

    @property
    def home(self) -> Home:
        """Where everything of the hub lies."""
        return Home(self.folder / "home")

    @property
    def _own(self) -> dict[str, str]:
        return {} if self.database is None else {"LYNCHPIN_DATABASE_URL": self.database}

    @property
    def _log(self) -> Path:
        return self.folder / f"hub-{self.runs}.log"

    def start(self) -> None:
        """Start the hub, if it does not run; nobody waits for it to listen."""
        if self.process is not None and self.process.poll() is None:
            return
        self.runs += 1
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*self.before, *_VARIANT, self.variant, "up", "--port", "0"],
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

    def kill(self) -> None:
        """Kill -9, with whatever it was started by."""
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
    """Sends files in order, each until it is acknowledged. ``lose`` says whose answer is lost on
    the way, after the hub has given it.
    """

    house: House
    files: int
    lose: float = 0.0
    acknowledged: list[int] = field(default_factory=list)
    again: int = 0
    """How often one had to be sent again."""
    done: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Send all of them."""
        try:
            for number in range(self.files):
                while not self._sent(number, content(number)):
                    self.again += 1
                    self.house.start()
                    time.sleep(_POLL_SECONDS)
                self.acknowledged.append(number)
        finally:
            self.done.set()

    def _sent(self, number: int, body: bytes) -> bool:
        address = self.house.address()
        if address is None:
            return False
        url = f"{address}/sources/poslog/records"
        try:
            answer = httpx2.post(
                url,
                content=body,
                headers=self.house.headers,
                timeout=_CALL_SECONDS,
                trust_env=False,
            )
        except httpx2.HTTPError:
            return False
        if answer.is_success:
            self.house.last = answer.json()["record"]
            lost = self.lose and (number + self.again) % round(1 / self.lose) == 0
            return not lost
        if answer.is_client_error and answer.status_code != 429:
            raise AssertionError(answer.text)
        return False

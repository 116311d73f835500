"""The stage: a folder in which a hub and two store agents run as programs of their own."""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from hub import home as homes
from hub import lock, running
from hub.demo.desk import Desk
from hub.demo.webhook import Webhook, call, event, shop
from hub.home import Home
from schemas.problem import Cause, ConfigError, Unavailable

__all__ = ["FOLDER", "Place", "Stage", "staged"]

FOLDER = Cause(
    "LP-CLI-021",
    "The demo cannot begin in this folder.",
    "Name an empty folder, or one that does not exist, with `lynchpin demo --home FOLDER`.",
)
NOT_STARTED = Cause(
    "LP-CLI-022",
    "A program of the demo did not start, or ended.",
    "Mend what it says; the rest is in its log. Nothing of the demo runs any more.",
)

_START_SECONDS = 60.0
_END_SECONDS = 10.0
_POLL_SECONDS = 0.05
_SAID_LINES = 3

_HUB = """\
# The settings of a demo. Its secrets are made up and hold for this folder alone.

# Soon enough that whoever cuts a link sees it.
[stores]
silent_seconds = 5

[sources.poslog]
connector = "poslog"

[sources.shopify]
connector = "shopify"
region = "US"
secrets = ["{shop}"]

[sources.twilio]
connector = "twilio"
region = "US"
secrets = ["{call}"]

[sources.events]
connector = "events"
secrets = ["whsec_{site}"]
"""
_AGENT = """\
hub = "{address}"
name = "store-{store}"
key_file = "key"
free_mb_min = 16
beat_seconds = 1

[captures.poslog]
source = "poslog"
connector = "poslog"
folder = {folder}
pattern = "*.xml"
quiet_seconds = 2
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything of a demo lies, and how its senders reach the hub that runs there."""

    folder: Path

    @property
    def home(self) -> Home:
        """The hub's."""
        return Home(self.folder / "hub")

    def agent(self, store: str) -> Path:
        """The home of a store's agent."""
        return self.folder / "agents" / store

    def till(self, store: str) -> Path:
        """Where the tills of a store leave their files."""
        return self.folder / "tills" / store

    def drop(self, store: str, name: str, content: bytes) -> Path:
        """Leave a file as a careful till does: under a hidden name until it is whole."""
        hidden = self.till(store) / f".{name}"
        hidden.write_bytes(content)
        return hidden.rename(self.till(store) / name)

    def desk(self) -> Desk:
        """Somebody who asks the hub. Raises ``Unavailable`` if it does not run."""
        said = running.find(self.home)
        if said is None:
            raise Unavailable(NOT_STARTED.at("the hub does not run", file="hub.log"))
        return Desk(said.address, said.key)

    def shop(self, body: bytes, number: str) -> Webhook:
        """A webhook of the shop."""
        return shop(body, number=number, secret=self._secret("shopify"))

    def call(self, sid: str, phone: str) -> Webhook:
        """A webhook of the phone system."""
        said = running.find(self.home)
        address = said.address if said else ""
        return call(sid, phone, address=address, secret=self._secret("twilio"))

    def event(self, number: str, kind: str, data: dict[str, object], at: str) -> Webhook:
        """A webhook of the web site."""
        return event(number, kind, data, at=at, secret=self._secret("events"))

    def _secret(self, source: str) -> str:
        told = tomllib.loads(self.home.settings.read_text("utf-8"))
        return str(told["sources"][source]["secrets"][0])


@dataclass(slots=True)
class Stage:
    """The programs that run. Use ``staged`` to have one."""

    place: Place
    _hub: subprocess.Popen[bytes] | None = None
    _agents: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _port: int = 0

    def start_hub(self) -> None:
        """Start the hub, at the port that it had before. Raises ``Unavailable`` if it fails."""
        home = self.place.home
        arguments = ("lynchpin", "up", "--port", str(self._port))
        process = self._hub = self._start(*arguments, log="hub.log", LYNCHPIN_HOME=str(home.path))
        until = time.monotonic() + _START_SECONDS
        while (said := running.find(home)) is None:
            self._wait(process, "hub.log", until)
        self._port = int(said.address.rpartition(":")[2])

    def kill_hub(self) -> None:
        """End the hub as a power cut does."""
        if self._hub is not None:
            self._hub.kill()
            self._hub.wait()

    def start_agent(self, store: str) -> None:
        """Start the agent of a store. Raises ``Unavailable`` if it fails."""
        home, log = self.place.agent(store), self._log(store)
        before = log.stat().st_size if log.exists() else 0
        process = self._start("lynchpin-agent", "run", log=log.name, LYNCHPIN_AGENT_HOME=str(home))
        self._agents[store] = process
        until = time.monotonic() + _START_SECONDS
        while b"watching" not in log.read_bytes()[before:]:
            self._wait(process, log.name, until)

    def furnish_agent(self, store: str, *, address: str, key: str) -> None:
        """Make the home of a store's agent, and the folder that it watches."""
        home, folder = self.place.agent(store), self.place.till(store)
        for path in (home, folder):
            path.mkdir(mode=0o700, parents=True)
        homes.write_atomically(home / "key", key.encode())
        told = _AGENT.format(address=address, store=store, folder=json.dumps(str(folder)))
        homes.write_atomically(home / "agent.toml", told.encode())

    def stop_agent(self, store: str) -> None:
        """End the agent of a store, so that nothing of it reaches the hub."""
        if process := self._agents.pop(store, None):
            _end(process)

    @property
    def address(self) -> str:
        """Where the hub answers."""
        return f"http://127.0.0.1:{self._port}"

    def ended(self) -> str | None:
        """The log of a program that ended although nobody told it to."""
        if self._hub is not None and self._hub.poll() is not None:
            return "hub.log"
        dead = (s for s, process in self._agents.items() if process.poll() is not None)
        return next((self._log(store).name for store in dead), None)

    def check(self) -> None:
        """Raises ``Unavailable`` if a program ended although nobody told it to."""
        if log := self.ended():
            raise self._failure(log)

    def end(self) -> None:
        """End everything that runs: the agents first, so that they can still deliver."""
        for store in list(self._agents):
            self.stop_agent(store)
        if self._hub is not None:
            _end(self._hub)

    def _log(self, store: str) -> Path:
        return self.place.folder / f"agent-{store}.log"

    def _start(
        self, program: str, *arguments: str, log: str, **settings: str
    ) -> subprocess.Popen[bytes]:
        # Settings of the visitor's own hub are none of the demo's.
        environ = {k: v for k, v in os.environ.items() if not k.startswith("LYNCHPIN_")}
        command = [str(Path(sys.executable).with_name(program)), *arguments]
        try:
            with (self.place.folder / log).open("ab") as stream:
                return _popen(command, {**environ, "COLUMNS": "400", **settings}, stream)
        except OSError as error:
            detail = f"{error.strerror}: {error.filename}"
            raise Unavailable(NOT_STARTED.at(detail)) from None

    def _wait(self, process: subprocess.Popen[bytes], log: str, until: float) -> None:
        """Give a program that starts a moment more."""
        with suppress(subprocess.TimeoutExpired):
            process.wait(_POLL_SECONDS)
        if process.returncode is not None or time.monotonic() > until:
            raise self._failure(log)

    def _failure(self, log: str) -> Unavailable:
        written = (self.place.folder / log).read_text("utf-8", "replace").splitlines()
        said = " ".join(line.strip() for line in written[-_SAID_LINES:])
        return Unavailable(NOT_STARTED.at(said, file=str(self.place.folder / log)))


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """An empty stage in a folder; whatever runs on it has ended when the block ends.

    Raises ``ConfigError`` where the folder cannot be had, or is not empty.
    """
    place = Place(folder.absolute())
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ConfigError(FOLDER.at("there is something in it", file=str(folder)))
        folder.chmod(0o700)
        place.home.path.mkdir(mode=0o700)
        made_up = {name: secrets.token_hex(16) for name in ("shop", "call")}
        site = base64.b64encode(secrets.token_bytes(32)).decode()
        told = _HUB.format(**made_up, site=site)
        homes.write_atomically(place.home.settings, told.encode())
    except OSError as error:
        raise ConfigError(FOLDER.at(error.strerror or "", file=str(folder))) from error
    stage = Stage(place)
    with lock.hold(Home(place.folder)):
        try:
            yield stage
        finally:
            # Whoever is impatient now would leave programs behind.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            stage.end()


def _popen(
    command: list[str], environ: dict[str, str], stream: IO[bytes]
) -> subprocess.Popen[bytes]:
    # In a group of its own: Ctrl-C at the terminal is for the demo alone, which ends them in order.
    return subprocess.Popen(  # noqa: S603 - programs of ours
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=stream,
        stderr=stream,
        process_group=0,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

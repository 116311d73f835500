"""kill -9 of a random process while a store's agent ships to a hub on PostgreSQL: of the hub, of
the second process that translates ahead for it, of one of the database's, or of the agent.

The ledger is what the tills wrote. The agent keeps nothing of what the hub said that it has, so
what the hub says and forgets is lost.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from faults.house import House, some
from faults.ledger import FILE, Verdict, content, judge, pending
from faults.server import open_server
from schemas.problem import ConfigError
from tests.e2e.store import DELETED, Store, a_port

__all__ = ["shipped"]

_KINDS = ("hub", "second process", "database", "agent")
_LYING_MAX = 3
"""The tills are never so far ahead that all comes to the hub within one life."""
_POLL_SECONDS = 0.05
_NEWS_SECONDS = 20.0
_PATIENCE_SECONDS = 600.0


def shipped(folder: Path, messages: int, variant: str, dice: Random) -> Verdict:
    """What a hub holds in the end of what the tills of a store wrote."""
    files = max(messages // FILE, 1)
    with open_server() as server, a_port() as port:
        house = House(folder, variant, str(server.get_uri()), port=port)
        store = Store(
            folder, f"http://127.0.0.1:{port}", house.key, {"sales": DELETED}, keep_days=0
        )
        scene = _Scene(house, store, server, files, dice)
        try:
            scene.harm()
            scene.rest()
        finally:
            scene.end()
        enough = scene.struck.total() >= 2 * len(_KINDS)
        if enough and (spared := set(_KINDS) - scene.struck.keys()):
            raise AssertionError(f"never killed: {sorted(spared)}")
        verdict = judge(house.home, house.database, range(files))
        return replace(verdict, harms=scene.struck.total())


@dataclass
class _Scene:
    """Everybody who takes part; ``struck`` counts who was killed."""

    house: House
    store: Store
    server: Any
    files: int
    dice: Random
    agent: subprocess.Popen[bytes] | None = None
    written: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    _deck: list[str] = field(default_factory=list)

    def harm(self) -> None:
        """Kill one after the other, mostly soon after the agent was told that something is there,
        until the hub has all.
        """
        while not self._is_over():
            self._wait_for_news(some(self.dice))
            self._wait(self.dice.uniform(0, 0.3))
            self._strike()

    def rest(self) -> None:
        """Let all of them run, without harm, until nothing is left to settle."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while not self._is_over() or self._is_unsettled():
            self._go_on()
            if time.monotonic() > until:
                raise AssertionError("it does not settle")
            time.sleep(_POLL_SECONDS)

    def _is_unsettled(self) -> bool:
        try:
            return pending(self.house.home, self.house.database) > 0
        except ConfigError:
            # The database recovers from the last kill.
            return True

    def end(self) -> None:
        """Kill whoever is left."""
        self.house.kill()
        if self.agent is not None:
            self.agent.kill()
            self.agent.wait()

    def _is_over(self) -> bool:
        return self.written == self.files and self.store.is_done()

    def _wait_for_news(self, files: int) -> None:
        enough = self.store.committed() + files
        self._wait(_NEWS_SECONDS, lambda: self.store.committed() >= enough)

    def _wait(self, seconds: float, so: Callable[[], bool] = lambda: False) -> None:
        """Let them work for so long, or until it is so."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not so() and not self._is_over():
            self._go_on()
            time.sleep(_POLL_SECONDS)

    def _go_on(self) -> None:
        """Start whoever is gone, and sell."""
        self.house.start()
        if self.agent is None or self.agent.poll() is not None:
            self.agent = self.store.started()
        lying = sum(1 for _ in self.store.drop().glob("*.xml"))
        for _ in range(min(_LYING_MAX - lying, self.files - self.written)):
            self.store.put(f"{self.written:06}.xml", content(self.written))
            self.written += 1

    def _strike(self) -> None:
        """Kill the first of a shuffled deck who runs."""
        if not self._deck:
            self._deck = self.dice.sample(_KINDS, len(_KINDS))
        for kind in self._deck:
            if numbers := self._running(kind):
                with suppress(ProcessLookupError):
                    os.kill(self.dice.choice(numbers), signal.SIGKILL)
                self.struck[kind] += 1
                self._deck.remove(kind)
                return

    def _running(self, kind: str) -> list[int]:
        if kind == "agent":
            return [] if self.agent is None else [self.agent.pid]
        if kind == "database":
            return _children(self.server.get_pid())
        assert self.house.process is not None
        hub = self.house.process.pid
        return [hub] if kind == "hub" else _children(hub)


def _children(number: int | None) -> list[int]:
    """The processes that this one has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        # It may be gone by the time that it is read.
        with suppress(OSError):
            said = stat.read_text("utf-8").rpartition(")")[2].split()
            if int(said[1]) == number and said[0] != "Z":
                found.append(int(stat.parent.name))
    return sorted(found)

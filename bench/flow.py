"""A flow of sales into a running hub, portion after portion, as long as the hub takes it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2

from bench import mix
from bench.disk import disk
from bench.senders import Sent, request, send
from bench.server import Server, hub_served
from hub import bootstrap, keys
from hub.home import Home

__all__ = ["Flow", "Portion", "flowing"]

FILE_SALES = 50
_LINES = 6
_LIMITS = """
[limits]
calls_per_second = 1000000
records_per_second = 1000000
"""
_LOOK_SECONDS = 0.1
"""Seldom enough that looking is no load: an answer takes the hub some milliseconds."""
_STEP = re.compile(r'^lynchpin_step_seconds_total\{step="(\w+)"\} (\S+)$', re.MULTILINE)
_SETTLED = re.compile(r'^lynchpin_messages_settled_total\{state="(\w+)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Portion:
    """What came of some sales: seconds until the last one was applied, and of processors.

    ``busiest`` are those of the process that took most: no hub can be faster than that one.
    """

    sales: int
    wall: float
    processor: float
    busiest: float
    waits: list[float]
    memory_mb: float
    steps: dict[str, float]


@dataclass(slots=True)
class Flow:
    """A hub at work. ``sent`` and ``total`` are the ledger of what it was sent."""

    server: Server
    home: Home
    key: str
    reader: httpx2.Client
    sent: int = 0
    total: Decimal = Decimal(0)
    _settled: int = field(default=0)

    def portion(self, count: int, *, a_second: float | None = None) -> Portion:
        """Send the next sales, as fast as they are taken or so many in a second, in files."""
        files = list(mix.files(self.sent, count, each=FILE_SALES))
        lot = [self.request("poslog", file.body, "application/xml") for file in files]
        pace = a_second / FILE_SALES if a_second else None
        before, steps = self.server.processors(), self._steps()
        sent = send(self.server.port, lot, lines=_LINES if pace is None else 50, a_second=pace)
        ended = self._applied(sent, count)
        self.sent += count
        self.total += sum((file.total for file in files), Decimal(0))
        after = self._steps()
        spent = [s - before.get(number, 0.0) for number, s in self.server.processors().items()]
        return Portion(
            count,
            ended - sent.began,
            sum(spent),
            max(spent),
            sent.seconds,
            self.server.memory_mb(),
            {name: seconds - steps.get(name, 0.0) for name, seconds in after.items()},
        )

    def accounts(self) -> None:
        """Send the accounts of everybody who is known."""
        lot = [self.request("shopify", body, "application/json") for body in mix.accounts()]
        self._applied(send(self.server.port, lot, lines=_LINES), len(lot))

    def request(self, source: str, body: bytes, kind: str) -> bytes:
        """A record on its way to a source."""
        headers = {"Content-Type": kind, "Authorization": f"Bearer {self.key}"}
        return request(f"/sources/{source}/records", headers, body)

    def _applied(self, sent: Sent, count: int) -> float:
        """When all that was sent is applied; raises if any of it came to something else."""
        sent.check()
        self._settled += count
        while True:
            states = {name: float(n) for name, n in _SETTLED.findall(self._figures())}
            if any(n for name, n in states.items() if name != "applied"):
                raise AssertionError(f"the hub did not apply each sale once: {states}")
            if states.get("applied", 0) >= self._settled:
                return time.monotonic()
            time.sleep(_LOOK_SECONDS)

    def _steps(self) -> dict[str, float]:
        return {name: float(seconds) for name, seconds in _STEP.findall(self._figures())}

    def _figures(self) -> str:
        return self.reader.get("/metrics").raise_for_status().text


@contextmanager
def flowing(database_url: str | None = None) -> Iterator[Flow]:
    """A hub with a fresh home on this machine's disk, or with an empty database of PostgreSQL."""
    with TemporaryDirectory(dir=disk()) as folder:
        home = Home(Path(folder) / "home")
        bootstrap.create(home)
        head = f'database_url = "{database_url}"\n' if database_url else ""
        settings = home.settings.read_text("utf-8")
        home.settings.write_text(head + settings + mix.SETTINGS + _LIMITS, "utf-8")
        with bootstrap.open_hub(home) as hub, hub.engine.begin() as connection:
            mine = {"actor": "bench", "now": hub.now()}
            _, key = keys.create(connection, "send", "source", ["poslog", "shopify"], **mine)
            _, reader = keys.create(connection, "read", "reader", **mine)
        with hub_served(home) as server:
            headers = {"Authorization": f"Bearer {reader}"}
            address = f"http://127.0.0.1:{server.port}"
            with httpx2.Client(base_url=address, headers=headers, trust_env=False) as client:
                yield Flow(server, home, key, client)

"""The store agent beside the hub: from a complete file to the customer's page, and its own weight.

Both are the programs as they are run, on this machine's disk.
"""

from __future__ import annotations

import os
import random
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

import httpx2

from bench import sale
from bench.clock import Sample
from bench.disk import disk
from bench.figure import Figure, of
from bench.sale import SEED
from bench.server import Server, console, hub_served
from hub import bootstrap, keys
from hub.demo import poslog_writer, till
from hub.demo.receipt import Loyalty, Receipt
from hub.demo.retailer import person
from hub.home import Home

__all__ = ["figures", "visible"]

_ROUNDS, _EACH = 3, 40
_VISIBLE_FLOOR_MS = 1_000
_RSS_FLOOR_MB = 80
_RESTART_FLOOR_SECONDS = 2
_FILES = 2_000
_DAY_SALES = 5_000
_RESTARTS = 9
_PATIENCE_SECONDS = 120
_MS, _KB = 1_000, 1_000
_AGENT = [sys.executable, "-m", "store_agent.cli", "run"]
_SETTINGS = """
[limits]
calls_per_second = 1000000
"""


@dataclass(frozen=True, slots=True)
class _Store:
    """A folder that a till writes to, the home of the agent that watches it, and the hub."""

    folder: Path
    server: Server

    @property
    def home(self) -> Path:
        return self.folder / "agent"

    def browser(self) -> httpx2.Client:
        """A browser that is let into the hub's console."""
        return console(Home(self.folder / "hub"), self.server)

    def put(self, receipt: Receipt) -> None:
        """Write the file of a sale beside the folder, and rename it in."""
        content = [poslog_writer.transaction(receipt, detail="lean")]
        part = self.folder / "part"
        part.write_bytes(b"".join(poslog_writer.document(content, dialect="v2")))
        part.rename(self.folder / "drop" / f"{receipt.till}-{receipt.sequence}.xml")

    def spooled(self, column: str) -> int:
        """A count of the agent's lane; 0 as long as there is none."""
        try:
            database = f"{(self.home / 'spool.db').as_uri()}?mode=ro"
            with closing(sqlite3.connect(database, uri=True)) as connection:
                (row,) = connection.execute(f"SELECT {column} FROM lane")  # noqa: S608
        except (sqlite3.OperationalError, ValueError):
            return 0
        return int(row[0])

    def wait(self, column: str, count: int) -> None:
        """Until the agent has captured (``number``) or shipped (``committed``) so many."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while self.spooled(column) < count:
            if time.monotonic() > until:
                raise AssertionError(f"{column} does not come to {count}")
            time.sleep(0.005)

    @contextmanager
    def agent(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run the agent; killed -9 in the end."""
        environment = {**os.environ, "LYNCHPIN_AGENT_HOME": str(self.home)}
        with (self.folder / "agent.log").open("ab") as log:
            process = subprocess.Popen(_AGENT, env=environment, stderr=log)
        with process:
            try:
                yield process
            finally:
                process.kill()


def visible() -> Iterator[Figure]:
    """From the moment a file is complete until the console's page of the customer shows the sale.

    The page is asked for again and again, so a wait counts the last page as well.
    """
    samples = []
    for turn in range(_ROUNDS):
        with (
            _store() as store,
            store.agent(),
            closing(console(Home(store.folder / "hub"), store.server)) as browser,
        ):
            samples.append([*_waits(store, browser, random.Random(SEED + turn))])
    for waits in samples:
        waits.sort()
    at = {
        percent: [quantiles(waits, n=100)[percent - 1] for waits in samples] for percent in (50, 95)
    }
    yield of(
        Sample(tuple(at[95])).times(_MS),
        id="hub.visible_p95_ms",
        what="from a complete file of one sale in a store's folder until the customer's page in "
        "the console shows it, 95 % of them",
        unit="ms",
        floor=_VISIBLE_FLOOR_MS,
        n=_EACH,
        seed=SEED,
        beside={"50 %": Sample(tuple(at[50])).times(_MS).median},
    )


def figures() -> Iterator[Figure]:
    """Ship a few thousand files, then start again and again with one file waiting."""
    peaks, restarts = [], []
    with _store() as store:
        sales = iter(range(10**6))
        for _ in range(_ROUNDS):
            receipts = [till.sale(next(sales), seed=SEED) for _ in range(_FILES)]
            for receipt in receipts:
                store.put(receipt)
            known = store.spooled("number")
            with store.agent() as process:
                store.wait("committed", known + _FILES)
                peaks.append(_memory(process, "VmHWM"))
        day = _peak_of_a_day(store)
        for _ in range(_RESTARTS):
            store.put(till.sale(next(sales), seed=SEED))
            known, begun = store.spooled("number"), time.perf_counter()
            with store.agent():
                store.wait("number", known + 1)
                restarts.append(time.perf_counter() - begun)
    yield of(
        Sample(tuple(peaks)),
        id="agent.rss_mb",
        what="the most memory the agent holds while it captures and ships files of one sale",
        unit="MB",
        floor=_RSS_FLOOR_MB,
        n=_FILES,
        seed=SEED,
        beside={f"a single file of {_DAY_SALES:,} sales, 23 MB": day},
    )
    yield of(
        Sample(tuple(restarts)),
        id="agent.restart_s",
        what="from the start of an agent that was killed until a file that waits is captured",
        unit="s",
        floor=_RESTART_FLOOR_SECONDS,
        n=1,
        seed=SEED,
        beside={"files it knows": float(_ROUNDS * _FILES + 1)},
    )


def _peak_of_a_day(store: _Store) -> float:
    """The most memory that an agent holds for one large file."""
    day = sale.write(store.folder / "day", _DAY_SALES, size="4 kB", seed=SEED + 1)
    settled = "(SELECT count(*) FROM file WHERE settled)"
    known = store.spooled(settled)
    day.rename(store.folder / "drop" / "day.xml")
    with store.agent() as process:
        store.wait(settled, known + 1)
        store.wait("committed", store.spooled("number"))
        return _memory(process, "VmHWM")


@contextmanager
def _store() -> Iterator[_Store]:
    """A hub with a fresh home, and a store that may send to it."""
    with TemporaryDirectory(dir=disk()) as name:
        folder = Path(name)
        home = Home(folder / "hub")
        bootstrap.create(home)
        home.settings.write_text(home.settings.read_text("utf-8") + _SETTINGS, "utf-8")
        with bootstrap.open_hub(home) as hub, hub.engine.begin() as connection:
            _, key = keys.create(
                connection, "bench", "source", ["poslog"], actor="bench", now=hub.now()
            )
        with hub_served(home) as server:
            store = _Store(folder, server)
            store.home.mkdir(mode=0o700)
            (folder / "drop").mkdir()
            (store.home / "agent.toml").write_text(
                f'hub = "http://127.0.0.1:{server.port}"\nname = "bench"\nkey = "{key}"\n'
                f'[captures.sales]\nsource = "poslog"\nconnector = "poslog"\n'
                f'folder = "{folder / "drop"}"\n',
                "utf-8",
            )
            yield store


def _waits(store: _Store, console: httpx2.Client, dice: random.Random) -> Iterable[float]:
    """How long each sale of one member took, each at another moment of the agent's round."""
    member = person(1)
    card = Loyalty(member.card, member.household)
    receipts = [replace(till.sale(index, seed=SEED), loyalty=card) for index in range(_EACH + 1)]
    page = f"/console/people/{_fact(receipts[0])}"
    for receipt in receipts:
        time.sleep(dice.uniform(0, 0.4))
        begun = time.perf_counter()
        store.put(receipt)
        _wait_for(console, page, f"/documents/{_fact(receipt)}")
        # The first one meets code that nobody has loaded yet.
        if receipt is not receipts[0]:
            yield time.perf_counter() - begun


def _wait_for(console: httpx2.Client, page: str, shown: str) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while f'{shown}"' not in console.get(page).text:
        if time.monotonic() > until:
            raise AssertionError("the sale does not come to the page")
        time.sleep(0.01)


def _fact(receipt: Receipt) -> str:
    return f"poslog:{'/'.join(receipt.key)}"


def _memory(process: subprocess.Popen[bytes], name: str) -> float:
    """What Linux says of a process under this name, in MB."""
    status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    if found is None:
        raise AssertionError(f"Linux tells no {name}")
    return int(found[1]) * 1024 / _KB / _KB

"""The doors: webhooks and records acknowledged a second, and how long each waits for it.

The hub is the program as it is run, on this machine's disk, every acknowledgement after a commit
that is durable. Beside it runs a server that does nothing but keep what it is sent.
"""

from __future__ import annotations

import sqlite3
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest
from itertools import islice
from pathlib import Path
from statistics import mean, quantiles
from tempfile import TemporaryDirectory

from bench.clock import Sample, ratio
from bench.disk import disk
from bench.figure import Figure, of
from bench.sale import SEED
from bench.senders import Sent, request, send
from bench.server import Server, hub_served, served
from hub import bootstrap, keys
from hub.demo import poslog_writer, shop, shop_writer
from hub.home import Home

__all__ = ["figures"]

_ROUNDS = 3
_REQUESTS = 3_000
_WARM_UP = 200
"""Sent before the clock starts: whoever was never called has code to load."""
_SENDERS = 50
_LINES_LEAST = 4
"""Orders of the invented shop that have fewer lines are much smaller than 4 kB."""
_SECRET = "an invented secret"  # noqa: S105
_SETTINGS = f"""
[sources.shop]
connector = "shopify"
secrets = ["{_SECRET}"]
"""
_US, _MS = 1_000_000, 1_000
_BARE = [sys.executable, "-m", "bench.bare"]


@dataclass(frozen=True, slots=True)
class _Run:
    """What came of one lot of requests, and the processor time that the server took for it."""

    sent: Sent
    processor: float

    @property
    def per_second(self) -> float:
        """Requests in a second of the clock."""
        return len(self.sent.seconds) / self.sent.wall

    def percentile(self, percent: int) -> float:
        """How long that part of the senders waited at most, in seconds."""
        return quantiles(self.sent.seconds, n=100)[percent - 1]


def figures() -> Iterator[Figure]:
    """Measure in fresh homes, webhooks and records and the bare server in turn."""
    webhooks = [_webhook(body) for body in _orders(_WARM_UP + _REQUESTS)]
    sales = [poslog_writer.sale(index, seed=SEED) for index in range(_WARM_UP + _REQUESTS)]
    works: dict[str, Callable[[], _Run]] = {
        "webhooks": lambda: _hub("shop", lambda key: webhooks),
        "sales": lambda: _hub("poslog", lambda key: [_record(body, key) for body in sales]),
        "bare": lambda: _bare(webhooks),
    }
    runs: dict[str, list[_Run]] = {name: [] for name in works}
    for _ in range(_ROUNDS):
        for name, work in works.items():
            runs[name].append(work())
    rates = {name: Sample(tuple(run.per_second for run in some)) for name, some in runs.items()}
    size = mean(len(body) for body in _orders(_REQUESTS)) / 1_000
    yield of(
        rates["webhooks"],
        id="http.webhooks_per_s",
        what=f"signed webhooks of {size:.1f} kB acknowledged, durable, {_SENDERS} senders at once",
        unit="1/s",
        side="least",
        n=_REQUESTS,
        seed=SEED,
        beside={
            "sales of 4 kB as records, with a key": rates["sales"].median,
            "a bare server that only appends": rates["bare"].median,
        },
    )
    yield of(
        ratio(rates["bare"], rates["webhooks"]),
        id="http.ratio_bare",
        what="acknowledged by a bare server that only appends, against webhooks by the hub",
        unit="ratio",
        n=_REQUESTS,
        seed=SEED,
    )
    yield _waits(runs)
    yield _processor(runs)


def _waits(runs: dict[str, list[_Run]]) -> Figure:
    def waited(name: str, percent: int) -> Sample:
        return Sample(tuple(run.percentile(percent) * _MS for run in runs[name]))

    return of(
        waited("webhooks", 95),
        id="http.ack_p95_ms",
        what=f"a webhook's wait for its acknowledgement, {_SENDERS} senders at once, 95 % of them",
        unit="ms",
        n=_REQUESTS,
        seed=SEED,
        beside={
            "50 %": waited("webhooks", 50).median,
            "99 %": waited("webhooks", 99).median,
            "sales, 95 %": waited("sales", 95).median,
            "a bare server, 95 %": waited("bare", 95).median,
        },
    )


def _processor(runs: dict[str, list[_Run]]) -> Figure:
    def each(name: str) -> Sample:
        return Sample(tuple(run.processor / _REQUESTS * _US for run in runs[name]))

    return of(
        each("webhooks"),
        id="http.webhook_us",
        what="processor time of the hub for a webhook, most of its translation included",
        unit="µs",
        n=_REQUESTS,
        seed=SEED,
        beside={
            "a sale as a record": each("sales").median,
            "a bare server": each("bare").median,
        },
    )


def _orders(n: int) -> Iterator[bytes]:
    placed = (o for o in shop.orders(4 * n, seed=SEED) if len(o.lines) >= _LINES_LEAST)
    return islice((shop_writer.order(order) for order in placed), n)


def _webhook(body: bytes) -> bytes:
    signature = b64encode(digest(_SECRET.encode(), body, "sha256")).decode()
    headers = {"Content-Type": "application/json", "X-Shopify-Hmac-Sha256": signature}
    return request("/webhooks/shop", headers, body)


def _record(body: bytes, key: str) -> bytes:
    headers = {"Content-Type": "application/xml", "Authorization": f"Bearer {key}"}
    return request("/sources/poslog/records", headers, body)


def _hub(source: str, requests: Callable[[str], list[bytes]]) -> _Run:
    """Send to a hub with a fresh home, then look whether everything acknowledged is there once."""
    with TemporaryDirectory(dir=disk()) as folder:
        home = Home(Path(folder) / "home")
        bootstrap.create(home)
        home.settings.write_text(home.settings.read_text("utf-8") + _SETTINGS, "utf-8")
        with bootstrap.open_hub(home) as hub, hub.engine.begin() as connection:
            _, key = keys.create(
                connection, "bench", "source", ["poslog"], actor="bench", now=hub.now()
            )
        lot = requests(key)
        with hub_served(home) as server:
            run = _run(server, lot)
        _check(home, source, lot)
    return run


def _bare(lot: list[bytes]) -> _Run:
    with TemporaryDirectory(dir=disk()) as folder:
        with served([*_BARE, f"{folder}/kept"], said=Path(folder, "said")) as server:
            run = _run(server, lot)
        kept = Path(folder, "kept").stat().st_size
    if kept != sum(map(len, map(_body, lot))):
        raise AssertionError("the bare server did not keep everything")
    return run


def _run(server: Server, lot: Sequence[bytes]) -> _Run:
    send(server.port, lot[:_WARM_UP], lines=_SENDERS).check()
    before = server.processor()
    sent = send(server.port, lot[_WARM_UP:], lines=_SENDERS)
    after = server.processor()
    sent.check()
    return _Run(sent, after - before)


def _check(home: Home, source: str, lot: Sequence[bytes]) -> None:
    """Raises unless each body that was sent is in the journal once, and neither held nor lost."""
    sent = {sha256(_body(request)).hexdigest(): 1 for request in lot}
    query = """
        SELECT record.sha256, message.state FROM record LEFT JOIN message ON record_id = record.id
        WHERE source = ?
    """
    database = sqlite3.connect(f"{home.database.as_uri()}?mode=ro", uri=True)
    try:
        rows = database.execute(query, (source,)).fetchall()
    finally:
        database.close()
    states = {state for _, state in rows}
    if Counter(digest for digest, _ in rows) != sent or states - {"applied", "pending"}:
        raise AssertionError(f"{len(sent)} were acknowledged, {len(rows)} are there as {states}")


def _body(request: bytes) -> bytes:
    return request.partition(b"\r\n\r\n")[2]

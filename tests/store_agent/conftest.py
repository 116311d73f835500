"""A hub that does nothing but take batches, with faults on demand; sales; a clock to set."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors import registry
from store_agent import home as agent_home
from store_agent.clock import Clock
from store_agent.folder import Folder
from store_agent.home import Home
from store_agent.settings import Capture, read
from store_agent.spool import Spool

KEY = "invented-key-of-a-store"
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n<POSLog>\n'
FOOT = b"</POSLog>\n"


def sale(number: int, *, text: str = "TEA") -> bytes:
    """One invented transaction."""
    return (
        f"<Transaction><RetailStoreID>0501</RetailStoreID><WorkstationID>3</WorkstationID>"
        f"<SequenceNumber>{number}</SequenceNumber><BusinessDayDate>2031-05-06</BusinessDayDate>"
        f"<RetailTransaction><LineItem><SequenceNumber>1</SequenceNumber><Sale>"
        f"<Description>{text}</Description></Sale></LineItem></RetailTransaction></Transaction>\n"
    ).encode()


def log(*numbers: int, text: str = "TEA") -> bytes:
    """A whole file of such transactions."""
    return HEAD + b"".join(sale(number, text=text) for number in numbers) + FOOT


@dataclass(frozen=True)
class Arrived:
    """A record as the hub keeps it."""

    name: str
    payload: bytes


@dataclass
class FakeHub:
    """Keeps what it acknowledges; ``fault`` may answer in its place, before or after."""

    url: str = ""
    stores: dict[tuple[str, str], list[Arrived]] = field(default_factory=dict)
    """By capture and epoch, in the order in which the epochs were first heard of."""
    fault: Callable[[str], str | None] = lambda _method: None
    refuse: Callable[[Arrived], bool] = lambda _record: False
    records_max: int = 100_000
    life: str = ""
    calls: list[tuple[str, int]] = field(default_factory=list)
    """Method and status of every answer, 0 for none."""
    hurry: threading.Event = field(default_factory=threading.Event)
    """Ends the waits of slow answers."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def arrived(self) -> list[Arrived]:
        """Everything, in the order of epochs and numbers."""
        with self.lock:
            return [record for records in self.stores.values() for record in records]

    def content(self) -> dict[str, bytes]:
        """What arrived of each file, put together."""
        found: dict[str, bytes] = {}
        for record in self.arrived():
            found[record.name] = found.get(record.name, b"") + record.payload
        return found

    def post(self, capture: str, body: bytes) -> tuple[int, dict[str, Any]]:
        head, records = _parsed(body)
        epoch = head["epoch"]
        if len(records) > self.records_max:
            return 413, _problem("LP-API-001")
        with self.lock:
            kept = self.stores.setdefault((capture, epoch), [])
            committed = len(kept)
            if not records or records[0][0]["seq"] > committed + 1:
                return 200, {"capture": capture, "epoch": epoch, "committed": committed}
            for told, payload in records:
                seq = told["seq"]
                if seq <= committed and kept[seq - 1].payload != payload:
                    return 409, _problem("LP-STORE-002")
            refused = []
            for told, payload in records:
                record = Arrived(told["name"], payload)
                if told["seq"] == len(kept) + 1:
                    kept.append(record)
                if self.refuse(record):
                    refused.append({"seq": told["seq"], "problem": _problem("LP-DOOR-003")})
            answer = {"capture": capture, "epoch": epoch, "committed": len(kept)}
            return 200, {**answer, "life": self.life, "refused": refused}

    def get(self, capture: str, epoch: str) -> tuple[int, dict[str, Any]]:
        with self.lock:
            committed = len(self.stores.get((capture, epoch), []))
        told = {"capture": capture, "epoch": epoch, "committed": committed}
        return 200, {**told, "life": self.life}


def _problem(code: str) -> dict[str, Any]:
    return {"code": code, "summary": "invented", "next_step": "None.", "title": "x", "status": 400}


def _parsed(body: bytes) -> tuple[dict[str, Any], list[tuple[dict[str, Any], bytes]]]:
    data = gzip.decompress(body)
    line, _, data = data.partition(b"\n")
    head = json.loads(line)
    assert {*head} - {"oldest_at"} == {"epoch", "records", "pending"}
    assert ("oldest_at" in head) == (head["pending"] > 0)
    records: list[tuple[dict[str, Any], bytes]] = []
    while data:
        line, _, data = data.partition(b"\n")
        told = json.loads(line)
        assert told.keys() == {"seq", "name", "length", "sha256", "captured_at"}
        payload, data = data[: told["length"]], data[told["length"] :]
        assert data[:1] == b"\n"
        data = data[1:]
        assert hashlib.sha256(payload).hexdigest() == told["sha256"]
        assert not records or told["seq"] == records[-1][0]["seq"] + 1
        records.append((told, payload))
    assert len(records) == head["records"]
    return head, records


def _capture(path: str) -> str:
    _, sources, source, captures, capture, *_ = urlsplit(path).path.split("/")
    assert (sources, source, captures) == ("sources", "poslog", "captures")
    return capture


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        capture = _capture(self.path)
        self._answer("POST", lambda: self.hub.post(capture, body))

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        epoch = parse_qs(asked.query)["epoch"][0]
        self._answer("GET", lambda: self.hub.get(_capture(self.path), epoch))

    def _answer(self, method: str, work: Callable[[], tuple[int, dict[str, Any]]]) -> None:
        fault = self.hub.fault(method)
        if fault == "cut":
            work()
            self.hub.calls.append((method, 0))
            self.close_connection = True
            return
        if fault == "slow":
            status_code, answer = work()
            self.hub.hurry.wait(60)
            self._send(method, status_code, json.dumps(answer).encode())
            return
        if fault == "away":
            self.hub.calls.append((method, 0))
            self.close_connection = True
            return
        if fault == "portal":
            self._send(method, 200, b"<html>Please sign in</html>")
            return
        if fault is not None:
            status, _, retry_after = fault.partition(" ")
            self._send(method, int(status), b"{}", retry_after)
            return
        if self.headers["authorization"] != f"Bearer {KEY}":
            self._send(method, 401, json.dumps(_problem("LP-KEY-001")).encode())
            return
        status_code, answer = work()
        self._send(method, status_code, json.dumps(answer).encode())

    def _send(self, method: str, status: int, body: bytes, retry_after: str = "") -> None:
        self.hub.calls.append((method, status))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of an agent that was killed or would not wait."""


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    """The hub, answering on an address of this machine."""
    fake = FakeHub()
    handler = type("Handler", (_Handler,), {"hub": fake})
    with _Server(("127.0.0.1", 0), handler) as server:
        fake.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield fake
        fake.hurry.set()
        server.shutdown()
        thread.join()


@dataclass
class FakeTime:
    """Time that passes when a test says so, or when somebody sleeps."""

    seconds: float = 0

    @property
    def clock(self) -> Clock:
        start = datetime(2031, 5, 6, 8, tzinfo=UTC)
        return Clock(lambda: start + timedelta(seconds=self.seconds), lambda: self.seconds)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """The folder that the till writes to."""
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path: Path, drop: Path, hub: FakeHub) -> Home:
    """A home with one capture."""
    home = Home(tmp_path / "home")
    agent_home.create(home)
    write_settings(home, drop, hub.url)
    return home


def write_settings(home: Home, drop: Path, url: str, *, more: str = "") -> None:
    (home.path / "key").write_text(f"{KEY}\n")
    home.settings.write_text(
        f'hub = "{url}"\nname = "store-0501"\nkey_file = "key"\nfree_mb_min = 0\n'
        f'[captures.log]\nsource = "poslog"\nconnector = "poslog"\nfolder = "{drop}"\n'
        f'pattern = "*.xml"\nquiet_seconds = 1\n{more}'
    )


class Watch:
    """A folder with its spool, and what is in the spool."""

    def __init__(self, home: Home, time: FakeTime, settings: Capture) -> None:
        self.home, self.time, self.settings = home, time, settings
        self.path = settings.folder
        self.start()

    def start(self) -> None:
        self.spool = Spool(self.home, ["log"])
        self.folder = Folder(
            "log",
            self.settings,
            spool=self.spool,
            connector=registry.load("poslog"),
            clock=self.time.clock,
        )

    def restart(self) -> None:
        self.spool.close()
        self.start()

    def scan(self, *, after: float = 0) -> list[tuple[str, bytes]]:
        self.time.sleep(after)
        self.folder.scan()
        return self.waiting()

    def waiting(self) -> list[tuple[str, bytes]]:
        found = self.spool.batch("log", records_max=10_000, bytes_max=1 << 40, now="2031").records
        return [(record.name, record.payload) for record in found]

    def ship(self) -> None:
        """The hub takes all there is."""
        batch = self.spool.batch("log", records_max=10_000, bytes_max=1 << 40, now="2031")
        if batch.records:
            self.spool.acknowledge("log", batch, batch.records[-1].seq, {}, now="2031")

    def problem(self, name: str) -> str | None:
        known = self.spool.file("log", self.folder._key(name))
        assert known
        return known.problem.code if known.problem else None


@pytest.fixture
def watch(home: Home, time: FakeTime) -> Iterator[Watch]:
    watch = Watch(home, time, read(home).captures["log"])
    yield watch
    watch.spool.close()


@pytest.fixture
def deleting(home: Home, time: FakeTime) -> Iterator[Watch]:
    settings = read(home).captures["log"].model_copy(update={"after": "delete"})
    watch = Watch(home, time, settings)
    yield watch
    watch.spool.close()

"""Two hubs that are up on one PostgreSQL tell one receiver: nothing doubled, each thing in order.

Both take records and both send. The receiver only adds, so each version but the first takes the one
before it back: whatever comes out of order is of something that it does not hold.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Engine, func, select

from hub import bootstrap, keys
from hub.delivery import sender
from hub.home import Home
from hub.store.database import open_database
from hub.store.tables import delivery
from tests import postgres
from tests.crash.sender import TIMEOUT_SECONDS
from tests.hub.delivery.conftest import SECRET, described, order
from tests.hub.delivery.receiver import Call, Ledger, Receiver, receiving

SENDER = Path(__file__).with_name("sender.py")
ORDERS, VERSIONS = 24, 3
PATIENCE_SECONDS = 180
BETWEEN_SECONDS = 0.01


@dataclass
class Listener:
    """Books what it is told, and answers once it did; sees whether two are told of one thing."""

    before_answer: Callable[[Call], None] = lambda call: None
    ledger: Ledger = field(default_factory=Ledger)
    wrong: list[str] = field(default_factory=list)
    _at: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, call: Call) -> int:
        fact = json.loads(call.body)["data"]["fact"]
        with self._lock:
            if fact in self._at:
                self.wrong.append(f"{fact} twice at a time")
            self._at.add(fact)
            try:
                self.ledger.book(call)
            except KeyError:
                self.wrong.append(f"{call.id} is of nothing that is there")
        time.sleep(BETWEEN_SECONDS)
        self.before_answer(call)
        with self._lock:
            self._at.discard(fact)
        return 204


@dataclass
class Two:
    """The hubs, by the path at which each calls the receiver."""

    processes: dict[str, subprocess.Popen[bytes]]
    logs: dict[str, Path]
    engine: Engine
    key: str

    def send(self, path: str, version: int) -> None:
        """Send this version of every order to a hub."""
        orders = [json.loads(order(index, version=version)) for index in range(ORDERS)]
        answer = httpx2.post(
            f"{self._address(path)}/sources/shopify/records",
            content=json.dumps({"orders": orders}).encode(),
            headers={"Authorization": f"Bearer {self.key}", "X-File-Name": "orders.json"},
            timeout=PATIENCE_SECONDS,
        )
        assert answer.is_success, answer.text

    def until_told(self, count: int) -> None:
        """Wait until so many deliveries were made, and no other is open."""
        until = time.monotonic() + PATIENCE_SECONDS
        while self._states() != {"delivered": count}:
            assert time.monotonic() < until, self._states()
            time.sleep(0.05)

    def _states(self) -> dict[str, int]:
        with self.engine.begin() as connection:
            rows = select(delivery.c.state, func.count()).group_by(delivery.c.state)
            return {row[0]: row[1] for row in connection.execute(rows)}

    def _address(self, path: str) -> str:
        until = time.monotonic() + PATIENCE_SECONDS
        while not (said := re.search(r"listening at (http://\S+)", self.logs[path].read_text())):
            assert time.monotonic() < until
            assert self.processes[path].poll() is None, self.logs[path].read_text()
            time.sleep(0.05)
        return said[1]


@contextmanager
def two(folder: Path, receiver: Receiver) -> Iterator[Two]:
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        url = stack.enter_context(postgres.database())
        patch.setenv("LYNCHPIN_DATABASE_URL", url.render_as_string(hide_password=False))
        homes = {path: Home(folder / path.removeprefix("/")) for path in ("/a", "/b")}
        for path, home in homes.items():
            bootstrap.create(home)
            to = f"http://127.0.0.1:{receiver.port}{path}"
            told = described(
                "crm",
                url=to,
                secrets=[SECRET],
                allow_private=True,
                personal=True,
                corrections="append",
                timeout_seconds=TIMEOUT_SECONDS,
            )
            home.settings.write_text(f"{home.settings.read_text()}\n{told}")
        with bootstrap.open_hub(homes["/a"]) as hub, hub.engine.begin() as connection:
            who = {"actor": "test", "now": hub.now()}
            _, key = keys.create(connection, "shop", "source", ["shopify"], **who)
        engine = open_database(url, access="read")
        stack.callback(engine.dispose)
        found = Two({}, {path: folder / f"{path[1:]}.log" for path in homes}, engine, key)
        for path, home in homes.items():
            found.processes[path] = _up(home, found.logs[path])
            stack.callback(found.processes[path].wait)
            stack.callback(found.processes[path].kill)
        yield found


def _up(home: Home, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, SENDER, "short", home.path / "mark", "up", "--port", "0"],
            env={**os.environ, "LYNCHPIN_HOME": str(home.path), "COLUMNS": "400"},
            stdout=file,
            stderr=file,
        )


def test_two_hubs_tell_each_thing_once_and_in_order_and_one_goes_on_alone(tmp_path: Path) -> None:
    listener = Listener()
    with receiving() as receiver, two(tmp_path, receiver) as hubs:
        receiver.reply = listener
        for version in range(VERSIONS):
            hubs.send(("/a", "/b")[version % 2], version)
        each = 2 * VERSIONS - 1
        hubs.until_told(ORDERS * each)
        assert {call.path for call in receiver.calls} == {"/a", "/b"}
        assert len(receiver.ids) == len(set(receiver.ids)) == ORDERS * each
        assert listener.ledger.notes == [f"version {VERSIONS - 1}"] * ORDERS

        died: list[Call] = []
        first = len(receiver.calls)

        def kill(call: Call) -> None:
            """The fifth that it tells now is the last: it never hears the answer."""
            mine = [each for each in receiver.calls[first:] if each.path == "/a"]
            if call.path == "/a" and len(mine) == 5:
                died.append(call)
                hubs.processes["/a"].kill()
                hubs.processes["/a"].wait()

        listener.before_answer = kill
        for version in range(VERSIONS, 2 * VERSIONS):
            hubs.send("/b", version)
        hubs.until_told(ORDERS * (each + 2 * VERSIONS))
        assert hubs.processes["/a"].returncode == -9
        with hubs.engine.begin() as connection:
            names = set(connection.scalars(select(delivery.c.key)))
    assert listener.wrong == []
    assert set(receiver.ids) == names
    assert listener.ledger.notes == [f"version {2 * VERSIONS - 1}"] * ORDERS
    again = {key: count for key, count in Counter(receiver.ids).items() if count > 1}
    assert died[0].id in again
    # No more than it had taken when it died, each of them once more, with the same bytes.
    assert len(again) <= sender._AT_ONCE
    assert set(again.values()) == {2}
    for key in again:
        one, other = (call for call in receiver.calls if call.id == key)
        assert (one.path, other.path) == ("/a", "/b")
        assert one.body == other.body

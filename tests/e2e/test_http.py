"""``lynchpin up`` as it is run: what it acknowledged is there once, whatever happens to it."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from hub.demo import poslog_writer

if TYPE_CHECKING:
    from tests.e2e.conftest import House

SENDERS = 200
ROUNDS = 4
MEGABYTE = 2**20


@dataclass(frozen=True)
class Up:
    """The program, answering."""

    process: subprocess.Popen[str]
    url: str

    def peak_bytes(self) -> int:
        """The most memory it has ever held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024


@contextmanager
def up(house: House) -> Iterator[Up]:
    """Run it on any port; killed at the end if it still runs."""
    process = subprocess.Popen(
        [Path(sys.executable).with_name("lynchpin"), "up", "--port", "0"],
        env={**os.environ, "LYNCHPIN_HOME": str(house.home), "COLUMNS": "400"},
        cwd=house.folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            address = re.search(r"http://\S+", line)
            assert address is not None, line
            yield Up(process, address[0])
        finally:
            process.kill()


def _key(house: House, role: str, *more: str) -> str:
    made = house.lynchpin("key", "create", role, "--role", role, *more, "--json")
    assert made.returncode == 0, made.stderr
    return str(json.loads(made.stdout)["key"])


@contextmanager
def calling(running: Up, key: str | None) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    limits = httpx2.Limits(max_connections=SENDERS)
    with httpx2.Client(
        base_url=running.url, headers=headers, timeout=60, limits=limits, trust_env=False
    ) as client:
        yield client


def _send(client: httpx2.Client, index: int) -> httpx2.Response:
    headers = {"X-Lynchpin-File": f"sale-{index}"}
    content = poslog_writer.sale(index, seed=3)
    return client.post("/sources/poslog/records", content=content, headers=headers)


def _as_files(fresh: Callable[[], House], indices: range) -> str:
    """What a house exports that received the same sales as files."""
    house = fresh()
    house.receive("poslog", *(house.file(poslog_writer.sale(index, seed=3)) for index in indices))
    return house.export()


def test_what_was_acknowledged_before_a_kill_is_there_once(
    house: House, fresh: Callable[[], House]
) -> None:
    key = _key(house, "source", "--source", "poslog")
    acknowledged: list[int] = []
    for number in range(ROUNDS):
        with up(house) as running, calling(running, key) as client, ThreadPoolExecutor(5) as pool:

            def send(index: int, running: Up = running, client: httpx2.Client = client) -> None:
                with suppress(httpx2.TransportError):
                    if _send(client, index).status_code == 202:
                        acknowledged.append(index)
                        if len(acknowledged) % 5 == 0:
                            # No time to settle anything, and others are on their way.
                            running.process.send_signal(signal.SIGKILL)

            list(pool.map(send, range(number * 20, number * 20 + 20)))
            assert running.process.wait() == -signal.SIGKILL
    assert len(acknowledged) >= 5 * ROUNDS
    journalled = {row["file"] for row in _messages(house)}
    assert {f"sale-{index}" for index in acknowledged} <= journalled
    with up(house) as running, calling(running, key) as client:
        assert [_send(client, i).status_code for i in range(20 * ROUNDS)] == [202] * 20 * ROUNDS
        running.process.terminate()
        assert running.process.wait() == 0
    assert house.receive("poslog").refused == 0
    assert house.export() == _as_files(fresh, range(20 * ROUNDS))


def _messages(house: House) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(
        house.lynchpin("message", "find", "--limit", "10000", "--json").stdout
    )
    return found


def test_two_hundred_at_once(house: House, fresh: Callable[[], House]) -> None:
    key = _key(house, "source", "--source", "poslog")
    with up(house) as running, calling(running, key) as client:
        with ThreadPoolExecutor(SENDERS) as pool:
            answers = list(pool.map(lambda index: _send(client, index), range(SENDERS)))
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["record"] for answer in answers}) == SENDERS
        running.process.terminate()
        assert running.process.wait() == 0
    house.receive("poslog")
    assert house.export() == _as_files(fresh, range(SENDERS))


def test_a_bomb_and_a_flood_stay_within_bounds(house: House) -> None:
    key = _key(house, "source", "--source", "poslog")
    bomb = gzip.compress(bytes(200_000_000))
    assert len(bomb) < 200_000
    with up(house) as running, calling(running, key) as client:
        assert _send(client, 0).status_code == 202
        idle = running.peak_bytes()
        packed = {"Content-Encoding": "gzip"}
        path = "/sources/poslog/records"
        with ThreadPoolExecutor(20) as pool:
            answers = pool.map(lambda _: client.post(path, content=bomb, headers=packed), range(20))
            assert {answer.status_code for answer in answers} == {413}

        def flood() -> Iterator[bytes]:
            for _ in range(100):
                yield bytes(MEGABYTE)

        # Whoever floods may be hung up on before it can hear why.
        with suppress(httpx2.TransportError):
            assert client.post(path, content=flood()).status_code == 413
        assert running.peak_bytes() - idle < 200 * MEGABYTE
        assert _send(client, 1).status_code == 202
    assert len(_messages(house)) == 2


def test_without_a_key_nothing_is_journalled(house: House) -> None:
    with up(house) as running, calling(running, None) as client:
        assert _send(client, 0).status_code == 401
        assert client.get("/health/ready").status_code == 200
        client.headers["Authorization"] = "Bearer lp_000000000000_x"
        assert _send(client, 0).status_code == 401
    assert house.rows()["record"] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "interrupt"])
def test_told_to_end_it_ends_well_and_lets_the_next_one_write(house: House, number: int) -> None:
    key = _key(house, "source", "--source", "poslog")
    with up(house) as running, calling(running, key) as client:
        assert _send(client, 0).status_code == 202
        running.process.send_signal(number)
        assert running.process.wait() == 0
        assert running.process.stderr is not None
        assert running.process.stderr.read() == ""
    report = house.receive("poslog")
    assert report.refused == 0
    assert len(_messages(house)) == 1


def test_an_address_that_is_taken_is_said(house: House) -> None:
    with up(house) as running:
        other = house.lynchpin("up", "--port", running.url.rpartition(":")[2])
    assert other.returncode == 2
    assert "LP-CFG-050" in other.stderr


def test_a_key_is_made_listed_and_ended(house: House) -> None:
    text = _key(house, "reader")
    (listed,) = json.loads(house.lynchpin("key", "list", "--json").stdout)
    assert (listed["name"], listed["role"], listed["revoked_at"]) == ("reader", "reader", None)
    with up(house) as running, calling(running, text) as client:
        assert client.get("/orders").json() == []
    assert house.lynchpin("key", "revoke", listed["id"]).returncode == 0
    assert house.lynchpin("key", "revoke", listed["id"]).returncode == 2
    with up(house) as running, calling(running, text) as client:
        assert client.get("/orders").status_code == 401
    wrong = house.lynchpin("key", "create", "till", "--role", "source", "--source", "nowhere")
    assert "LP-HUB-001" in wrong.stderr

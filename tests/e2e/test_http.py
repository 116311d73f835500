"""``lynchpin up`` as it is run: what it acknowledged is there once, whatever happens to it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx2
import pytest

from hub.demo import poslog_writer

if TYPE_CHECKING:
    from tests.e2e.conftest import House, Up

ROUNDS = 10


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
    key = house.key("source", "--source", "poslog")
    acknowledged: list[int] = []
    for number in range(ROUNDS):
        with house.up() as running, running.calling(key) as client, ThreadPoolExecutor(5) as pool:

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
    with house.up() as running, running.calling(key) as client:
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


def test_without_a_key_nothing_is_journalled(house: House) -> None:
    with house.up() as running, running.calling(None) as client:
        assert _send(client, 0).status_code == 401
        assert client.get("/health/ready").status_code == 200
        client.headers["Authorization"] = "Bearer lp_000000000000_x"
        assert _send(client, 0).status_code == 401
    assert house.rows()["record"] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "interrupt"])
def test_told_to_end_it_ends_well_and_lets_the_next_one_write(house: House, number: int) -> None:
    key = house.key("source", "--source", "poslog")
    with house.up() as running, running.calling(key) as client:
        assert _send(client, 0).status_code == 202
        running.process.send_signal(number)
        assert running.process.wait() == 0
        assert [line["route"] for line in running.lines()] == ["/sources/{source}/records"]
    report = house.receive("poslog")
    assert report.refused == 0
    assert len(_messages(house)) == 1


def test_an_address_that_is_taken_is_said(house: House) -> None:
    with house.up() as running:
        other = house.lynchpin("up", "--port", running.url.rpartition(":")[2])
    assert other.returncode == 2
    assert "LP-CFG-050" in other.stderr


def test_a_key_is_made_listed_and_ended(house: House) -> None:
    text = house.key("reader")
    (listed,) = json.loads(house.lynchpin("key", "list", "--json").stdout)
    assert (listed["name"], listed["role"], listed["revoked_at"]) == ("reader", "reader", None)
    with house.up() as running, running.calling(text) as client:
        assert client.get("/orders").json() == {"items": [], "next": None}
    assert house.lynchpin("key", "revoke", listed["id"]).returncode == 0
    assert house.lynchpin("key", "revoke", listed["id"]).returncode == 2
    with house.up() as running, running.calling(text) as client:
        assert client.get("/orders").status_code == 401
    wrong = house.lynchpin("key", "create", "till", "--role", "source", "--source", "nowhere")
    assert "LP-HUB-001" in wrong.stderr

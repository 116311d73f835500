"""``lynchpin up`` under senders that mean no good, or are many: bounded, and nothing half kept."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hmac
import json
import resource
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING

import httpx2
import pytest

from hub.demo import poslog_writer, shop, shop_writer

if TYPE_CHECKING:
    from tests.e2e.conftest import House, Up

MEGABYTE = 2**20
MOST = 200 * MEGABYTE
# What listens, and the two that the event loop wakes itself with; they come a moment after it has
# said where it listens.
OWN_SOCKETS = 3
PATH = "/sources/poslog/records"
SALE = poslog_writer.sale(seed=3)
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(autouse=True)
def _many_files() -> Iterator[None]:
    """Senders by the thousand need files by the thousand."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _head(key: str, length: int | str, *more: str) -> bytes:
    lines = [
        f"POST {PATH} HTTP/1.1",
        "Host: hub",
        f"Authorization: Bearer {key}",
        f"Content-Length: {length}",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def _send(client: httpx2.Client, index: int) -> httpx2.Response:
    headers = {"X-Lynchpin-File": f"sale-{index}"}
    content = poslog_writer.sale(index, seed=3)
    return client.post(PATH, content=content, headers=headers)


def _journalled(house: House) -> list[str]:
    """The names of the files in the journal."""
    listed = house.lynchpin("message", "find", "--limit", "10000", "--json")
    found = json.loads(listed.stdout)
    rows = found["items"] if isinstance(found, dict) else found
    return sorted(row["file"] for row in rows)


def _until(true: Callable[[], bool]) -> None:
    """Wait for it. Three minutes are no measure: they end a test of what never comes."""
    end = time.monotonic() + 180
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_slow_and_silent_senders_are_hung_up_on_and_the_good_are_answered(house: House) -> None:
    """500 send a byte of their head at a time, 200 nothing at all, 100 go on after an answer."""
    key = house.key("source", "--source", "poslog")
    with house.up(LYNCHPIN_LIMITS__HEAD_SECONDS="2", LYNCHPIN_LIMITS__IDLE_SECONDS="2") as running:
        with running.calling(key) as client:
            assert _send(client, 0).status_code == 202
        _until(lambda: running.sockets() <= OWN_SOCKETS)
        idle = running.peak_bytes()

        async def drip(line: Line, content: bytes) -> bytes:
            reader, writer = line
            answer = asyncio.create_task(reader.read())
            for byte in content:
                if answer.done():
                    break
                writer.write(bytes([byte]))
                await asyncio.sleep(0.1)
            # Whoever is hung up on while it sends may find the line reset.
            with suppress(ConnectionError):
                return await answer
            return b""

        async def attack() -> list[bytes]:
            head = _head(key, 10, *("X-Slow: " + "x" * 900,))
            again = b"GET /health/live HTTP/1.1\r\nHost: hub\r\n\r\n" + b"GET /" + b"x" * 900
            sent = [head] * 500 + [b""] * 200 + [again] * 100
            lines = [await asyncio.open_connection("127.0.0.1", running.port) for _ in sent]
            drips = [
                asyncio.create_task(drip(line, content))
                for line, content in zip(lines, sent, strict=True)
            ]
            good = await asyncio.to_thread(_good, running, key)
            async with asyncio.timeout(120):
                answers = await asyncio.gather(*drips)
            for _, writer in lines:
                writer.close()
            assert good == [202] * 20
            return answers

        answers = asyncio.run(attack())
        slow, silent = answers[:500], answers[500:700]
        assert all(not answer or b"408 Request Timeout" in answer for answer in slow)
        assert any(b"LP-API-021" in answer for answer in slow)
        assert silent == [b""] * 200
        _until(lambda: running.sockets() <= OWN_SOCKETS)
        assert running.peak_bytes() - idle < MOST
        statuses = {line["status"] for line in running.lines()}
        assert statuses <= {200, 202, 408}
    assert len(_journalled(house)) == 21


def _good(running: Up, key: str) -> list[int]:
    with running.calling(key) as client:
        return [_send(client, 1 + index).status_code for index in range(20)]


def test_who_does_not_read_what_it_asked_for_is_hung_up_on(house: House) -> None:
    with house.up(LYNCHPIN_LIMITS__STALL_SECONDS="1") as running:
        idle = running.peak_bytes()
        ask = b"GET /openapi.json HTTP/1.1\r\nHost: hub\r\n\r\n" * 500
        with ExitStack() as lines:
            for _ in range(20):
                line = lines.enter_context(closing(socket.socket()))
                line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                line.connect(("127.0.0.1", running.port))
                line.sendall(ask)
            with running.calling(None) as client:
                _until(lambda: _metric(client, "LYNCHPIN_NO_KEY") == 401)
                assert client.get("/health/live").status_code == 200
            _until(lambda: running.sockets() <= OWN_SOCKETS)
            assert running.peak_bytes() - idle < MOST


def _metric(client: httpx2.Client, key: str) -> int:
    return client.get("/metrics", headers={"Authorization": f"Bearer {key}"}).status_code


def _cut(running: Up, content: bytes, *, reset: bool) -> None:
    """Send this and go, politely or not."""
    with closing(socket.create_connection(("127.0.0.1", running.port))) as line:
        line.sendall(content)
        if reset:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            line.shutdown(socket.SHUT_WR)
            assert b" 202 " not in line.recv(65536)


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
def test_a_body_that_is_cut_leaves_one_line_and_nothing_else(house: House, *, reset: bool) -> None:
    key = house.key("source", "--source", "poslog")
    chunked = _head(key, 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    packed = gzip.compress(SALE)
    cut = [
        _head(key, len(SALE)) + SALE[: len(SALE) // 2],
        _head(key, len(SALE)),
        _head(key, len(SALE), "Expect: 100-continue"),
        _head(key, len(packed), "Content-Encoding: gzip") + packed[:-9],
        chunked + b"%x\r\n" % len(SALE) + SALE,
        chunked + b"%x\r\n" % len(SALE) + SALE + b"\r\n",
    ]
    with house.up() as running:
        for content in cut:
            _cut(running, content, reset=reset)
        _until(lambda: len(running.lines()) >= len(cut))
        assert {line["status"] for line in running.lines()} == {400}
        assert {line["event"] for line in running.lines()} == {"call"}
        assert len(running.lines()) == len(cut)
    assert house.rows()["record"] == 0


@pytest.mark.parametrize(
    "garbage",
    [
        b"zzz\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloworld\r\n",
        b"f" * 21 + b"\r\nx",
        b"5;" + b"x" * 70_000,
    ],
    ids=["no number", "negative", "longer than said", "endless", "extension"],
)
def test_chunks_that_are_none_are_refused(house: House, garbage: bytes) -> None:
    key = house.key("source", "--source", "poslog")
    head = _head(key, 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    with house.up() as running:
        answer = _raw(running, head + garbage)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"application/problem+json" in answer
        assert b"LP-API-022" in answer
        _until(lambda: len(running.lines()) >= 1)
        (line,) = running.lines()
        assert (line["event"], line["status"]) == ("call", 400)
    assert house.rows()["record"] == 0


def test_who_is_turned_away_twice_is_answered_once(house: House) -> None:
    """The line is garbled and the key is none: the application's answer comes too late."""
    head = _head("none", 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    with house.up() as running:
        answer = _raw(running, head + b"zzz\r\n")
        assert answer.count(b"HTTP/1.1 ") == 1
        assert b"LP-API-022" in answer
        _until(lambda: len(running.lines()) >= 1)
        (line,) = running.lines()
        assert (line["event"], line["status"]) == ("call", 401)


@pytest.mark.parametrize(
    "head",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /\xff HTTP/1.1\r\nHost: hub\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: hub\r\nHost: other\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"GET / HTTP/1.1\r\nHost: hub\r\nX: " + b"x" * 100_000,
        # Still sending when the answer comes, which it would miss if the line were closed at once.
        b"x" * 20_000_000,
    ],
    ids=[
        "tls", "target", "no host", "two hosts", "negative", "two lengths",
        "long field", "no line",
    ],
)  # fmt: skip
def test_what_is_no_http_is_answered_with_a_problem(house: House, head: bytes) -> None:
    with house.up() as running:
        answer = _raw(running, head)
        assert answer.startswith(b"HTTP/1.1 400 "), answer
        assert b"LP-API-022" in answer
        _until(lambda: len(running.lines()) >= 1)
        (line,) = running.lines()
        assert (line["event"], line["status"]) == ("turned away", 400)
        with running.calling(None) as client:
            assert client.get("/health/ready").status_code == 200


def _raw(running: Up, content: bytes) -> bytes:
    """The whole answer to these bytes."""
    with closing(socket.create_connection(("127.0.0.1", running.port), timeout=60)) as line:
        line.sendall(content)
        answer = b""
        while piece := line.recv(65536):
            answer += piece
        return answer


def test_more_connections_than_there_is_room_for_are_told_to_come_again(house: House) -> None:
    with house.up(LYNCHPIN_LIMITS__CONNECTIONS="20") as running:
        held = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(20)]
        _until(lambda: running.sockets() >= 20)
        answer = _raw(running, b"GET /health/live HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: " in answer.lower()
        assert b"LP-API-023" in answer
        for line in held:
            line.close()
        _until(lambda: running.sockets() < 20)
        with running.calling(None) as client:
            assert client.get("/health/live").status_code == 200


def test_as_many_files_as_the_system_lets_it(house: House) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        with house.up() as running:
            limits = resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert limits == (hard, hard)


def test_a_thousand_at_once(house: House, fresh: Callable[[], House]) -> None:
    """Each on a line of its own, all open before the first byte: all answered, all there once."""
    key = house.key("source", "--source", "poslog")
    sales = [poslog_writer.sale(index, seed=3) for index in range(1000)]

    async def send(line: Line, index: int) -> bytes:
        reader, writer = line
        named = (f"X-Lynchpin-File: sale-{index:04}", "Connection: close")
        writer.write(_head(key, len(sales[index]), *named) + sales[index])
        answer = await reader.read()
        writer.close()
        return answer

    async def all_at_once(running: Up) -> list[bytes]:
        lines = [await asyncio.open_connection("127.0.0.1", running.port) for _ in sales]
        sends: list[Awaitable[bytes]] = [send(line, index) for index, line in enumerate(lines)]
        return await asyncio.gather(*sends)

    with house.up() as running:
        with running.calling(key) as client:
            assert client.get("/health/ready").status_code == 200
        idle = running.peak_bytes()
        answers = asyncio.run(all_at_once(running))
        assert [answer for answer in answers if not answer.startswith(b"HTTP/1.1 202 ")] == []
        assert running.peak_bytes() - idle < MOST
        running.process.terminate()
        assert running.process.wait() == 0
    house.receive("poslog")
    assert _journalled(house) == [f"sale-{index:04}" for index in range(1000)]
    other = fresh()
    other.receive("poslog", *(other.file(sale) for sale in sales))
    assert house.export() == other.export()


def test_a_thousand_webhooks_at_once(house: House) -> None:
    """Signed ones, on lines that are all open before the first byte; each an order of its own."""
    sample = shop_writer.order(next(iter(shop.orders(1, seed=3))))
    known = json.loads(sample)
    bodies = [
        json.dumps({**known, "id": 7000 + i, "admin_graphql_api_id": None}).encode()
        for i in range(1000)
    ]

    async def send(line: Line, body: bytes) -> bytes:
        reader, writer = line
        mac = base64.b64encode(hmac.digest(b"invented", body, "sha256")).decode()
        head = (
            "POST /webhooks/shopify HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n"
            f"X-Shopify-Hmac-Sha256: {mac}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = await reader.read()
        writer.close()
        return answer

    async def all_at_once(running: Up) -> list[bytes]:
        lines = [await asyncio.open_connection("127.0.0.1", running.port) for _ in bodies]
        return await asyncio.gather(*map(send, lines, bodies))

    with house.up(LYNCHPIN_SOURCES__SHOPIFY__SECRETS='["invented"]') as running:
        with running.calling(None) as client:
            assert client.get("/health/ready").status_code == 200
        idle = running.peak_bytes()
        answers = asyncio.run(all_at_once(running))
        assert [answer for answer in answers if not answer.startswith(b"HTTP/1.1 200 ")] == []
        assert running.peak_bytes() - idle < MOST
        running.process.terminate()
        assert running.process.wait() == 0
    house.receive("shopify")
    assert house.rows()["record"] == 1000
    found = {json.loads(line)["fact"] for line in house.export("Order").splitlines()}
    assert found == {f"shopify:order/{7000 + i}" for i in range(1000)}


def test_a_bomb_and_a_flood_stay_within_bounds(house: House) -> None:
    key = house.key("source", "--source", "poslog")
    bomb = gzip.compress(bytes(200_000_000))
    assert len(bomb) < 200_000
    with house.up() as running, running.calling(key) as client:
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
        assert running.peak_bytes() - idle < MOST
        assert _send(client, 1).status_code == 202
    assert len(_journalled(house)) == 2

"""Senders: a process of its own that sends requests over many lines at once, as fast as answered.

A client library would take more processor time than the hub does, and so be what is measured. Here
every request is written down before the clock starts, and of an answer only its status and its
length are read.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

__all__ = ["Sent", "request", "send"]


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of all requests: how long the lot took, and each of them until its answer."""

    wall: float
    seconds: list[float]
    statuses: dict[str, int]

    def check(self) -> None:
        """Raises ``AssertionError`` unless everything was answered with success."""
        if any(not status.startswith("2") for status in self.statuses):
            raise AssertionError(f"not everything was done: {self.statuses}")


def request(path: str, headers: dict[str, str], body: bytes | None = None) -> bytes:
    """A request as it goes over the line: a POST where there is a body, else a GET."""
    lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def send(port: int, requests: Sequence[bytes], *, lines: int) -> Sent:
    """Send requests to this machine, each over whichever line is answered first, and time it.

    Raises ``subprocess.CalledProcessError`` if a line is closed before its answer.
    """
    texts = [b64encode(request).decode() for request in requests]
    made = subprocess.run(
        [sys.executable, "-m", "bench.senders"],
        input=json.dumps({"port": port, "lines": lines, "requests": texts}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Sent(**json.loads(made.stdout))


@dataclass(slots=True)
class _Line(asyncio.Protocol):
    """One line that is kept open: the next request goes out once the last one is answered."""

    requests: Iterator[bytes]
    sent: Sent
    done: asyncio.Future[None]
    _transport: asyncio.WriteTransport | None = None
    _since: float = 0.0
    _answer: bytearray = field(default_factory=bytearray)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def next(self) -> None:
        """Send the next request; the line ends where there is none."""
        assert self._transport is not None
        request = next(self.requests, None)
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._since = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        end = self._answer.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        length = self._answer.lower().index(b"content-length:") + len(b"content-length:")
        if len(self._answer) < end + int(self._answer[length : self._answer.index(b"\r", length)]):
            return
        self.sent.seconds.append(time.perf_counter() - self._since)
        status = self._answer[9:12].decode()
        self.sent.statuses[status] = self.sent.statuses.get(status, 0) + 1
        self._answer.clear()
        self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError())


async def _send(port: int, requests: list[bytes], lines: int) -> dict[str, object]:
    loop, waiting = asyncio.get_running_loop(), iter(requests)
    sent = Sent(0.0, [], {})
    made = [_Line(waiting, sent, loop.create_future()) for _ in range(lines)]
    for line in made:
        await loop.create_connection(lambda line=line: line, "127.0.0.1", port)  # type: ignore[misc]
    start = time.perf_counter()
    for line in made:
        line.next()
    await asyncio.gather(*(line.done for line in made))
    wall = time.perf_counter() - start
    return {"wall": wall, "seconds": sent.seconds, "statuses": sent.statuses}


def _main() -> None:
    order = json.load(sys.stdin)
    requests = [b64decode(text) for text in order["requests"]]
    json.dump(asyncio.run(_send(order["port"], requests, order["lines"])), sys.stdout)


if __name__ == "__main__":
    _main()

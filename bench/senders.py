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


@dataclass(slots=True)
class Sent:
    """What came of all requests: how long the lot took, and each of them until its answer.

    ``began`` is when the first one went out, by the machine's monotonic clock.
    """

    wall: float
    seconds: list[float]
    statuses: dict[str, int]
    began: float = 0.0

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


def send(
    port: int, requests: Sequence[bytes], *, lines: int, a_second: float | None = None
) -> Sent:
    """Send requests to this machine, each over whichever line is answered first, and time it.

    With ``a_second`` so many of them are due in a second, and a request that has to wait for its
    turn waits from the moment on at which it was due.

    Raises ``subprocess.CalledProcessError`` if a line is closed before its answer.
    """
    texts = [b64encode(request).decode() for request in requests]
    made = subprocess.run(
        [sys.executable, "-m", "bench.senders"],
        input=json.dumps({"port": port, "lines": lines, "requests": texts, "a_second": a_second}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Sent(**json.loads(made.stdout))


@dataclass(slots=True)
class _Line(asyncio.Protocol):
    """One line that is kept open: the next request goes out once the last one is answered."""

    requests: Iterator[tuple[float, bytes]]
    sent: Sent
    done: asyncio.Future[None]
    _transport: asyncio.WriteTransport | None = None
    _since: float = 0.0
    _answer: bytearray = field(default_factory=bytearray)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def next(self) -> None:
        """Send the next request once it is due; the line ends where there is none."""
        assert self._transport is not None
        due, request = next(self.requests, (0.0, None))
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        now = time.monotonic()
        # Without a time of its own it is due now.
        self._since = self.sent.began + due if due else now
        if self._since > now:
            asyncio.get_running_loop().call_later(self._since - now, self._transport.write, request)
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        end = self._answer.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        length = self._answer.lower().index(b"content-length:") + len(b"content-length:")
        if len(self._answer) < end + int(self._answer[length : self._answer.index(b"\r", length)]):
            return
        self.sent.seconds.append(time.monotonic() - self._since)
        status = self._answer[9:12].decode()
        self.sent.statuses[status] = self.sent.statuses.get(status, 0) + 1
        self._answer.clear()
        self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError())


async def _send(
    port: int, requests: list[bytes], lines: int, a_second: float | None
) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    dues = (number / a_second if a_second else 0.0 for number in range(1, len(requests) + 1))
    waiting = zip(dues, requests, strict=True)
    sent = Sent(0.0, [], {})
    made = [_Line(waiting, sent, loop.create_future()) for _ in range(lines)]
    for line in made:
        await loop.create_connection(lambda line=line: line, "127.0.0.1", port)  # type: ignore[misc]
    sent.began = time.monotonic()
    for line in made:
        line.next()
    await asyncio.gather(*(line.done for line in made))
    wall = time.monotonic() - sent.began
    return {"wall": wall, "seconds": sent.seconds, "statuses": sent.statuses, "began": sent.began}


def _main() -> None:
    order = json.load(sys.stdin)
    requests = [b64decode(text) for text in order["requests"]]
    json.dump(
        asyncio.run(_send(order["port"], requests, order["lines"], order["a_second"])), sys.stdout
    )


if __name__ == "__main__":
    _main()

"""The least that a server must do to acknowledge a request: read it, keep it, answer.

All that waits is appended to one file and forced to the disk at once, as the hub's writer does.
It checks nothing, understands nothing and forgets what was sent twice, so it is no hub: it is the
ceiling that this machine sets to any server that is written in Python with nothing but asyncio.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

__all__: list[str] = []

_BODY = b'{"record":41,"messages":1,"held":0}'
_ANSWER = b"HTTP/1.1 202 Accepted\r\ncontent-length: %d\r\n\r\n%b" % (len(_BODY), _BODY)


class _Kept:
    """A file to which requests are appended, many with one wait for the disk."""

    def __init__(self, file: Path) -> None:
        self._descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._waiting: list[tuple[bytes, asyncio.WriteTransport]] = []
        self._some = asyncio.Event()

    def add(self, body: bytes, asker: asyncio.WriteTransport) -> None:
        self._waiting.append((body, asker))
        self._some.set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while await self._some.wait():
            self._some.clear()
            taken, self._waiting = self._waiting, []
            await loop.run_in_executor(None, self._keep, b"".join(body for body, _ in taken))
            for _, asker in taken:
                asker.write(_ANSWER)

    def _keep(self, content: bytes) -> None:
        os.write(self._descriptor, content)
        os.fsync(self._descriptor)


class _Line(asyncio.Protocol):
    def __init__(self, kept: _Kept) -> None:
        self._kept = kept
        self._request = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._request += data
        end = self._request.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        length = self._request.lower().index(b"content-length:") + len(b"content-length:")
        body = int(self._request[length : self._request.index(b"\r", length)])
        if len(self._request) >= end + body:
            self._kept.add(bytes(self._request[end : end + body]), self._transport)
            self._request.clear()


async def _serve(file: Path) -> None:
    kept = _Kept(file)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Line(kept), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(f"listening at http://127.0.0.1:{port}", file=sys.stderr, flush=True)
    await kept.run()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))

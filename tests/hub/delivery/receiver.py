"""A receiver of webhooks: a real server that keeps what it was sent and answers as it is told."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Call:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Reply = Callable[[Call], "int | tuple[int, dict[str, str]]"]


@dataclass
class Receiver:
    port: int = 0
    calls: list[Call] = field(default_factory=list)
    reply: Reply = lambda call: 204
    body: bytes = b""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in"

    @property
    def ids(self) -> list[str]:
        return [call.id for call in self.calls]


@dataclass
class Ledger:
    """A receiver that only adds: it remembers the ids it has seen, and what they said."""

    held: dict[str, Any] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def book(self, call: Call) -> None:
        if call.id in self.seen:
            return
        self.seen.append(call.id)
        data = json.loads(call.body)["data"]
        if "reverses" in data:
            # Fails where nothing goes by this id, or goes by it any more.
            del self.held[data["reverses"]]
        else:
            self.held[call.id] = data

    @property
    def notes(self) -> list[str]:
        return sorted(data["document"]["note"] for data in self.held.values())


@contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver on a port of its own, until the block ends."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(length)
            if len(body) < length:
                # Whoever posted was killed in the middle of it.
                self.close_connection = True
                return
            call = Call(self.path, headers, body)
            receiver.calls.append(call)
            said = receiver.reply(call)
            status, more = said if isinstance(said, tuple) else (said, {})
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            self.wfile.write(receiver.body)

        def log_message(self, *said: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *said: object) -> None:
            """Whoever posted has gone away."""

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

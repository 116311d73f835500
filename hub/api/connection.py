"""Connections: how long a caller may take, and how many there may be.

uvicorn waits for ever for the head of a request, and for whoever does not read its answer. So one
who opens connections and keeps silent could take all that the hub has.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any, cast

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from hub.api.errors import answer
from hub.api.served import Served
from hub.api.traffic import Traffic, new_correlation
from hub.settings import Limits
from schemas.problem import Cause

__all__ = ["Connection", "raise_file_limit", "server"]

HEAD_SLOW = Cause(
    "LP-API-021",
    "The head of the call did not come in time.",
    "Send it again over a better line.",
)
NO_HTTP = Cause(
    "LP-API-022",
    "What came is no HTTP/1.1.",
    "Mend the program that sends it; a proxy in between may be what garbles it.",
)
CROWDED = Cause(
    "LP-API-023",
    "The hub has as many connections as it can hold.",
    "Send it again in a moment, over one connection that is kept open.",
)

_FILES_OF_OTHERS = 256
"""Files that are open besides connections: the database by each of its readers, the log."""
_LINGER_SECONDS = 1.0
_LINGERING_MAX = 100
_DRAIN_SECONDS = 30

_log = logging.getLogger("lynchpin.connection")


def server(app: FastAPI) -> uvicorn.Server:
    """The server of an application, with its limits; it listens nowhere yet."""
    served = app.state.served
    assert isinstance(served, Served)
    limits = served.hub.settings.limits
    protocol = partial(Connection, limits=limits, room=_room(limits), traffic=served.traffic)
    config = uvicorn.Config(
        app,
        http=cast("type[asyncio.Protocol]", protocol),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=limits.idle_seconds,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    return uvicorn.Server(config)


def raise_file_limit() -> None:
    """Let this process open as many files as its system lets it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems name no bound here and have one all the same; the old one then holds.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _room(limits: Limits) -> int:
    """How many connections there may be, by the settings and by the files that may be open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return limits.connections
    return max(1, min(limits.connections, files - _FILES_OF_OTHERS - _LINGERING_MAX))


class Connection(H11Protocol):
    """One connection. Whoever does not bring a call to its end in time is hung up on.

    ``head_seconds`` run from the first moment of the connection, and from the first byte after an
    answer, until a head is whole; ``idle_seconds`` from an answer to that byte;
    ``stall_seconds`` for taking an answer that has been written. A body has its clock in
    ``hub.api.body``.
    """

    def __init__(self, *, limits: Limits, room: int, traffic: Traffic, **of_uvicorn: Any) -> None:
        super().__init__(**of_uvicorn)
        self._limits = limits
        self._room = room
        self._traffic = traffic
        self._head = _Clock(self.loop)
        self._reader = _Clock(self.loop)
        self._unread = 0
        self._heard = False
        self._turned_away = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let it in if there is room."""
        super().connection_made(transport)
        # uvicorn writes head and body apart, and asyncio lets the second one wait for the caller
        # to confirm the first, which it puts off for 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        count = len(self.connections)
        self._traffic.connections.set(count)
        if count > self._room + _LINGERING_MAX:
            self._hang_up()
        elif count > self._room:
            self._turn_away(CROWDED, 503)
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it, clocks and all."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._head.stop()
        self._reader.stop()
        self._traffic.connections.set(len(self.connections))

    def data_received(self, data: bytes) -> None:
        """Take more of a call; what comes after it was turned away is thrown away."""
        if self._turned_away:
            return
        self._heard = True
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next call, or for the last of this answer to be taken."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._await_reader()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection over which nothing more is asked."""
        super().timeout_keep_alive_handler()
        self._await_reader()

    def pause_writing(self) -> None:
        """Start the clock of a caller that takes no more of its answer."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        """Stop that clock."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._reader.stop()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, as a problem like any other."""
        self._turn_away(NO_HTTP, 400)

    def shutdown(self) -> None:
        """End it well while the hub shuts down."""
        if self._turned_away:
            self.transport.abort()
        else:
            super().shutdown()

    @property
    def _asked(self) -> bool:
        """Whether there is a call that has not been answered whole."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _watch(self) -> None:
        """Run the clock of the head while one is due, and only then."""
        if self._asked or self.transport.is_closing():
            self._head.stop()
        elif not self._head.running:
            self._head.start(self._limits.head_seconds, self._head_overdue)

    def _head_overdue(self) -> None:
        if self._heard:
            self._turn_away(HEAD_SLOW, 408)
        else:
            # Browsers open connections in advance and expect no answer to nothing.
            self._hang_up()

    def _turn_away(self, cause: Cause, status: int) -> None:
        """Answer in place of the application, and hang up once that has been read."""
        if self._turned_away or self.transport.is_closing():
            return
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            # An answer is on its way already.
            self._hang_up()
            return
        self._turned_away = True
        self._head.stop()
        self._unset_keepalive_if_required()
        correlation = new_correlation()
        self._answer(cause, status, correlation)
        self._traffic.turned_away.labels(str(status)).inc()
        if self._asked:
            # The application hears that the caller is gone, and its line in the log is the one.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        else:
            said = {"code": cause.code, "status": status, "correlation": correlation}
            _log.info("turned away", extra=said)

    def _answer(self, cause: Cause, status: int, correlation: str) -> None:
        said = answer(cause.at(), status, {"Connection": "close"}, correlation=correlation)
        headers = [*self.server_state.default_headers, *said.raw_headers]
        reason = HTTPStatus(status).phrase.encode()
        start = h11.Response(status_code=status, headers=headers, reason=reason)
        nothing = self._asked and self.scope["method"] == "HEAD"
        content = h11.Data(data=b"" if nothing else bytes(said.body))
        for event in (start, content, h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        # Closing at once, with more unread, would reset the line and the answer with it.
        self.flow.resume_reading()
        self.transport.write_eof()
        self._reader.start(_LINGER_SECONDS, self.transport.abort)

    def _hang_up(self) -> None:
        self._traffic.turned_away.labels("0").inc()
        self.transport.abort()

    def _await_reader(self) -> None:
        self._unread = self.transport.get_write_buffer_size()
        self._reader.start(self._limits.stall_seconds, self._reader_overdue)

    def _reader_overdue(self) -> None:
        """However slow: while it takes some, it may go on."""
        if self.transport.get_write_buffer_size() < self._unread:
            self._await_reader()
        else:
            self._hang_up()


class _Clock:
    """Calls back once, unless it is stopped before; to start it again is to begin anew."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None

    @property
    def running(self) -> bool:
        return self._handle is not None

    def start(self, seconds: float, then: Callable[[], None]) -> None:
        self.stop()
        self._handle = self._loop.call_later(seconds, then)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

"""One attempt: a body is posted, and what comes of it is a status or a failure in our own words.

No proxy of the environment is asked and no redirect followed: either would lead somewhere that
nobody has looked at. What the receiver answers beside its status is read, so that it is let finish,
and thrown away: it could say anything.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from hub.delivery.address import Forbidden, Resolve, resolved, vetted
from hub.settings import Destination

__all__ = ["FORBIDDEN", "Answer", "post"]

_ANSWER_BYTES = 64 * 1024

FORBIDDEN = "its address is in a network that the hub does not send to"


@dataclass(frozen=True, slots=True)
class Answer:
    """The status that was answered, or why there was none."""

    status: int | None = None
    retry_after: str | None = None
    failure: str | None = None


def post(
    to: Destination, headers: Mapping[str, str], body: bytes, resolve: Resolve = resolved
) -> Answer:
    """Post a body to a destination. It is over within the seconds that the destination has, beside
    what looking its name up takes.
    """
    parts = urlsplit(to.url)
    secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    try:
        places = vetted(host, port, private=to.allow_private, resolve=resolve)
        until = time.monotonic() + to.timeout_seconds
        with closing(_connected(places, port, until)) as plain:
            line = _over(plain, host, until) if secure else plain
            with closing(line), _cut_off(line, until):
                return _exchanged(line, host, port, parts.path or "/", headers, body)
    except Forbidden:
        return Answer(failure=FORBIDDEN)
    except (OSError, http.client.HTTPException, ValueError) as error:
        # Its text may hold what the other side chose to say.
        return Answer(failure=f"no answer ({type(error).__name__})")


def _connected(places: list[str], port: int, until: float) -> socket.socket:
    """A connection to the first of these addresses that takes one."""
    failure: OSError = ConnectionError()
    for place in places:
        try:
            return socket.create_connection((place, port), timeout=_left(until))
        except OSError as error:
            failure = error
    raise failure


def _over(plain: socket.socket, host: str, until: float) -> ssl.SSLSocket:
    """The connection with TLS on it; the certificate must be that of the name."""
    line = _context().wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    try:
        with _cut_off(line, until):
            line.do_handshake()
    except BaseException:
        line.close()
        raise
    return line


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


@contextmanager
def _cut_off(line: socket.socket, until: float) -> Iterator[None]:
    """End the connection at this time: one byte now and then would else keep it for ever."""
    # Of the plain class: that of TLS would forget its state while another thread uses it.
    timer = threading.Timer(_left(until), _end, [line])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(line: socket.socket) -> None:
    with suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)


def _left(until: float) -> float:
    return max(until - time.monotonic(), 0.001)


def _exchanged(
    line: socket.socket,
    host: str,
    port: int,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
) -> Answer:
    kind = (
        http.client.HTTPSConnection
        if isinstance(line, ssl.SSLSocket)
        else http.client.HTTPConnection
    )
    connection = kind(host, port)
    connection.sock = line
    connection.request("POST", path, body, {**headers, "Connection": "close"})
    response = connection.getresponse()
    status, retry_after = response.status, response.headers.get("Retry-After")
    with suppress(OSError, http.client.HTTPException, ValueError):
        response.read(_ANSWER_BYTES)
    return Answer(status, retry_after)

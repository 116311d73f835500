"""One exchange over HTTP with a system outside, on a connection to an address that was looked at.

No proxy of the environment is asked and no redirect followed: either would lead somewhere that
nobody has looked at. A proxy that the settings name looks itself, and the name is left to it.
Whatever happens, it is over within its time and reads no more than it may.
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
from functools import cache, partial
from http import HTTPStatus
from http.client import HTTPResponse
from urllib.parse import urlsplit

from hub.delivery.address import Forbidden, Resolve, permitted, resolved, vetted
from hub.egress import USUAL, Egress

__all__ = ["Asked", "exchange"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of whom. ``private`` permits addresses in our own networks; ``seconds`` is what
    it may take, beside looking the name up.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None
    private: bool = False
    seconds: float = 15
    egress: Egress = USUAL


@contextmanager
def exchange(asked: Asked, resolve: Resolve = resolved) -> Iterator[HTTPResponse]:
    """The answer, its body still to be read.

    Raises ``Forbidden`` for an address or port that the hub does not go to; where there is no
    answer, also while it is read, ``OSError``, ``HTTPException`` or ``ValueError``. Their text may
    hold what the other side chose to say.
    """
    parts = urlsplit(asked.url)
    secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    if not asked.private and port not in asked.egress.ports:
        raise Forbidden
    proxy = None if asked.private else asked.egress.proxy
    if proxy is None:
        places = vetted(host, port, private=asked.private, resolve=resolve)
        through = partial(_connected, places, port)
    else:
        _check_number(host)
        through = partial(_through, proxy, host, port)
    until = time.monotonic() + asked.seconds
    with closing(through(until)) as plain:
        line = _over(plain, host, until) if secure else plain
        with closing(line), _cut_off(line, until):
            kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
            connection = kind(host, port)
            connection.sock = line
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {**asked.headers, "Connection": "close"}
            connection.request(asked.method, target, asked.body, headers)
            with closing(connection.getresponse()) as response:
                yield response


def _connected(places: list[str], port: int, until: float) -> socket.socket:
    """A connection to the first of these addresses that takes one."""
    failure: OSError = ConnectionError()
    for place in places:
        try:
            return socket.create_connection((place, port), timeout=_left(until))
        except OSError as error:
            failure = error
    raise failure


def _check_number(host: str) -> None:
    """Raises ``Forbidden`` for an address in our own networks that is no name to be looked up."""
    with suppress(ValueError):
        if not permitted(host, private=False):
            raise Forbidden


def _through(proxy: str, host: str, port: int, until: float) -> socket.socket:
    """A connection that the proxy has made."""
    at = urlsplit(proxy)
    assert at.hostname is not None
    assert at.port is not None
    line = socket.create_connection((at.hostname, at.port), timeout=_left(until))
    try:
        with _cut_off(line, until):
            _connect(line, host, port)
    except BaseException:
        line.close()
        raise
    return line


def _connect(line: socket.socket, host: str, port: int) -> None:
    """Have the proxy connect. Raises ``OSError`` where it does not want to."""
    name = f"[{host}]" if ":" in host else host.encode("idna").decode()
    place = f"{name}:{port}"
    line.sendall(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
    answer = HTTPResponse(line, method="CONNECT")
    answer.begin()
    if answer.status != HTTPStatus.OK:
        raise ConnectionRefusedError


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

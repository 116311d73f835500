"""Traffic: every call has its correlation id, its line in the log and its place in the figures.

The route is named by its template, never by the path that was called: a path may name a person.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.scrub import scrub_text
from hub import log
from hub.api.errors import unforeseen

__all__ = ["Followed", "Traffic", "new_correlation"]

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

_log = logging.getLogger("lynchpin.call")


class Traffic:
    """What callers did since the hub came up, in the words of Prometheus."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "lynchpin_request_seconds",
            "Seconds until a call was answered whole.",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._denied = Counter(
            "lynchpin_requests_denied", "Calls answered 401 or 403.", registry=self.registry
        )
        self._limited = Counter(
            "lynchpin_requests_limited", "Calls that came too often: 429.", registry=self.registry
        )
        self.connections = Gauge(
            "lynchpin_connections_open", "Connections that are open.", registry=self.registry
        )
        self.turned_away = Counter(
            "lynchpin_connections_turned_away",
            "Connections ended for want of a whole call, by what was answered; 0: nothing.",
            ("status",),
            registry=self.registry,
        )

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one call."""
        self._seconds.labels(method, route, str(status)).observe(seconds)
        if status in {401, 403}:
            self._denied.inc()
        elif status == 429:
            self._limited.inc()


@dataclass(frozen=True, slots=True)
class Followed:
    """The application, each of whose calls is followed from its head to its answer.

    What fails without anybody having foreseen it ends here: were it passed on, the server would
    write its text down.
    """

    app: ASGIApp
    traffic: Traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One call, by the rules of ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number = _correlation(scope)
        log.begin(number)
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = (b"x-request-id", number.encode())
                message["headers"] = [*message.get("headers", ()), own]
            await send(message)

        began = time.perf_counter()
        try:
            await self.app(scope, receive, answer)
        except Exception as error:
            response = unforeseen(error)
            if status:
                # The answer is on its way and cannot be taken back; hanging up shows it is not all.
                raise
            await response(scope, receive, answer)
        finally:
            self._end(scope, status, time.perf_counter() - began)

    def _end(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = getattr(scope.get("route"), "path", "none")
        self.traffic.count(method, route, status, seconds)
        said = {"method": method, "route": route, "status": status}
        _log.info("call", extra={**said, "ms": round(seconds * 1000, 1)})


def _correlation(scope: Scope) -> str:
    """The id that the caller gave, if it is one and no number of a card; else one of ours."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    text: str = given.decode("latin-1")
    if _GIVEN.fullmatch(text) and scrub_text(text) == text:
        return text
    return new_correlation()


def new_correlation() -> str:
    """An id for a call that brought none."""
    return secrets.token_hex(8)

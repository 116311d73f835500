"""Signed webhooks: who signs with a secret of the source needs no key, and nobody else is heard.

What comes is judged by its raw bytes, before anything is unpacked or parsed. A sender is never told
why it is denied, nor whether there is such a source; the hub's log says it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from connectors import api as connector_api
from connectors.api import Stamp
from connectors.signature import UNSIGNED
from hub import log
from hub.api.body import unpacked, whole
from hub.api.served import Served, ServedHere
from hub.door import Door
from hub.keys import Role
from hub.steps import clock
from schemas.problem import Denied, Refused

__all__ = ["Signed", "Webhook", "WebhookHere"]

_log = logging.getLogger("lynchpin.webhook")


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook that its sender signed. ``pieces`` are its body, unpacked."""

    door: Door
    request: connector_api.Request
    stamp: Stamp
    pieces: list[bytes]


@dataclass(frozen=True, slots=True)
class Signed:
    """Lets in what is signed with a secret of the source in the path; no key opens it."""

    roles: tuple[Role, ...] = ()

    async def __call__(
        self, source: str, request: Request, served: ServedHere
    ) -> AsyncIterator[Webhook]:
        """The webhook, whose room is given back once it is answered. Raises ``Denied``."""
        with _counted(served, request):
            door = _door(served, source)
        log.note(source=source)
        async with whole(request, served.doorstep) as body:
            sent = _as_sent(request, door, body)
            with _counted(served, request):
                stamp = _verified(served, door, sent)
            served.rates.take("records", f"webhooks of {source}")
            async with unpacked(request, body, served.budget) as pieces:
                yield Webhook(door, sent, stamp, pieces)


WebhookHere = Annotated[Webhook, Depends(Signed())]


@contextmanager
def _counted(served: Served, request: Request) -> Iterator[None]:
    """Whoever is denied in here too often is not even told so any more."""
    try:
        yield
    except Denied:
        served.rates.take("denied", request.client.host if request.client else "")
        raise


def _door(served: Served, source: str) -> Door:
    try:
        door = served.hub.door(source)
    except Refused:
        raise Denied(UNSIGNED.at()) from None
    if not door.secrets or door.connector.verify is None:
        _log.warning("a webhook to a source without secrets", extra={"source": source})
        raise Denied(UNSIGNED.at())
    return door


def _as_sent(request: Request, door: Door, body: bytes) -> connector_api.Request:
    """The request as its sender wrote it: a proxy may have changed the address on the way."""
    headers: dict[str, tuple[str, ...]] = {}
    for name, value in request.headers.items():
        headers[name] = (*headers.get(name, ()), value)
    url = str(request.url)
    if door.public_url is not None:
        query = request.scope["query_string"].decode("latin-1")
        url = f"{door.public_url}?{query}" if query else door.public_url
    return connector_api.Request(request.method, url, headers, body)


def _verified(served: Served, door: Door, sent: connector_api.Request) -> Stamp:
    assert door.connector.verify is not None
    now = datetime.fromisoformat(served.hub.now())
    since = clock()
    try:
        return door.connector.verify(sent, door.secrets, door.options, now)
    except Denied as denied:
        _log.warning("a webhook was denied", extra={"code": denied.problem.code})
        raise
    finally:
        served.hub.steps.add("verify", since)

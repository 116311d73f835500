"""Messages: what came in, as it came in, what was made of it, and what that changed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Response
from lxml import etree
from sqlalchemy import Connection, select

from hub import edit, finding, journal, messages
from hub.api.audit import seen
from hub.api.served import Reading, Served, ServedHere
from hub.api.sieve import Sieve, Sieved
from hub.apply import CONFLICT
from hub.bootstrap import Hub
from hub.causes import NOT_FOUND
from hub.console.page import HEADERS, PLACE, Page, page
from hub.console.rule import Visit, VisitHere
from hub.journal import Stored
from hub.original import original, redacted_at
from hub.store.tables import MESSAGE_STATES, document, message, record
from mappings.further import Part
from schemas.problem import LynchpinError, Problem, Rejected

__all__ = ["router"]

router = APIRouter(prefix=PLACE, route_class=Page, include_in_schema=False)

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
Cursor = Annotated[str | None, Query(max_length=2000)]

_ROWS = 50
_FIRST = {"source", "state", "order", "receipt", "since", "until"}
"""What the form asks for before somebody wants more."""
_RESULTS_MAX = 20
SHOWN_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Message:
    """A message with what became of it; ``changed`` are the documents that stand by it now."""

    stored: Stored
    received_at: str
    settled_at: str | None
    first_id: int | None
    kind: str | None
    fact: str | None
    problem: Problem | None
    changed: tuple[tuple[str, str], ...]
    edited_at: str | None
    redacted_at: str | None

    @property
    def against(self) -> str | None:
        """The fact that stands, where this message is held for saying something else of it."""
        if self.problem is None or self.problem.code != CONFLICT.code:
            return None
        return self.problem.path


@dataclass(frozen=True, slots=True)
class _Content:
    """What stands in a message: its bytes as text, up to a limit, and its documents decoded.

    ``results`` are the canonical documents that stand by it now.
    """

    text: str
    cut: int
    documents: tuple[tuple[str, str, Any], ...]
    results: tuple[tuple[str, Any], ...]
    problem: Problem | None


@router.get("/messages")
def list_messages(
    reading: Reading,
    served: ServedHere,
    visit: VisitHere,
    sieve: Sieved,
    cursor: Cursor = None,
) -> Response:
    """Messages that fit everything that is asked for, the newest first."""
    given = sieve.given
    sought = Sieve(**given).sought(now=served.hub.now())
    rows, following = messages.look(served.hub, reading, sought, limit=_ROWS, after=cursor)
    onward = urlencode({**given, "cursor": following}) if following else None
    return page(
        visit,
        "messages.html",
        rows=rows,
        onward=onward,
        given=given,
        more=sorted(given.keys() - _FIRST),
        states=MESSAGE_STATES,
        sources=sorted(served.hub.settings.sources),
    )


@router.get("/messages/{number}")
def show_message(number: Number, reading: Reading, visit: VisitHere) -> Response:
    """What became of a message; what stands in it is shown for a reason."""
    return page(visit, "message.html", found=_message(reading, number), content=None, reason="")


@router.post("/messages/{number}")
async def reveal_message(number: Number, served: ServedHere, visit: VisitHere) -> Response:
    """The same message with its bytes and its documents, once the reason is kept."""
    return await _reveal(served, visit, number, reason=visit.reason())


@router.post("/messages/{number}/original")
async def send_original(number: Number, served: ServedHere, visit: VisitHere) -> Response:
    """What came in, byte for byte, as a file, once the reason is kept."""
    reason = visit.reason()

    def read() -> bytes:
        with served.readers.begin() as connection:
            return original(connection, number).payload

    payload = await asyncio.to_thread(read)
    await seen(served, visit.key, f"message {number}", reason=reason)
    name = f'attachment; filename="message-{number}"'
    return Response(
        payload,
        headers={**HEADERS, "Content-Disposition": name},
        media_type="application/octet-stream",
    )


async def _reveal(served: Served, visit: Visit, number: int, *, reason: str) -> Response:
    def read() -> tuple[_Message, _Content]:
        # The writer alone knows when reference data has to be looked up again.
        hub = served.hub.apart()
        with served.readers.begin() as connection:
            found = _message(connection, number)
            return found, _content(hub, connection, found.stored)

    found, content = await asyncio.to_thread(read)
    await seen(served, visit.key, f"message {number}", reason=reason)
    return page(visit, "message.html", found=found, content=content, reason=reason)


def _message(connection: Connection, number: int) -> _Message:
    stored = journal.entry(connection, number)
    if stored is None:
        raise Rejected(NOT_FOUND.at(f"there is no message {number}"))
    columns = (
        record.c.received_at,
        message.c.settled_at,
        message.c.first_id,
        message.c.kind,
        message.c.fact,
    )
    row = connection.execute(
        select(*columns).join_from(message, record).where(message.c.id == number)
    ).one()
    changed = select(document.c.fact, document.c.kind).where(document.c.message_id == number)
    return _Message(
        stored,
        *row,
        problem=finding.problem(connection, number),
        changed=tuple((fact, kind) for fact, kind in connection.execute(changed)),
        edited_at=edit.edited_at(connection, number),
        redacted_at=redacted_at(connection, number),
    )


def _content(hub: Hub, connection: Connection, stored: Stored) -> _Content:
    text = stored.payload[:SHOWN_BYTES_MAX].decode("utf-8", errors="backslashreplace")
    left = max(0, len(stored.payload) - SHOWN_BYTES_MAX)
    try:
        named = hub.translator(connection, stored).named(stored)
    except LynchpinError as error:
        return _Content(text, left, (), (), error.problem)
    documents = tuple((each.fact, each.label, _told(each.document.body)) for each in named)
    columns = (document.c.fact, document.c.body)
    mine = select(*columns).where(document.c.message_id == stored.id).limit(_RESULTS_MAX)
    results = tuple((fact, json.loads(body)) for fact, body in connection.execute(mine))
    return _Content(text, left, documents, results, None)


def _told(body: Any) -> Any:
    """A decoded document for people: plain JSON, or the XML of its element."""
    body = body.node if isinstance(body, Part) else body
    if etree.iselement(body):
        return etree.tostring(body, encoding="unicode", pretty_print=True)[:SHOWN_BYTES_MAX]
    return body

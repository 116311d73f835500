"""Messages and holds: what came in, what became of it, and what a person decides."""

from __future__ import annotations

import asyncio
import base64
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from sqlalchemy import Connection

from hub import edit, finding, holds, journal, messages
from hub import original as originals
from hub.api.asked import asked
from hub.api.audit import REVEAL, reason_of, seen
from hub.api.body import parsed
from hub.api.errors import answers
from hub.api.paging import Page, Turned, page
from hub.api.rule import only
from hub.api.served import Reading, ServedHere
from hub.api.sieve import Sieved
from hub.causes import NOT_FOUND
from hub.journal import Stored
from hub.keys import Key
from schemas.problem import Problem, Rejected

__all__ = ["Looker", "Operator", "router"]

router = APIRouter(tags=["messages"])

Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="Number of the message.")]
Operator = Annotated[Key, Depends(only("operator"))]
Looker = Annotated[Key, Depends(only("reader", "agent", "operator"))]


class MessageRow(BaseModel):
    """A message in a list. ``code`` says why it is held, if it is."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "id": 41,
                "state": "held",
                "kind": "retail",
                "fact": "tills:0042/03/2031-05-06/114",
                "source": "tills",
                "file": "day.xml",
                "offset": 812,
                "length": 4096,
                "flags": 0,
                "received_at": "2031-05-06T20:15:00.000000Z",
                "code": "LP-DOC-001",
            }
        },
    )

    id: int
    state: str
    kind: str | None
    fact: str | None
    source: str
    file: str | None
    offset: int
    length: int
    flags: int
    received_at: str
    code: str | None


_PROBLEM: JsonDict = {
    "code": "LP-DOC-001",
    "summary": "The document ends before it is whole.",
    "next_step": "Send the rest of it, or all of it again.",
    "file": "day.xml",
    "byte": 812,
}
_MESSAGE: JsonDict = {
    "id": 41,
    "state": "held",
    "source": "tills",
    "system": "tills",
    "file": "day.xml",
    "byte": 812,
    "length": 4096,
    "edited_at": "2031-05-06T20:31:00.000000Z",
    "problem": _PROBLEM,
}


class Message(BaseModel):
    """Where a message came from, what became of it, and why it is held if it is."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": _MESSAGE})

    id: int
    state: str
    source: str
    system: str
    file: str | None
    byte: int = Field(description="Where it begins in the file.")
    length: int
    edited_at: str | None = Field(description="When somebody mended what it says.")
    removed_at: str | None = Field(
        default=None, description="When its days were over and what it said was removed."
    )
    redacted_at: str | None = Field(
        default=None, description="When who a person is was taken out of it."
    )
    problem: Problem | None


class RevealedMessage(Message):
    """A message with its bytes as journalled, card numbers scrubbed."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {**_MESSAGE, "payload": "<Transaction/>"}}
    )

    payload: str


class OriginalMessage(BaseModel):
    """What came in, in base64: before an edit, card numbers scrubbed, redacted if it was."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "id": 41,
                "payload": "PFRyYW5zYWN0aW9uLz4=",
                "edited_at": "2031-05-06T20:31:00.000000Z",
                "redacted_at": "2031-06-06T10:00:00.000000Z",
            }
        },
    )

    id: int
    payload: str
    edited_at: str | None
    redacted_at: str | None


class HoldRow(BaseModel):
    """A held message and its reason; those of one ``fingerprint`` are held for the same thing."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "message_id": 41,
                "code": "LP-DOC-001",
                "problem": _PROBLEM,
                "held_at": "2031-05-06T20:15:00.000000Z",
                "source": "tills",
                "file": "day.xml",
                "offset": 812,
                "length": 4096,
                "fingerprint": "5c1d09ae",
            }
        },
    )

    message_id: int
    code: str
    problem: Problem
    held_at: str
    source: str
    file: str | None
    offset: int
    length: int
    fingerprint: str


class Release(BaseModel):
    """How to release. ``replace`` lets it stand instead of the fact that came before."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"example": {"replace": False}}
    )

    replace: bool = False


class Discard(BaseModel):
    """Why a message is given up, for the audit."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"example": {"reason": "sent twice by the vendor"}},
    )

    reason: str = Field(min_length=1, max_length=500)


class Outcome(BaseModel):
    """The state a message came to, and why it is held again if it is."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"state": "applied"}})

    state: str
    problem: Problem | None = None


@router.get("/messages", responses=answers(400))
def list_messages(
    reading: Reading,
    key: Looker,
    served: ServedHere,
    turn: Turned,
    sieve: Sieved,
) -> Page[MessageRow]:
    """Messages that fit everything that is given, the newest first.

    A page looks through ten thousand messages at most: one with fewer than were asked for, or
    with none, is the last only if it has no `next`.
    """
    sought = sieve.sought(now=served.hub.now())
    rows, following = messages.look(
        served.hub, reading, sought, limit=turn.limit, after=turn.cursor
    )
    return Page(items=[MessageRow(**row) for row in rows], next=following)


@router.get("/messages/{number}", responses=answers(404))
def show_message(number: Number, reading: Reading, key: Looker) -> Message:
    """What became of a message; what stands in it is told by a reveal."""
    return _message(reading, number)[0]


@router.post("/messages/{number}/reveal", responses=answers(404, 409, 413), openapi_extra=REVEAL)
async def reveal_message(
    number: Number, request: Request, served: ServedHere, key: Operator
) -> RevealedMessage:
    """A message as it came in. It may name people, so that somebody looked is kept."""
    reason = await reason_of(request)

    def read() -> RevealedMessage:
        with served.readers.begin() as connection:
            found, stored = _message(connection, number)
        text = stored.said.decode("utf-8", errors="backslashreplace")
        return RevealedMessage(**dict(found), payload=text)

    message = await asyncio.to_thread(read)
    await seen(served, key, f"message {number}", reason=reason)
    return message


@router.post("/messages/{number}/original", responses=answers(404, 409, 413), openapi_extra=REVEAL)
async def show_original(
    number: Number, request: Request, served: ServedHere, key: Operator
) -> OriginalMessage:
    """What came in, byte for byte, whatever was made of it since. That somebody looked is kept."""
    reason = await reason_of(request)

    def read() -> OriginalMessage:
        with served.readers.begin() as connection:
            found = originals.original(connection, number)
        payload = base64.b64encode(found.payload).decode()
        return OriginalMessage(
            id=number, payload=payload, edited_at=found.edited_at, redacted_at=found.redacted_at
        )

    message = await asyncio.to_thread(read)
    await seen(served, key, f"message {number}", reason=reason)
    return message


@router.post("/messages/{number}/look", responses=answers(404))
async def look_at_message(number: Number, served: ServedHere, key: Operator) -> Message:
    """Keep that somebody sees, masked, what a mapping makes of a message; they do so elsewhere."""

    def read() -> Message:
        with served.readers.begin() as connection:
            return _message(connection, number)[0]

    found = await asyncio.to_thread(read)
    await seen(served, key, f"message {number}")
    return found


def _message(connection: Connection, number: int) -> tuple[Message, Stored]:
    stored = journal.entry(connection, number)
    if stored is None:
        raise Rejected(NOT_FOUND.at(f"there is no message {number}"))
    found = Message(
        id=stored.id,
        state=stored.state,
        source=stored.source,
        system=stored.system,
        file=stored.file,
        byte=stored.offset,
        length=len(stored.payload),
        edited_at=edit.edited_at(connection, number),
        removed_at=stored.removed_at,
        redacted_at=originals.redacted_at(connection, number),
        problem=finding.problem(connection, number),
    )
    return found, stored


@router.get("/holds", responses=answers())
def list_holds(
    reading: Reading,
    key: Looker,
    turn: Turned,
    code: Annotated[str | None, Query(description="Only this cause.")] = None,
) -> Page[HoldRow]:
    """What is held, the oldest first."""
    found = holds.held(reading, code=code, limit=turn.limit + 1, after=turn.cursor)
    return page(HoldRow, found, turn, lambda row: (row["message_id"],))


@router.post(
    "/holds/{number}/release", responses=answers(404, 409, 413), openapi_extra=asked(Release)
)
async def release_hold(
    number: Number, request: Request, served: ServedHere, key: Operator
) -> Outcome:
    """Send a held message through the mapping in force again; what fails is held again."""
    wanted = await parsed(request, Release)
    work = partial(holds.release, served.hub, [number], actor=key.actor, replace=wanted.replace)
    settled = await asyncio.wrap_future(served.writer.alone(work))
    return Outcome(state=settled.states[number], problem=settled.problems.get(number))


@router.post(
    "/holds/{number}/discard", responses=answers(404, 409, 413), openapi_extra=asked(Discard)
)
async def discard_hold(
    number: Number, request: Request, served: ServedHere, key: Operator
) -> Outcome:
    """Give a held message up. It stays in the journal."""
    wanted = await parsed(request, Discard)
    work = partial(holds.discard, served.hub, [number], actor=key.actor, reason=wanted.reason)
    await asyncio.wrap_future(served.writer.alone(work))
    return Outcome(state="discarded")

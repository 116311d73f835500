"""Messages and holds: what came in, what became of it, and what a person decides."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from hub import finding, holds, journal
from hub.api.audit import seen
from hub.api.body import parsed
from hub.api.errors import answers
from hub.api.rule import only
from hub.api.served import Reading, Served, ServedHere
from hub.causes import NOT_FOUND
from hub.keys import Key
from schemas.problem import Problem, Rejected

__all__ = ["Limit", "router"]

router = APIRouter(tags=["messages"])

Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many.")]
Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="Number of the message.")]
Operator = Annotated[Key, Depends(only("operator"))]
Looker = Annotated[Key, Depends(only("reader", "agent", "operator"))]


class MessageRow(BaseModel):
    """A message in a list. ``code`` says why it is held, if it is."""

    model_config = ConfigDict(frozen=True)

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


class Message(BaseModel):
    """A message with its bytes as journalled, card numbers scrubbed, and why it is held."""

    model_config = ConfigDict(frozen=True)

    id: int
    state: str
    source: str
    system: str
    file: str | None
    byte: int
    problem: Problem | None
    payload: str


class HoldRow(BaseModel):
    """A held message and its reason."""

    model_config = ConfigDict(frozen=True)

    message_id: int
    code: str
    problem: Problem
    held_at: str
    source: str
    file: str | None
    offset: int
    length: int


class Release(BaseModel):
    """How to release. ``replace`` lets it stand instead of the fact that came before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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


@router.get("/messages", responses=answers())
def list_messages(
    reading: Reading,
    key: Looker,
    fact: Annotated[str | None, Query(description="Part of a fact id.")] = None,
    state: str | None = None,
    source: str | None = None,
    file: Annotated[str | None, Query(description="Part of a file name.")] = None,
    limit: Limit = finding.LIMIT,
) -> list[MessageRow]:
    """Messages, the newest first."""
    found = finding.messages(reading, fact=fact, state=state, source=source, file=file, limit=limit)
    return [MessageRow(**row) for row in found]


@router.get("/messages/{number}", responses=answers(404))
async def show_message(number: Number, served: ServedHere, key: Operator) -> Message:
    """A message as it came in. It may name people, so that somebody looked is kept."""
    await seen(served, key, f"message {number}")
    return await asyncio.to_thread(_message, served, number)


def _message(served: Served, number: int) -> Message:
    with served.readers.begin() as connection:
        stored = journal.entry(connection, number)
        if stored is None:
            raise Rejected(NOT_FOUND.at(f"there is no message {number}"))
        return Message(
            id=stored.id,
            state=stored.state,
            source=stored.source,
            system=stored.system,
            file=stored.file,
            byte=stored.offset,
            problem=finding.problem(connection, number),
            payload=stored.payload.decode("utf-8", errors="backslashreplace"),
        )


@router.get("/holds", responses=answers())
def list_holds(
    reading: Reading,
    key: Looker,
    code: Annotated[str | None, Query(description="Only this cause.")] = None,
) -> list[HoldRow]:
    """What is held, the oldest first."""
    return [HoldRow(**row) for row in holds.held(reading, code=code)]


def _body(model: type[BaseModel]) -> dict[str, Any]:
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    "/holds/{number}/release", responses=answers(404, 409, 413), openapi_extra=_body(Release)
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
    "/holds/{number}/discard", responses=answers(404, 409, 413), openapi_extra=_body(Discard)
)
async def discard_hold(
    number: Number, request: Request, served: ServedHere, key: Operator
) -> Outcome:
    """Give a held message up. It stays in the journal."""
    wanted = await parsed(request, Discard)
    work = partial(holds.discard, served.hub, [number], actor=key.actor, reason=wanted.reason)
    await asyncio.wrap_future(served.writer.alone(work))
    return Outcome(state="discarded")

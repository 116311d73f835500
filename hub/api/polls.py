"""Polls: how far each has come, polling at once, and reading again from an earlier moment on."""

from __future__ import annotations

import asyncio
from datetime import UTC
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from hub.api.asked import asked
from hub.api.body import parsed
from hub.api.errors import answers
from hub.api.messages import Operator
from hub.api.rule import only
from hub.api.served import Reading, ServedHere
from hub.bootstrap import Hub
from hub.keys import Key
from hub.polling import deciding
from hub.polling.status import EXAMPLE, Status, polls

__all__ = ["router"]

router = APIRouter(tags=["polls"])

Looker = Annotated[Key, Depends(only("reader", "agent", "operator"))]
Name = Annotated[str, Path(max_length=100, description="A poll of the settings.")]


class Polls(BaseModel):
    """How the streams of polls are doing."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"polls": [EXAMPLE]}})

    polls: list[Status]


class Rewind(BaseModel):
    """From when on a poll, or one stream of it, is to read again what has changed."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"example": {"to": "2031-05-06T00:00:00Z", "stream": "orders"}},
    )

    to: AwareDatetime
    stream: str | None = Field(default=None, min_length=1, max_length=100)


@router.get("/polls", responses=answers())
def list_polls(served: ServedHere, reading: Reading, key: Looker) -> Polls:
    """How far each stream of each poll has come, and why it does not where it does not."""
    hub = served.hub
    return Polls(polls=polls(reading, hub.settings.polls, hub.now()))


@router.get("/polls/{name}", responses=answers(404))
def show_poll(name: Name, served: ServedHere, reading: Reading, key: Looker) -> Polls:
    """How far each stream of one poll has come."""
    return Polls(polls=deciding.of(reading, served.hub, name))


@router.post("/polls/{name}/now", responses=answers(404))
async def poll_now(name: Name, served: ServedHere, key: Operator) -> Polls:
    """Have every stream of a poll read at once; it is under way when this answers, not done."""
    work = partial(_now, hub=served.hub, name=name, actor=key.actor)
    return Polls(polls=await asyncio.wrap_future(served.writer.submit(work)))


def _now(connection: Connection, *, hub: Hub, name: str, actor: str) -> list[Status]:
    deciding.poll_now(connection, hub, name, actor=actor)
    return deciding.of(connection, hub, name)


@router.post("/polls/{name}/rewind", responses=answers(404, 408, 413), openapi_extra=asked(Rewind))
async def rewind_poll(name: Name, request: Request, served: ServedHere, key: Operator) -> Polls:
    """Have a poll read again what changed from a moment on; what is here as it is costs nothing."""
    wanted = await parsed(request, Rewind)
    work = partial(_rewound, hub=served.hub, name=name, wanted=wanted, actor=key.actor)
    return Polls(polls=await asyncio.wrap_future(served.writer.submit(work)))


def _rewound(
    connection: Connection, *, hub: Hub, name: str, wanted: Rewind, actor: str
) -> list[Status]:
    to = wanted.to.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    deciding.rewind(connection, hub, name, to=to, stream=wanted.stream, actor=actor)
    return deciding.of(connection, hub, name)

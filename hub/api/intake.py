"""Records from sources: acknowledged once they are on the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, func, select

from hub.api.body import received
from hub.api.errors import answers
from hub.api.rule import only
from hub.api.served import ServedHere
from hub.door import Door, take_in
from hub.keys import Key
from hub.store.tables import message

__all__ = ["router"]

router = APIRouter(tags=["sources"])

FileName = Annotated[
    str, Header(max_length=200, description="What the source calls it, for people.")
]


class Receipt(BaseModel):
    """The record is on the disk. Its messages are applied, or held, right afterwards."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"record": 41, "messages": 51, "held": 0}}
    )

    record: int = Field(description="The number of the record in the journal.")
    messages: int = Field(description="How many messages it was cut into.")
    held: int = Field(description="How many of them are held already, being torn or too odd.")


@router.post(
    "/sources/{source}/records",
    status_code=202,
    responses=answers(400, 404, 408, 413, 415),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The bytes of the record as the source has them; gzip is unpacked.",
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        }
    },
)
async def send_record(
    source: str,
    request: Request,
    served: ServedHere,
    key: Annotated[Key, Depends(only("source"))],
    x_lynchpin_file: FileName = "request",
) -> Receipt:
    """Take in a record. The answer comes after the commit: what it says is kept for good.

    The same record may be sent as often as wanted: its messages count once.
    """
    door = served.hub.door(source)
    async with received(request, served.budget) as pieces:
        work = partial(_journal, door=door, pieces=pieces, name=x_lynchpin_file, now=served.hub.now)
        future = served.writer.submit(work)
        # A sender that goes away must not give its bytes back while the writer still reads them.
        return await asyncio.shield(asyncio.wrap_future(future))


def _journal(
    connection: Connection, *, door: Door, pieces: list[bytes], name: str, now: Callable[[], str]
) -> Receipt:
    number = take_in(connection, door, pieces, name=name, now=now())
    mine = select(func.count(), func.count().filter(message.c.state == "held"))
    messages, held = connection.execute(mine.where(message.c.record_id == number)).one()
    return Receipt(record=number, messages=messages, held=held)

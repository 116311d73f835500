"""Records from sources: acknowledged once they are on the disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from hub import log
from hub.api.body import received
from hub.api.errors import answers
from hub.api.file_name import FileName
from hub.api.rule import only
from hub.api.served import ServedHere
from hub.door import Door, Taken, take_in
from hub.keys import Key

__all__ = ["router"]

router = APIRouter(tags=["sources"])


class Receipt(BaseModel):
    """The record is on the disk. Its messages are applied, or held, right afterwards."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"record": 41, "messages": 51, "held": 0}}
    )

    record: int = Field(description="The number of the record in the journal.")
    messages: int = Field(description="How many messages it was cut into.")
    held: int = Field(description="How many of them are held already, being torn or too odd.")

    @classmethod
    def of(cls, taken: Taken) -> Receipt:
        """What the sender of a record is told."""
        return cls(record=taken.record, messages=taken.messages, held=taken.held)


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
    key: Annotated[Key, Depends(only("source", "operator", narrows=True))],
    name: FileName,
) -> Receipt:
    """Take in a record. The answer comes after the commit: what it says is kept for good.

    The same record may be sent as often as wanted: its messages count once. With a key that is
    limited to stores, what is of another store is held.
    """
    door = served.hub.door(source)
    log.note(source=source)
    async with received(request, served.budget) as pieces:
        work = partial(
            _journal,
            door=door,
            pieces=pieces,
            name=name,
            stores=key.stores,
            now=served.hub.now,
        )
        return Receipt.of(await served.take_in(work))


def _journal(
    connection: Connection,
    *,
    door: Door,
    pieces: list[bytes],
    name: str,
    stores: tuple[str, ...],
    now: Callable[[], str],
) -> Taken:
    return take_in(connection, door, pieces, name=name, now=now(), stores=stores)

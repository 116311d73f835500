"""Keys over HTTP: while the hub is up, this is how one is made, and ended at once."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from hub import keys
from hub.api.asked import asked
from hub.api.body import parsed
from hub.api.errors import answers
from hub.api.messages import Operator
from hub.api.paging import Page, Turned, page
from hub.api.served import Reading, ServedHere
from hub.issue import issue
from hub.keys import Role

__all__ = ["router"]

router = APIRouter(tags=["keys"])


class KeyRow(BaseModel):
    """What a key is for. Without stores it is not limited to any."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "id": "0123456789ab",
                "name": "tills of Vienna",
                "role": "source",
                "sources": ["poslog"],
                "stores": [],
                "destinations": [],
                "created_at": "2031-05-06T20:15:00.000000Z",
            }
        },
    )

    id: str
    name: str
    role: Role
    sources: tuple[str, ...]
    stores: tuple[str, ...]
    destinations: tuple[str, ...] = Field(description="Whose feed a receiver's key may read.")
    created_at: str
    revoked_at: str | None = None


class NewKey(BaseModel):
    """What a key is to be for. Without stores it is not limited to any."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "example": {"name": "tills of Vienna", "role": "source", "sources": ["poslog"]}
        },
    )

    name: str = Field(description="Who it is for, for people: 1 to 100 characters.")
    role: Role
    sources: tuple[str, ...] = Field((), description="Where a source key may send.")
    stores: tuple[str, ...] = Field((), description="What it is limited to.")
    destinations: tuple[str, ...] = Field((), description="Whose feed a receiver's key may read.")


class MadeKey(BaseModel):
    """A key and its text, which is kept nowhere and cannot be shown again."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"id": "0123456789ab", "key": "lp_..."}}
    )

    id: str
    key: str = Field(repr=False)


class Revoked(BaseModel):
    """The key opens nothing from now on."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"id": "0123456789ab"}})

    id: str


@router.get("/keys", responses=answers())
def list_keys(reading: Reading, key: Operator, turn: Turned) -> Page[KeyRow]:
    """All keys, the oldest first; their secrets are kept nowhere."""
    found = keys.listed(reading, limit=turn.limit + 1, after=turn.cursor)
    rows = [asdict(each) for each in found]
    return page(KeyRow, rows, turn, lambda row: (row["created_at"], row["id"]))


@router.post(
    "/keys",
    status_code=201,
    responses=answers(400, 404, 408, 413),
    openapi_extra=asked(NewKey),
)
async def create_key(
    request: Request, response: Response, served: ServedHere, key: Operator
) -> MadeKey:
    """Make a key. This answer is the only place where its text is ever shown."""
    wanted = await parsed(request, NewKey)
    work = partial(issue, served.hub, actor=key.actor, **dict(wanted))
    made, text = await asyncio.wrap_future(served.writer.submit(work))
    response.headers["Cache-Control"] = "no-store"
    return MadeKey(id=made.id, key=text)


@router.post("/keys/{id}/revoke", responses=answers(404))
async def revoke_key(
    number: Annotated[str, Path(alias="id", max_length=100)], served: ServedHere, key: Operator
) -> Revoked:
    """End a key from now on."""
    work = partial(keys.revoke, number=number, actor=key.actor, now=served.hub.now())
    await asyncio.wrap_future(served.writer.submit(work))
    return Revoked(id=number)

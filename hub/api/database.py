"""The database as a whole: who takes a backup, and what a restore left unverified."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from hub import unverified
from hub.api.asked import asked
from hub.api.body import parsed
from hub.api.errors import answers
from hub.api.messages import Operator
from hub.api.rule import only
from hub.api.served import Reading, ServedHere
from hub.backup import noted
from hub.keys import Key

__all__ = ["router"]

router = APIRouter(tags=["database"])

Looker = Annotated[Key, Depends(only("reader", "agent", "operator"))]
Source = Annotated[str, Path(max_length=100)]

_WINDOW: dict[str, JsonValue] = {
    "source": "shopify",
    "since_at": "2031-05-06T02:59:00.000000Z",
    "until_at": "2031-05-06T09:30:00.000000Z",
}


class Backup(BaseModel):
    """A backup that somebody is about to take from the database itself."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"example": {"file": "2031-05-06.backup"}}
    )

    file: str = Field(min_length=1, max_length=255, description="Name of the file, no folder.")


class UnverifiedWindow(BaseModel):
    """What was pushed to a source between the two moments may be missing since a restore."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": _WINDOW})

    source: str
    since_at: str
    until_at: str


class UnverifiedWindows(BaseModel):
    """All of them, by source."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"windows": [_WINDOW]}})

    windows: tuple[UnverifiedWindow, ...]


class Reconciliation(BaseModel):
    """How somebody knows that nothing is missing any more."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"example": {"reason": "compared with the shop's list of the day"}},
    )

    reason: str = Field(min_length=1, max_length=500)


@router.post("/database/backups", responses=answers(408, 413), openapi_extra=asked(Backup))
async def note_backup(request: Request, served: ServedHere, key: Operator) -> Backup:
    """Keep that somebody takes a backup, which they read from the database themselves."""
    wanted = await parsed(request, Backup)
    work = partial(noted, file=wanted.file, actor=key.actor, now=served.hub.now())
    await asyncio.wrap_future(served.writer.submit(work))
    return wanted


@router.get("/unverified", responses=answers())
def list_unverified(reading: Reading, key: Looker) -> UnverifiedWindows:
    """What a restore left unverified: sources that push, and when what they sent may be missing."""
    found = unverified.open_windows(reading)
    return UnverifiedWindows(windows=tuple(UnverifiedWindow(**asdict(each)) for each in found))


@router.post(
    "/unverified/{source}/reconcile",
    responses=answers(404, 408, 409, 413),
    openapi_extra=asked(Reconciliation),
)
async def reconcile_source(
    source: Source, request: Request, served: ServedHere, key: Operator
) -> UnverifiedWindows:
    """Close the windows of a source, after somebody has compared; gives those that were closed."""
    wanted = await parsed(request, Reconciliation)
    work = partial(
        unverified.reconcile,
        source=source,
        reason=wanted.reason,
        actor=key.actor,
        now=served.hub.now(),
    )
    found = await asyncio.wrap_future(served.writer.submit(work))
    return UnverifiedWindows(windows=tuple(UnverifiedWindow(**asdict(each)) for each in found))

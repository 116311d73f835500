"""Captures: what store agents ship in batches, and how far the hub has come with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from functools import partial
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from hub import capture as capturing
from hub import log, paging
from hub.api.body import received
from hub.api.errors import answers
from hub.api.paging import Page, Turned, page
from hub.api.rule import only
from hub.api.served import Reading, ServedHere
from hub.capture import Batch, Progress
from hub.door import Door
from hub.gaps import gaps
from hub.keys import Key

__all__ = ["router"]

router = APIRouter(tags=["sources"])

Name = Annotated[
    str,
    Path(pattern=r"^[A-Za-z0-9._-]{1,100}$", description="Agent and capture, with a dot between."),
]
Sender = Annotated[Key, Depends(only("source", narrows=True))]
Looker = Annotated[Key, Depends(only("reader", "agent", "operator"))]


class CaptureRow(BaseModel):
    """What an agent ships from one place, and how far it has come.

    ``pending`` is what the agent had not shipped when it was last seen, ``oldest_at`` since when.
    More ``epochs`` than one say that an agent was set up anew, or its spool copied.
    """

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "capture": "store-7001.day_files",
                "source": "tills",
                "epoch": "6f1d",
                "epochs": 1,
                "committed": 123,
                "refused": 0,
                "pending": 2,
                "oldest_at": "2031-05-06T10:00:00.000000Z",
                "began_at": "2031-05-01T06:00:00.000000Z",
                "seen_at": "2031-05-06T10:00:30.000000Z",
            }
        },
    )

    capture: str
    source: str
    epoch: str
    epochs: int
    committed: int
    refused: int
    pending: int
    oldest_at: str | None
    began_at: str
    seen_at: str


class GapRow(BaseModel):
    """Numbers that a till must have used and of which the hub knows nothing."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "system": "tills",
                "store": "7001",
                "workstation": "03",
                "business_date": "2031-05-06",
                "first": 115,
                "last": 117,
                "missing": 3,
            }
        },
    )

    system: str
    store: str
    workstation: str
    business_date: str = Field(description="Day of the number that follows them.")
    first: int
    last: int
    missing: int


@router.get("/captures", responses=answers())
def list_captures(reading: Reading, turn: Turned, key: Looker) -> Page[CaptureRow]:
    """Captures of store agents by name, each with its latest epoch."""
    rows = capturing.listed(reading, limit=turn.limit + 1, after=turn.cursor)
    return page(CaptureRow, rows, turn, lambda row: (row["capture"],))


@router.get("/gaps", responses=answers())
def list_gaps(
    reading: Reading,
    turn: Turned,
    key: Annotated[Key, Depends(only("reader", "agent", "operator", narrows=True))],
    since: Annotated[date | None, Query(description="First business date looked at.")] = None,
    store: str | None = None,
) -> Page[GapRow]:
    """Numbers that are missing, till by till and in order."""
    found = gaps(reading, since=since.isoformat() if since else "", store=store)
    mine = (gap for gap in found if not key.stores or gap.store in key.stores)
    rows = ({**asdict(gap), "missing": gap.missing} for gap in mine)
    after = paging.key_of(turn.cursor, str, str, str, str, int)
    rest = (row for row in rows if after is None or _place(row) > after)
    return page(GapRow, list(islice(rest, turn.limit + 1)), turn, _place)


def _place(row: dict[str, Any]) -> tuple[str | int, ...]:
    return tuple(row[n] for n in ("system", "store", "workstation", "business_date", "first"))


@router.post(
    "/sources/{source}/captures/{capture}/batches",
    responses=answers(400, 404, 408, 409, 413, 415),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "A line of JSON, then for each record a line of JSON and its bytes.",
            "content": {
                "application/vnd.lynchpin.batch": {"schema": {"type": "string", "format": "binary"}}
            },
        }
    },
)
async def send_batch(
    source: str, capture: Name, request: Request, served: ServedHere, key: Sender
) -> Progress:
    """Take in a batch of a store agent. The answer comes after the commit and is cumulative.

    The same batch may be sent as often as wanted. Nothing after a gap is taken. 409 says that the
    same numbers came before with other content: the agent then begins a new epoch.
    """
    door = served.hub.door(source)
    log.note(capture=capture)
    async with received(request, served.budget) as pieces:
        batch = await asyncio.to_thread(capturing.read_batch, pieces)
        work = partial(
            _commit,
            door=door,
            capture=capture,
            batch=batch,
            stores=key.stores,
            now=served.hub.now,
        )
        return await served.finish(work)


def _commit(
    connection: Connection,
    *,
    door: Door,
    capture: str,
    batch: Batch,
    stores: tuple[str, ...],
    now: Callable[[], str],
) -> Progress:
    return capturing.commit(connection, door, capture, batch, now=now(), stores=stores)


@router.get("/sources/{source}/captures/{capture}", responses=answers(404))
def show_capture(
    source: str,
    capture: Name,
    served: ServedHere,
    reading: Reading,
    key: Sender,
    epoch: Annotated[str, Query(min_length=1, max_length=200)],
) -> Progress:
    """How far the hub has come with an epoch of a capture; 0 where it has not heard of it."""
    served.hub.door(source)
    return capturing.progress(reading, capture, epoch)

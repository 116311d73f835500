"""Reference data over HTTP: Locations, Workstations and Items as CSV."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from hub import reference, relocate
from hub.api.body import received
from hub.api.errors import answers
from hub.api.file_name import FileName
from hub.api.messages import Operator
from hub.api.served import ServedHere
from hub.bootstrap import Hub
from hub.reference import Loaded
from hub.sheet import File, Sent
from schemas.problem import ConfigError, Refused

__all__ = ["router"]

router = APIRouter(tags=["reference"])

Noun = Literal["locations", "workstations", "items"]

_LOADERS: dict[Noun, Callable[[Connection, File], Loaded]] = {
    "locations": relocate.load_locations,
    "workstations": reference.load_workstations,
    "items": reference.load_items,
}


class LoadedRows(BaseModel):
    """How many things of the file were new, different, or as they were."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"added": 3, "changed": 0, "unchanged": 41}}
    )

    added: int
    changed: int
    unchanged: int


@router.post(
    "/reference/{noun}",
    responses=answers(400, 408, 413, 415),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "CSV in UTF-8 with a line of column names; gzip is unpacked.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    },
)
async def load_reference(
    noun: Noun,
    request: Request,
    served: ServedHere,
    key: Operator,
    name: FileName,
) -> LoadedRows:
    """Load stores, tills or merchandise: the whole file or, if something is wrong, nothing of it.

    A row replaces what was loaded of its thing before; things that the file does not name stay.
    """
    async with received(request, served.budget) as pieces:
        file = Sent(name, b"".join(pieces))
        # A large file takes long, and what others want written would share its transaction.
        work = partial(_load, served.hub, noun, file)
        loaded = await asyncio.shield(asyncio.wrap_future(served.writer.alone(work)))
    return LoadedRows(added=loaded.added, changed=loaded.changed, unchanged=loaded.unchanged)


def _load(hub: Hub, noun: Noun, file: Sent) -> Loaded:
    try:
        with hub.engine.begin() as connection:
            loaded = _LOADERS[noun](connection, file)
    except ConfigError as error:
        # For the command line a table is configuration; for a caller it is what it sent.
        raise Refused(error.problem) from None
    hub.forget_places()
    return loaded

"""Where the values of a document came from."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

from hub import explain as explaining
from hub import finding
from hub.api.audit import REVEAL, reason_of, seen
from hub.api.errors import answers
from hub.api.rule import only
from hub.api.served import Served, ServedHere
from hub.explain import Explained
from hub.keys import Key

__all__ = ["router"]

router = APIRouter(tags=["documents"])

Desk = Annotated[Key, Depends(only("agent", "operator"))]
Fact = Annotated[str, Path(max_length=500, description="Fact id, or a name it alone goes by.")]
At = Annotated[
    str, Query(max_length=500, description="Canonical path, such as `lines[0].amount`; else all.")
]

_EXAMPLE: JsonDict = {
    "fact": "tills:0042/03/2031-05-06/114",
    "masked": True,
    "origins": [
        {
            "path": "workstation",
            "value": "03",
            "message_id": 41,
            "file": "day.xml",
            "byte": 2048,
            "source": "WorkstationID",
            "sent": "03",
            "rule": "workstation: WorkstationID",
            "mapping": "poslog/transaction.yaml",
            "line": 12,
            "version": "7c9e6679f1d2",
        }
    ],
}


class Origins(BaseModel):
    """Where each value came from. What is masked is hidden as it was sent, too."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": _EXAMPLE})

    fact: str
    masked: bool
    origins: list[Explained]


@router.get("/explain/{fact:path}", responses=answers(404, 409))
async def explain_document(fact: Fact, served: ServedHere, key: Desk, path: At = "") -> Origins:
    """Which message, source path, rule and mapping version each value came from."""
    found = await asyncio.to_thread(_origins, served, fact, path, reveal=False)
    await seen(served, key, found.fact)
    return found


@router.post(
    "/explain/{fact:path}/reveal",
    responses=answers(404, 409, 413),
    openapi_extra=REVEAL,
)
async def reveal_origins(
    fact: Fact, request: Request, served: ServedHere, key: Desk, path: At = ""
) -> Origins:
    """The same with nothing masked, once the reason is kept."""
    reason = await reason_of(request)
    found = await asyncio.to_thread(_origins, served, fact, path, reveal=True)
    await seen(served, key, found.fact, reason=reason)
    return found


def _origins(served: Served, name: str, path: str, *, reveal: bool) -> Origins:
    # The writer alone knows when reference data has to be looked up again.
    hub = served.hub.apart()
    with served.readers.begin() as connection:
        fact = finding.resolve(connection, name, systems=hub.systems)
        rows = explaining.explain(hub, connection, fact, path, reveal=reveal)
    return Origins(fact=fact, masked=not reveal, origins=rows)

"""Keys over HTTP: while the hub is up, this is how one is ended at once."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict

from hub import keys
from hub.api.errors import answers
from hub.api.messages import Operator
from hub.api.served import Reading, ServedHere
from hub.keys import Key

__all__ = ["router"]

router = APIRouter(tags=["keys"])


class Revoked(BaseModel):
    """The key opens nothing from now on."""

    model_config = ConfigDict(frozen=True)

    id: str


@router.get("/keys", responses=answers())
def list_keys(reading: Reading, key: Operator) -> list[Key]:
    """All keys, the oldest first; their secrets are kept nowhere."""
    return keys.listed(reading)


@router.post("/keys/{id}/revoke", responses=answers(404))
async def revoke_key(
    number: Annotated[str, Path(alias="id", max_length=100)], served: ServedHere, key: Operator
) -> Revoked:
    """End a key from now on."""
    work = partial(keys.revoke, number=number, actor=key.actor, now=served.hub.now())
    await asyncio.wrap_future(served.writer.submit(work))
    return Revoked(id=number)

"""Customers: people found by what somebody has at hand, and everything that happened to them."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from hub.api.audit import REVEAL, reason_of, seen
from hub.api.errors import answers
from hub.api.paging import Turn, Turned
from hub.api.rule import only
from hub.api.served import Served, ServedHere
from hub.keys import Key
from hub.people import view
from hub.people.view import Found, Person

__all__ = ["router"]

router = APIRouter(tags=["customers"])

Desk = Annotated[Key, Depends(only("agent", "operator", narrows=True))]
Document = Annotated[str, Path(max_length=500, description="Fact id of any document of theirs.")]
Wanted = Annotated[
    str,
    Query(
        min_length=1,
        max_length=200,
        description="Phone, e-mail, card, account, name, order or receipt number, as a whole.",
    ),
]
Region = Annotated[
    str | None,
    Query(
        pattern="^[A-Z]{2}$",
        description="Country of a phone number without country code; else those of the sources.",
    ),
]


@router.get("/customers", responses=answers())
async def find_customers(served: ServedHere, key: Desk, q: Wanted, region: Region = None) -> Found:
    """People, masked, each with the reason of the hit; nothing is found by a part of a value."""
    found = await asyncio.to_thread(_found, served, key, q, region)
    await seen(served, key, "customers", detail=found.audited())
    return found


def _found(served: Served, key: Key, text: str, region: str | None) -> Found:
    with served.readers.begin() as connection:
        return view.find(served.hub, connection, text, region=region, stores=key.stores)


@router.get("/customers/{fact:path}", responses=answers(404))
async def show_customer(
    fact: Document,
    served: ServedHere,
    key: Desk,
    turn: Turned,
) -> Person:
    """A person, masked, with their story, the newest first."""
    return await _show(served, key, fact, turn=turn)


@router.post("/customers/{fact:path}/reveal", responses=answers(404, 413), openapi_extra=REVEAL)
async def reveal_customer(
    fact: Document,
    request: Request,
    served: ServedHere,
    key: Desk,
    turn: Turned,
) -> Person:
    """The same person, unmasked."""
    reason = await reason_of(request)
    return await _show(served, key, fact, turn=turn, reason=reason)


async def _show(served: Served, key: Key, fact: str, *, turn: Turn, reason: str = "") -> Person:
    def read() -> Person:
        with served.readers.begin() as connection:
            return view.person(
                served.hub,
                connection,
                fact,
                reveal=bool(reason),
                limit=turn.limit,
                cursor=turn.cursor,
                stores=key.stores,
            )

    person = await asyncio.to_thread(read)
    await seen(served, key, person.person, reason=reason)
    return person

"""Documents whole, and where each of their values came from."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from hub import explain as explaining
from hub.api.audit import seen
from hub.api.served import Served, ServedHere
from hub.console.page import PLACE, Page, page
from hub.console.rule import Visit, VisitHere
from hub.explain import Explained
from hub.people.document import Document, shown

__all__ = ["router"]

router = APIRouter(prefix=PLACE, route_class=Page, include_in_schema=False)

Fact = Annotated[str, Path(max_length=500)]
At = Annotated[str, Query(max_length=500, alias="at")]


@router.get("/documents/{fact:path}")
async def show_document(fact: Fact, served: ServedHere, visit: VisitHere) -> Response:
    """A receipt, an order or any other document, its people masked."""
    return await _show(served, visit, fact)


@router.post("/documents/{fact:path}")
async def reveal_document(fact: Fact, served: ServedHere, visit: VisitHere) -> Response:
    """The same document, unmasked, once the reason is kept."""
    return await _show(served, visit, fact, reason=visit.reason())


async def _show(served: Served, visit: Visit, name: str, *, reason: str = "") -> Response:
    def read() -> Document:
        with served.readers.begin() as connection:
            return shown(served.hub, connection, name, (), reveal=bool(reason))

    found = await asyncio.to_thread(read)
    await seen(served, visit.key, found.fact, reason=reason)
    return page(visit, "document.html", found=found, body=found.body, reason=reason)


@router.get("/origins/{fact:path}")
async def show_origins(fact: Fact, served: ServedHere, visit: VisitHere, at: At = "") -> Response:
    """Which message, source path, rule and mapping version a value came from; without one, all."""
    return await _origins(served, visit, fact, at)


@router.post("/origins/{fact:path}")
async def reveal_origins(fact: Fact, served: ServedHere, visit: VisitHere, at: At = "") -> Response:
    """The same with nothing masked, once the reason is kept."""
    return await _origins(served, visit, fact, at, reason=visit.reason())


async def _origins(
    served: Served, visit: Visit, fact: str, at: str, *, reason: str = ""
) -> Response:
    def read() -> list[Explained]:
        # The writer alone knows when reference data has to be looked up again.
        hub = served.hub.apart()
        with served.readers.begin() as connection:
            return explaining.explain(hub, connection, fact, at, reveal=bool(reason))

    origins = await asyncio.to_thread(read)
    await seen(served, visit.key, fact, reason=reason)
    return page(visit, "origins.html", origins=origins, fact=fact, at=at, reason=reason)

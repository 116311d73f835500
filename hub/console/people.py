"""Finding by what somebody has at hand, and the page of a person.

What is looked for travels in forms, never in addresses: those are kept by browsers and proxies.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy import Connection

from hub import finding, journal
from hub.api.audit import seen
from hub.api.served import Served, ServedHere
from hub.bootstrap import Hub
from hub.console.page import PLACE, Page, onward, page
from hub.console.rule import FORM, Visit, VisitHere
from hub.console.words import path
from hub.people import view
from hub.people.view import Found, Person
from hub.whereabouts import Whereabouts, whereabouts
from schemas.problem import Refused

__all__ = ["router"]

router = APIRouter(prefix=PLACE, route_class=Page, include_in_schema=False)

Fact = Annotated[str, Path(max_length=500)]
Cursor = Annotated[str | None, Query(max_length=2000)]

_TEXT_MAX = 200
_DOCUMENTS_MAX = 20
_STORY_LIMIT = 50
_NUMBER_LENGTH_MAX = 18


@dataclass(frozen=True, slots=True)
class _Findings:
    people: Found
    documents: tuple[Whereabouts, ...]
    message: int | None

    @property
    def only(self) -> str | None:
        """Where to go at once: there is one thing that was meant."""
        people = [f"{PLACE}/people/{path(each.person)}" for each in self.people.items]
        documents = [f"{PLACE}/documents/{path(each.fact)}" for each in self.documents]
        if self.message is not None or self.people.more:
            return None
        # Of an order of one customer the order was meant.
        if len(documents) == 1 and len(people) <= 1:
            return documents[0]
        return people[0] if len(people) == 1 and not documents else None


@router.post("/search")
async def search(served: ServedHere, visit: VisitHere) -> Response:
    """People, orders, receipts and messages of exactly this number, name or address."""
    text = visit.said("q")
    if not 0 < len(text) <= _TEXT_MAX:
        raise Refused(FORM.at(f"what to find has 1 to {_TEXT_MAX} characters", path="q"))
    found = await asyncio.to_thread(_found, served, text)
    await seen(served, visit.key, "customers", detail=found.people.audited())
    return onward(found.only) if found.only else page(visit, "found.html", found=found, text=text)


def _found(served: Served, text: str) -> _Findings:
    with served.readers.begin() as connection:
        people = view.find(served.hub, connection, text)
        return _Findings(
            people, _documents(served.hub, connection, text), _message(connection, text)
        )


def _documents(hub: Hub, connection: Connection, text: str) -> tuple[Whereabouts, ...]:
    facts = finding.named(connection, text, systems=hub.systems, most=_DOCUMENTS_MAX)
    return tuple(whereabouts(connection, facts))


def _message(connection: Connection, text: str) -> int | None:
    digits = text.removeprefix("message").strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _NUMBER_LENGTH_MAX):
        return None
    return int(digits) if journal.entry(connection, int(digits)) else None


@router.get("/people/{fact:path}")
async def show_person(
    fact: Fact, served: ServedHere, visit: VisitHere, cursor: Cursor = None
) -> Response:
    """A person, masked, with everything that happened to them."""
    return await _show(served, visit, fact, cursor=cursor)


@router.post("/people/{fact:path}")
async def reveal_person(
    fact: Fact, served: ServedHere, visit: VisitHere, cursor: Cursor = None
) -> Response:
    """The same person, unmasked, once the reason is kept."""
    return await _show(served, visit, fact, cursor=cursor, reason=visit.reason())


async def _show(
    served: Served, visit: Visit, fact: str, *, cursor: str | None, reason: str = ""
) -> Response:
    def read() -> Person:
        with served.readers.begin() as connection:
            return view.person(
                served.hub,
                connection,
                fact,
                reveal=bool(reason),
                limit=_STORY_LIMIT,
                cursor=cursor,
            )

    person = await asyncio.to_thread(read)
    await seen(served, visit.key, person.person, reason=reason)
    return page(visit, "person.html", person=person, fact=fact, cursor=cursor, reason=reason)

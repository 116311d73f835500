"""Deliveries: what other systems are told, what a person decides about it, and the feed."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from hub.api.asked import asked
from hub.api.body import parsed
from hub.api.errors import answers
from hub.api.messages import Operator
from hub.api.paging import Page, Turned, page
from hub.api.rule import only
from hub.api.served import Reading, ServedHere
from hub.delivery import deciding
from hub.delivery.status import EXAMPLE, Status, destinations
from hub.keys import Key
from hub.since import moment

__all__ = ["router"]

router = APIRouter(tags=["deliveries"])

Looker = Annotated[Key, Depends(only("reader", "agent", "operator"))]
Reader = Annotated[Key, Depends(only("receiver", "reader", "operator"))]
Name = Annotated[str, Path(max_length=100, description="A destination of the settings.")]
Number = Annotated[int, Field(ge=1, le=2**63 - 1)]
Numbers = Annotated[
    frozenset[Number],
    Field(min_length=1, max_length=5000, description="Numbers of open deliveries."),
]

_ROW: dict[str, JsonValue] = {
    "id": 17,
    "key": "msg_5c1d09ae",
    "destination": "crm",
    "subject": "shop:order/1001",
    "kind": "Order",
    "message_id": 41,
    "state": "parked",
    "attempts": 1,
    "created_at": "2031-05-06T09:30:00.000000Z",
    "due_at": "2031-05-06T09:30:00.000000Z",
    "attempted_at": "2031-05-06T09:30:01.000000Z",
    "failure": "it answered 422",
    "reverses": "msg_0b9c44d1",
}


class DeliveryRow(BaseModel):
    """A delivery, how often it was tried, and why it is not done."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": _ROW})

    id: int
    key: str = Field(description="The `webhook-id`, the same at every attempt.")
    destination: str
    subject: str = Field(description="The fact; of one fact, one goes after the other.")
    kind: str
    message_id: int
    state: str
    attempts: int
    created_at: str
    due_at: str
    attempted_at: str | None
    failure: str | None = Field(description="Why the last attempt failed, or why none is made.")
    reverses: str | None = Field(description="The `webhook-id` of the delivery that it takes back.")


class Destinations(BaseModel):
    """How every destination is doing."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"destinations": [EXAMPLE]}}
    )

    destinations: list[Status]


class Retry(BaseModel):
    """What to try again now: these, or whatever is open for a destination."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"example": {"deliveries": [17, 19]}}
    )

    deliveries: Numbers | None = None
    destination: str | None = Field(default=None, min_length=1, max_length=100)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.deliveries is None) == (self.destination is None):
            raise ValueError("name deliveries or a destination, and not both")
        return self


class Resend(BaseModel):
    """What to tell again: these, or all that a destination was told in a window."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "example": {"destination": "crm", "since": "2031-05-06T09:00:00.000000Z"}
        },
    )

    deliveries: Numbers | None = None
    destination: str | None = Field(default=None, min_length=1, max_length=100)
    since: str | None = Field(default=None, max_length=40, description="Such as 7d or a moment.")
    until: str | None = Field(default=None, max_length=40, description="Told before then.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.deliveries is None) == (self.destination is None):
            raise ValueError("name deliveries or a destination, and not both")
        if self.deliveries is not None and (self.since or self.until):
            raise ValueError("a window goes with a destination")
        return self


class GivenUp(BaseModel):
    """Which deliveries to give up, and why, for the audit."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"example": {"deliveries": [17], "reason": "entered there by hand"}},
    )

    deliveries: Numbers
    reason: str = Field(min_length=1, max_length=500)


class Counted(BaseModel):
    """How many deliveries it was."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"count": 2}})

    count: int


_ENTRY: dict[str, JsonValue] = {
    "number": 17,
    "id": "msg_5c1d09ae",
    "timestamp": "2031-05-06T09:30:00.000000Z",
    "data": {
        "kind": "Order",
        "model": "order.v1",
        "fact": "shop:order/1001",
        "version": "2031-05-06T09:29:58Z",
        "document": {"system": "shop", "id": "1001"},
    },
}


class Entry(BaseModel):
    """Something that the destination was or is to be told; ``data`` is an Envelope, or names with
    ``reverses`` the one that does not hold any more.
    """

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": _ENTRY})

    number: int
    id: str = Field(description="The `webhook-id`.")
    timestamp: str
    data: dict[str, Any]


class Feed(BaseModel):
    """Some of what a destination was told, in its order."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"items": [_ENTRY], "after": 17}}
    )

    items: list[Entry]
    after: int = Field(description="Ask for what comes after this number next.")


@router.get("/destinations", responses=answers())
def list_destinations(served: ServedHere, reading: Reading, key: Looker) -> Destinations:
    """How many deliveries wait for each destination, and whether it is sent to."""
    return Destinations(destinations=destinations(reading, served.hub))


@router.get("/deliveries", responses=answers(422))
def list_deliveries(
    reading: Reading,
    key: Looker,
    turn: Turned,
    destination: Annotated[str | None, Query(max_length=100)] = None,
    state: Annotated[
        Literal["waiting", "parked", "delivered", "superseded", "discarded"] | None,
        Query(description="Else those that are not done."),
    ] = None,
) -> Page[DeliveryRow]:
    """Deliveries in the order in which they are told."""
    rows = deciding.listed(
        reading, to=destination, state=state, limit=turn.limit + 1, after=turn.cursor
    )
    return page(DeliveryRow, rows, turn, lambda row: (row["id"],))


@router.post("/deliveries/retry", responses=answers(404, 408, 409, 413), openapi_extra=asked(Retry))
async def retry_deliveries(request: Request, served: ServedHere, key: Operator) -> Counted:
    """Try deliveries again now, parked ones too. A destination that was paused is sent to again."""
    wanted = await parsed(request, Retry)
    work = partial(
        deciding.retry,
        numbers=wanted.deliveries or (),
        to=wanted.destination,
        actor=key.actor,
        now=served.hub.now(),
    )
    return Counted(count=await asyncio.wrap_future(served.writer.submit(work)))


@router.post(
    "/deliveries/resend", responses=answers(404, 408, 409, 413, 422), openapi_extra=asked(Resend)
)
async def resend_deliveries(request: Request, served: ServedHere, key: Operator) -> Counted:
    """Tell a destination again what it was told, under the same ids, each thing as it is now."""
    wanted = await parsed(request, Resend)
    now = served.hub.now()
    window = (each and moment(each, now) for each in (wanted.since, wanted.until))
    which = deciding.Told(wanted.deliveries or (), wanted.destination, *window)
    work = partial(deciding.resend, which=which, actor=key.actor, now=now)
    return Counted(count=await asyncio.wrap_future(served.writer.submit(work)))


@router.post(
    "/deliveries/discard", responses=answers(404, 408, 409, 413), openapi_extra=asked(GivenUp)
)
async def discard_deliveries(request: Request, served: ServedHere, key: Operator) -> Counted:
    """Give deliveries up; what comes after them of their subject goes on."""
    wanted = await parsed(request, GivenUp)
    work = partial(
        deciding.discard,
        numbers=wanted.deliveries,
        actor=key.actor,
        reason=wanted.reason,
        now=served.hub.now(),
    )
    return Counted(count=await asyncio.wrap_future(served.writer.submit(work)))


@router.get("/feed/{destination}", responses=answers(404))
async def read_feed(
    destination: Name,
    served: ServedHere,
    key: Reader,
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="Of the page before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=200, description="At most so many.")] = 100,
) -> Feed:
    """Everything that a destination was or is to be told, for one that has lost it, as it is now.

    People are masked to a reader; to a receiver and an operator as the destination is told of them.
    A receiver's key reads the feeds that it is for. Who reads is kept first.
    """
    deciding.check(served.hub, destination)
    note = partial(
        deciding.note_feed, name=destination, after=after, actor=key.actor, now=served.hub.now()
    )
    await asyncio.wrap_future(served.writer.submit(note))
    personal = key.role in ("receiver", "operator")

    def read() -> list[dict[str, Any]]:
        with served.readers.begin() as connection:
            return deciding.feed(
                served.hub, connection, destination, after=after, limit=limit, personal=personal
            )

    items = [Entry(**row) for row in await asyncio.to_thread(read)]
    return Feed(items=items, after=items[-1].number if items else after)

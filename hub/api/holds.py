"""Several holds at once: all of them are released or given up, or none is."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from connectors.api import MESSAGE_BYTES_MAX
from hub import edit, holds
from hub.api.asked import asked
from hub.api.body import parsed
from hub.api.errors import answers
from hub.api.messages import Number, Operator
from hub.api.served import Served, ServedHere
from hub.settle import Settled
from schemas.problem import Problem

__all__ = ["router"]

router = APIRouter(tags=["messages"])

Numbers = Annotated[
    frozenset[Annotated[int, Field(ge=1, le=2**63 - 1)]],
    Field(min_length=1, max_length=5000, description="Numbers of held messages."),
]


# In base64 it is a third longer.
_EDIT_BYTES_MAX = 2 * MESSAGE_BYTES_MAX


class Releases(BaseModel):
    """What to release. ``replace`` lets it stand instead of the facts that came before."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"example": {"messages": [17, 19]}}
    )

    messages: Numbers
    replace: bool = False


class Discards(BaseModel):
    """What to give up, and why, for the audit."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"example": {"messages": [17], "reason": "sent twice by the vendor"}},
    )

    messages: Numbers
    reason: str = Field(min_length=1, max_length=500)


class Edit(BaseModel):
    """What a held message should have said, in base64, and why, for the audit.

    With ``dry_run`` the answer is what would come of it, and nothing is kept.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"example": {"payload": "eyJpZCI6IDd9", "reason": "the total was cut"}},
    )

    payload: Base64Bytes = Field(max_length=MESSAGE_BYTES_MAX)
    reason: str = Field(min_length=1, max_length=500)
    dry_run: bool = False


class Outcomes(BaseModel):
    """The state each message came to, and why it is held again if it is."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"states": {"17": "applied"}, "problems": {}}}
    )

    states: dict[int, str]
    problems: dict[int, Problem]


class Discarded(BaseModel):
    """How many messages were given up, and what became of those that waited behind them."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"example": {"count": 1, "states": {"19": "applied"}, "problems": {}}},
    )

    count: int
    states: dict[int, str]
    problems: dict[int, Problem]


@router.post("/holds/release", responses=answers(408, 409, 413), openapi_extra=asked(Releases))
async def release_holds(request: Request, served: ServedHere, key: Operator) -> Outcomes:
    """Send held messages through the mapping in force again, in the order they came."""
    wanted = await parsed(request, Releases)
    work = partial(
        holds.release, served.hub, wanted.messages, actor=key.actor, replace=wanted.replace
    )
    settled = await asyncio.wrap_future(served.writer.alone(work))
    return Outcomes(states=settled.states, problems=settled.problems)


@router.post("/holds/discard", responses=answers(408, 409, 413), openapi_extra=asked(Discards))
async def discard_holds(request: Request, served: ServedHere, key: Operator) -> Discarded:
    """Give held messages up. They stay in the journal, and what waits behind them goes on."""
    wanted = await parsed(request, Discards)
    work = partial(
        holds.discard, served.hub, wanted.messages, actor=key.actor, reason=wanted.reason
    )
    settled = await asyncio.wrap_future(served.writer.alone(work))
    states = {n: state for n, state in settled.states.items() if n not in wanted.messages}
    return Discarded(count=len(wanted.messages), states=states, problems=settled.problems)


@router.post(
    "/holds/{number}/edit", responses=answers(404, 408, 409, 413), openapi_extra=asked(Edit)
)
async def edit_hold(
    number: Number, request: Request, served: ServedHere, key: Operator
) -> Outcomes:
    """Put an edit in the place of a held message and release it; what came in is kept beside it."""
    wanted = await parsed(request, Edit, bytes_max=_EDIT_BYTES_MAX)
    settled = await asyncio.wrap_future(
        served.writer.alone(partial(_edited, served, number, wanted, key.actor))
    )
    return Outcomes(states=settled.states, problems=settled.problems)


def _edited(served: Served, number: int, wanted: Edit, actor: str) -> Settled:
    if wanted.dry_run:
        return edit.preview(served.hub, number, wanted.payload, actor=actor).settled
    return edit.edit(served.hub, number, wanted.payload, actor=actor, reason=wanted.reason)

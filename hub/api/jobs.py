"""Jobs over HTTP: a replay planned, begun, looked at, paused, gone on with and given up."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from hub import publication
from hub.api.asked import asked
from hub.api.body import parsed
from hub.api.errors import answers
from hub.api.messages import Looker, Operator
from hub.api.paging import Page, Turned, page
from hub.api.served import Reading, Served, ServedHere
from hub.api.sieve import Sieve
from hub.jobs import record
from hub.jobs.ask import Ask, Effects
from hub.jobs.plan import Plan, plan
from hub.jobs.record import Act
from schemas.problem import Problem

__all__ = ["router"]

router = APIRouter(tags=["jobs"])

Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="Number of the job.")]

_QUERY: dict[str, JsonValue] = {"source": "shop_eu", "kind": "order", "since": "7d"}
_COUNTS: dict[str, JsonValue] = {
    "total": 412,
    "done": 150,
    "failed": 1,
    "remade": 120,
    "unchanged": 31,
    "added": 0,
    "left_over": 0,
    "told": 0,
}
_JOB: dict[str, JsonValue] = {
    "id": 7,
    "kind": "replay",
    "state": "failed",
    "actor": "key 0123456789ab integration",
    "reason": "the discount was read wrongly",
    **_COUNTS,
    "created_at": "2031-05-06T20:15:00.000000Z",
    "started_at": "2031-05-06T20:15:01.000000Z",
    "ended_at": "2031-05-06T20:16:00.000000Z",
    "asked": {"source": "shop_eu", "kind": "order", "since": "2031-04-29T20:15:00.000000Z"},
    "effects": "none",
    "problems": {
        "41": {
            "code": "LP-DOC-003",
            "summary": "The document is not well-formed.",
            "next_step": "Have the sender mend it.",
        }
    },
    "problem": {
        "code": "LP-JOB-005",
        "summary": "Lynchpin itself failed on the job.",
        "next_step": "Report it; `lynchpin job resume` goes on where it stopped.",
        "detail": "KeyError in look, line 90",
    },
}
_PLAN: dict[str, JsonValue] = {
    "asked": {"source": "shop_eu", "kind": "order", "since": "2031-04-29T20:15:00.000000Z"},
    "messages": 412,
    "documents": 431,
    "outdated": 120,
    "removed": 0,
    "parts": [
        {
            "source": "shop_eu",
            "message": "order",
            "kind": "Order",
            "documents": 412,
            "outdated": 120,
        }
    ],
    "sample": [{"id": 41, "source": "shop_eu", "kind": "order", "fact": "shop-eu:order/1001"}],
    "destinations": [
        {
            "destination": "crm",
            "mode": "latest",
            "corrections": "upsert",
            "effects": "none",
            "deliveries": 0,
        }
    ],
}


class ReplayAsked(Sieve):
    """Which messages are to make their documents again: those that fit everything that is given.

    ``replayed`` takes only documents of that mapping which another version than the one in force
    made, and ``plan`` only what that plan of it found to be made otherwise.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"example": {**_QUERY, "effects": "none"}}
    )

    all: bool = Field(default=False, description="All of them, where nothing else is given.")
    replayed: Annotated[
        str | None, Field(max_length=200, description="A mapping, such as shopify.order.")
    ] = None
    plan: Annotated[str | None, Field(max_length=40, description="A plan of that mapping.")] = None
    effects: Effects = Field(
        default="none", description="Whether destinations hear of what is otherwise then."
    )

    def ask(self, served: Served) -> Ask:
        """What is asked for, with moments. Raises ``Refused`` for what says no time."""
        sought = self.sought(now=served.hub.now())
        target = None if self.replayed is None else publication.target(self.replayed)
        return Ask(sought, all=self.all, target=target, plan=self.plan, effects=self.effects)


class JobAsked(ReplayAsked):
    """A replay to do, and why, for the audit."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"example": {**_QUERY, "reason": "the discount was read wrongly"}},
    )

    reason: str = Field(min_length=1, max_length=500)


class PlanPart(BaseModel):
    """Documents of one source, kind of message and kind of document."""

    model_config = ConfigDict(frozen=True)

    source: str
    message: str | None
    kind: str
    documents: int
    outdated: int = Field(description="Made by another version than the one in force.")


class PlanSample(BaseModel):
    """One of the messages."""

    model_config = ConfigDict(frozen=True)

    id: int
    source: str
    kind: str | None
    fact: str | None


class PlanEffect(BaseModel):
    """What a destination hears of it."""

    model_config = ConfigDict(frozen=True)

    destination: str
    mode: str
    corrections: str = Field(description="What it is told of them: `upsert`, `append`, `never`.")
    effects: str
    deliveries: int = Field(description="At most so many.")


class ReplayPlan(BaseModel):
    """What a replay would go through; nothing is done."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": _PLAN})

    asked: dict[str, Any]
    messages: int
    documents: int
    outdated: int = Field(description="Made by another version than the one in force.")
    removed: int = Field(
        description="Documents that stay: what they were made of was removed after its days."
    )
    parts: list[PlanPart]
    sample: list[PlanSample] = Field(description="The first of the messages.")
    destinations: list[PlanEffect]


class JobRow(BaseModel):
    """A job: what was asked for, how far it is, and what came of it."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": _JOB})

    id: int
    kind: str
    state: str
    actor: str
    reason: str
    total: int = Field(description="Messages, as they were counted when it was asked for.")
    done: int = Field(description="Messages that it is through with.")
    failed: int = Field(description="Of these, those whose documents stay as they were.")
    remade: int = Field(description="Documents that are otherwise now.")
    unchanged: int = Field(description="Documents that were made again and are the same.")
    added: int = Field(description="Further documents that were not there before.")
    left_over: int = Field(description="Documents that are not made any more; they stay.")
    told: int = Field(description="Deliveries that were written for it.")
    created_at: str
    started_at: str | None
    ended_at: str | None
    asked: dict[str, Any]
    effects: str
    problems: dict[int, Problem] = Field(description="Why the first ones failed, by message.")
    problem: Problem | None = Field(description="Why the job could not go on.")


class Why(BaseModel):
    """Why it is done, for the audit, if somebody says so."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"example": {"reason": "the sale begins"}}
    )

    reason: str = Field(default="", max_length=500)


def _planned(served: Served, wanted: ReplayAsked) -> Plan:
    with served.readers.begin() as connection:
        return plan(served.hub, connection, wanted.ask(served))


@router.post(
    "/replays/plan", responses=answers(400, 404, 408, 413), openapi_extra=asked(ReplayAsked)
)
async def plan_replay(request: Request, served: ServedHere, key: Looker) -> ReplayPlan:
    """How many messages and documents, which, and what destinations hear of it."""
    wanted = await parsed(request, ReplayAsked)
    made = await asyncio.to_thread(_planned, served, wanted)
    return ReplayPlan.model_validate(made.as_json())


@router.post("/jobs", responses=answers(400, 404, 408, 413), openapi_extra=asked(JobAsked))
async def start_job(request: Request, served: ServedHere, key: Operator) -> JobRow:
    """Have documents made again by the versions in force; the hub does it by and by."""
    wanted = await parsed(request, JobAsked)
    made = await asyncio.to_thread(_planned, served, wanted)
    work = partial(
        record.start, plan=made, actor=key.actor, reason=wanted.reason, now=served.hub.now()
    )
    return JobRow.model_validate((await served.finish(work)).as_json())


@router.get("/jobs", responses=answers(422))
def list_jobs(
    reading: Reading,
    key: Looker,
    turn: Turned,
    state: Annotated[
        Literal["planned", "running", "paused", "cancelled", "done", "failed"] | None,
        Query(description="Only jobs in this state."),
    ] = None,
) -> Page[JobRow]:
    """Jobs, the newest first."""
    found = record.listed(reading, state=state, limit=turn.limit + 1, after=turn.cursor)
    return page(JobRow, [each.as_json() for each in found], turn, lambda row: (row["id"],))


@router.get("/jobs/{number}", responses=answers(404))
def show_job(number: Number, reading: Reading, key: Looker) -> JobRow:
    """How far a job is, and what came of it."""
    return JobRow.model_validate(record.entry(reading, number).as_json())


async def _decide(request: Request, served: Served, key: Any, number: int, act: Act) -> JobRow:
    wanted = await parsed(request, Why)
    work = partial(
        record.decide,
        number=number,
        act=act,
        actor=key.actor,
        reason=wanted.reason,
        now=served.hub.now(),
    )
    return JobRow.model_validate((await served.finish(work)).as_json())


@router.post(
    "/jobs/{number}/pause", responses=answers(404, 408, 409, 413), openapi_extra=asked(Why)
)
async def pause_job(number: Number, request: Request, served: ServedHere, key: Operator) -> JobRow:
    """Have a job rest from its next batch on."""
    return await _decide(request, served, key, number, "pause")


@router.post(
    "/jobs/{number}/resume", responses=answers(404, 408, 409, 413), openapi_extra=asked(Why)
)
async def resume_job(number: Number, request: Request, served: ServedHere, key: Operator) -> JobRow:
    """Go on with a job that was paused, or that could not go on."""
    return await _decide(request, served, key, number, "resume")


@router.post(
    "/jobs/{number}/cancel", responses=answers(404, 408, 409, 413), openapi_extra=asked(Why)
)
async def cancel_job(number: Number, request: Request, served: ServedHere, key: Operator) -> JobRow:
    """End a job for good. What it has done stays."""
    return await _decide(request, served, key, number, "cancel")

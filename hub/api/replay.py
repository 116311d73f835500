"""Replay over HTTP: documents made again by the mapping in force, a batch a call."""

from __future__ import annotations

import logging
from functools import partial

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from hub import replay as replaying
from hub.api.asked import asked
from hub.api.body import parsed
from hub.api.errors import answers
from hub.api.mappings import Connector, Kind, target_of
from hub.api.messages import Operator
from hub.api.served import ServedHere
from hub.replay import Part
from hub.since import moment
from schemas.problem import Problem

__all__ = ["router"]

router = APIRouter(tags=["mappings"])

_log = logging.getLogger("lynchpin.replay")


class Replaying(BaseModel):
    """Where the batch begins, and what is to be made again; without more, all there is."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"example": {"after": 0, "since": "7d"}}
    )

    after: int = Field(
        default=0, ge=0, lt=2**63, description="The `last` of the batch before, or 0 to begin."
    )
    since: str | None = Field(
        default=None,
        max_length=40,
        description="Only what came in since then: a moment, a date, or how long ago, as in 7d.",
    )
    plan: str | None = Field(
        default=None,
        max_length=40,
        description="Only what this plan of the version in force found to be made otherwise.",
    )


class Batch(BaseModel):
    """What a batch came to."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "remade": 200,
                "failed": 0,
                "added": 0,
                "left": 0,
                "problems": {},
                "last": 4711,
            }
        },
    )

    remade: int = Field(description="Documents that were made again.")
    failed: int = Field(description="Messages that fail now; their documents stay as they were.")
    problems: dict[int, Problem] = Field(description="Why, of the first of them, by message.")
    added: int = Field(description="Further documents that were not there before.")
    left: int = Field(
        description="Further documents that the version in force does not make; they stay."
    )
    last: int | None = Field(description="Where the next batch begins; nothing after the last.")


@router.post(
    "/mappings/{connector}/{kind}/replay",
    responses=answers(400, 404, 408, 413),
    openapi_extra=asked(Replaying),
)
async def replay_mapping(
    connector: Connector, kind: Kind, request: Request, served: ServedHere, key: Operator
) -> Batch:
    """Make documents of another version of this mapping again, by the one in force.

    No channel hears of it. What fails in the version in force stays as it was.
    """
    target = target_of(connector, kind)
    wanted = await parsed(request, Replaying)
    since = wanted.since and moment(wanted.since, served.hub.now())
    work = partial(
        replaying.replay,
        served.hub,
        target=target,
        part=Part(since, wanted.plan),
        after=wanted.after,
        actor=key.actor,
    )
    done = await served.finish(work)
    for number, problem in done.problems.items():
        if problem.code == replaying.FAILED.code:
            extra = {"code": problem.code, "message_id": number, "failure": problem.detail}
            _log.error("Lynchpin failed on a message", extra=extra)
    return Batch(
        remade=done.remade,
        failed=done.failed,
        problems=done.problems,
        added=done.added,
        left=done.left,
        last=done.last,
    )

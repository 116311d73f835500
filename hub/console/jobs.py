"""Jobs: what was asked for and takes long, how far each is, and pausing or ending it."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from hub.api.served import Reading, ServedHere
from hub.console.page import PLACE, Page, onward, page
from hub.console.rule import FORM, VisitHere
from hub.jobs import record
from hub.jobs.record import ACTS, RUNNING
from hub.paging import cut
from schemas.problem import Refused

__all__ = ["router"]

router = APIRouter(prefix=PLACE, route_class=Page, include_in_schema=False)

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]

_ROWS = 50


@router.get("/jobs")
def list_jobs(
    reading: Reading,
    visit: VisitHere,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    """Jobs, the newest first."""
    found = record.listed(reading, limit=_ROWS + 1, after=cursor)
    rows, following = cut(found, _ROWS, lambda each: (each.id,))
    return page(visit, "jobs.html", rows=rows, following=following)


@router.get("/jobs/{number}")
def show_job(number: Number, reading: Reading, visit: VisitHere) -> Response:
    """How far a job is, what came of it, and what may be decided about it."""
    job = record.entry(reading, number)
    return page(visit, "job.html", job=job, runs=job.state in RUNNING)


@router.post("/jobs/{number}")
async def decide(number: Number, served: ServedHere, visit: VisitHere) -> Response:
    """Pause, resume or end a job, from its next batch on."""
    act = next((each for each in ACTS if each == visit.said("act")), None)
    if act is None:
        raise Refused(FORM.at("neither pause nor resume nor cancel", path="act"))
    reason = visit.reason() if act == "cancel" else ""
    work = partial(
        record.decide,
        number=number,
        act=act,
        actor=visit.key.actor,
        reason=reason,
        now=served.hub.now(),
    )
    await served.finish(work)
    return onward(f"{PLACE}/jobs/{number}")

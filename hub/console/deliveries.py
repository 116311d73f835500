"""Deliveries: how each destination is doing, what is not done for it, and what a person decides."""

from __future__ import annotations

import asyncio
from functools import partial

from fastapi import APIRouter, Response

from hub.api.served import Reading, ServedHere
from hub.console.page import PLACE, Page, page
from hub.console.rule import FORM, VisitHere
from hub.delivery import deciding, queue
from hub.delivery.status import destinations
from schemas.problem import Refused

__all__ = ["router"]

router = APIRouter(prefix=PLACE, route_class=Page, include_in_schema=False)

_SHOWN_MAX = 500


@router.get("/deliveries")
def list_deliveries(served: ServedHere, reading: Reading, visit: VisitHere) -> Response:
    """Every destination, and what is open."""
    rows = deciding.listed(reading, limit=_SHOWN_MAX + 1)
    shown = rows[:_SHOWN_MAX]
    found = destinations(reading, served.hub)
    return page(
        visit,
        "deliveries.html",
        destinations=found,
        to={each.name: each for each in found},
        rows=shown,
        standing=queue.standing(reading, [row["id"] for row in shown], served.hub.now()),
        more=len(rows) > _SHOWN_MAX,
    )


@router.post("/deliveries/destination")
async def retry_destination(served: ServedHere, visit: VisitHere) -> Response:
    """Send to a destination now, whatever it said of itself."""
    to = visit.said("destination")
    if not to:
        raise Refused(FORM.at("names no destination", path="destination"))
    work = partial(deciding.retry, to=to, actor=visit.key.actor, now=served.hub.now())
    count = await asyncio.wrap_future(served.writer.submit(work))
    return page(visit, "decided.html", act="retry", count=count, destination=to)


@router.post("/deliveries/decide")
async def decide(served: ServedHere, visit: VisitHere) -> Response:
    """Try chosen deliveries now; or give them up, for a reason."""
    act = visit.said("act")
    numbers, actor, now = visit.numbers("delivery"), visit.key.actor, served.hub.now()
    if act == "retry":
        work = partial(deciding.retry, numbers=numbers, actor=actor, now=now)
    elif act == "discard":
        reason = visit.reason()
        work = partial(deciding.discard, numbers=numbers, actor=actor, reason=reason, now=now)
    else:
        raise Refused(FORM.at("neither retry nor discard", path="act"))
    count = await asyncio.wrap_future(served.writer.submit(work))
    return page(visit, "decided.html", act=act, count=count, destination=None)

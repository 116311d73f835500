"""Unverified windows: what may be missing since a restore, until somebody has compared."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Response

from hub import unverified
from hub.api.served import Reading, ServedHere
from hub.console.page import PLACE, Page, page
from hub.console.rule import FORM, VisitHere
from schemas.problem import Refused

__all__ = ["router"]

router = APIRouter(prefix=PLACE, route_class=Page, include_in_schema=False)

_CLOSED_MAX = 50


@router.get("/unverified")
def list_unverified(reading: Reading, visit: VisitHere) -> Response:
    """What nobody has compared yet, source by source; and what was, by whom."""
    windows: dict[str, list[unverified.Window]] = {}
    for window in unverified.open_windows(reading):
        windows.setdefault(window.source, []).append(window)
    closed = unverified.closed_windows(reading, limit=_CLOSED_MAX)
    return page(visit, "unverified.html", windows=windows, closed=closed)


@router.post("/unverified")
async def reconcile(served: ServedHere, visit: VisitHere) -> Response:
    """Say that nothing of a source is missing any more, and how that is known."""
    source = visit.said("source")
    if not source:
        raise Refused(FORM.at("names no source", path="source"))
    reason = visit.reason()
    work = partial(
        unverified.reconcile,
        source=source,
        reason=reason,
        actor=visit.key.actor,
        now=served.hub.now(),
    )
    closed = await served.finish(work)
    return page(visit, "reconciled.html", source=source, closed=closed, reason=reason)

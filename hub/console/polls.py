"""Polls: how far each has come, why one does not, and what a person decides of it."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Response

from hub.api.served import Reading, ServedHere
from hub.console.page import PLACE, Page, onward, page
from hub.console.rule import FORM, VisitHere
from hub.polling import deciding
from hub.polling.page import utc_text
from hub.polling.status import Status, polls
from schemas.problem import Refused

__all__ = ["router"]

router = APIRouter(prefix=PLACE, route_class=Page, include_in_schema=False)


@router.get("/polls")
def list_polls(served: ServedHere, reading: Reading, visit: VisitHere) -> Response:
    """The streams of every poll."""
    hub = served.hub
    found: dict[str, list[Status]] = {}
    for each in polls(reading, hub.settings.polls, hub.now()):
        found.setdefault(each.name, []).append(each)
    return page(visit, "polls.html", polls=found)


@router.post("/polls/now")
async def poll_now(served: ServedHere, visit: VisitHere) -> Response:
    """Have every stream of a poll read at once."""
    name, actor = visit.said("poll"), visit.key.actor
    await served.finish(partial(deciding.poll_now, hub=served.hub, name=name, actor=actor))
    return onward(f"{PLACE}/polls")


@router.post("/polls/rewind")
async def rewind(served: ServedHere, visit: VisitHere) -> Response:
    """Have a poll, or one stream of it, read again what changed from a moment on."""
    to = utc_text(visit.said("to"))
    if to is None:
        raise Refused(FORM.at("a time is written as 2031-05-06T10:00, in UTC", path="to"))
    work = partial(
        deciding.rewind,
        hub=served.hub,
        name=visit.said("poll"),
        to=to,
        stream=visit.said("stream") or None,
        actor=visit.key.actor,
    )
    await served.finish(work)
    return onward(f"{PLACE}/polls")

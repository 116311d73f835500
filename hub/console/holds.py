"""Holds: what waits for a person, by cause; released or given up after saying what that does."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response

from hub import holds
from hub.api.served import Reading, ServedHere
from hub.console.page import PLACE, Page, page
from hub.console.rule import FORM, VisitHere
from hub.fingerprint import grouped
from hub.settle import Settled
from schemas.problem import Refused

__all__ = ["router"]

router = APIRouter(prefix=PLACE, route_class=Page, include_in_schema=False)

_SHOWN_MAX = 500
_AT_ONCE = 200
_GROUP_MAX = 5000
"""A browser waits for it; what is left is done the next time."""


@router.get("/holds")
def list_holds(
    reading: Reading,
    visit: VisitHere,
    code: Annotated[str | None, Query(max_length=50)] = None,
) -> Response:
    """What is held, by what is wrong with it."""
    rows = holds.held(reading, code=code, limit=_SHOWN_MAX + 1)
    groups = grouped(rows[:_SHOWN_MAX])
    return page(visit, "holds.html", groups=groups, code=code, more=len(rows) > _SHOWN_MAX)


@router.post("/holds/confirm")
def confirm(reading: Reading, visit: VisitHere) -> Response:
    """What a release, or giving up, will do; nothing is done yet."""
    act = visit.said("act")
    if act == "group":
        group = visit.said("group")
        count = len(holds.group(reading, group))
        return page(visit, "group.html", group=group, count=count, code=visit.said("code"))
    if act not in {"release", "discard"}:
        raise Refused(FORM.at("neither release nor discard", path="act"))
    numbers = sorted(visit.numbers("message"))
    return page(visit, "confirm.html", act=act, numbers=numbers, code=visit.said("code"))


@router.post("/holds/release")
async def release(served: ServedHere, visit: VisitHere) -> Response:
    """Send held messages through the mapping in force again; what fails is held again."""
    numbers = visit.numbers("message")
    replace = visit.said("replace") == "yes"
    work = partial(holds.release, served.hub, numbers, actor=visit.key.actor, replace=replace)
    settled = await asyncio.wrap_future(served.writer.alone(work))
    return page(
        visit, "released.html", settled=settled, numbers=sorted(numbers | {*settled.states})
    )


@router.post("/holds/group")
async def release_group(served: ServedHere, visit: VisitHere) -> Response:
    """Release all that is held for one thing, batch by batch, in the order it came."""
    name, replace = visit.said("group"), visit.said("replace") == "yes"
    total, after, count = Settled(), 0, 0
    while count < _GROUP_MAX:
        work = partial(
            holds.release_group,
            served.hub,
            name,
            after=after,
            limit=_AT_ONCE,
            actor=visit.key.actor,
            replace=replace,
        )
        last, settled = await asyncio.wrap_future(served.writer.alone(work))
        if last is None:
            break
        after, count = last, count + _AT_ONCE
        total.add(settled)
    return page(visit, "released.html", settled=total, numbers=sorted(total.states))


@router.post("/holds/discard")
async def discard(served: ServedHere, visit: VisitHere) -> Response:
    """Give held messages up, for a reason."""
    numbers, reason = visit.numbers("message"), visit.reason()
    work = partial(holds.discard, served.hub, numbers, actor=visit.key.actor, reason=reason)
    settled = await asyncio.wrap_future(served.writer.alone(work))
    followed = sorted(item for item in settled.states.items() if item[0] not in numbers)
    chosen = sorted(numbers)
    return page(visit, "discarded.html", numbers=chosen, followed=followed, reason=reason)

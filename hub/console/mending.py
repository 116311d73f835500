"""Mending what a held message says: edited, looked at with what would come of it, then released."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from fastapi import APIRouter, Response

from hub import edit, finding, holds
from hub.api.audit import seen
from hub.api.served import Served, ServedHere
from hub.causes import NOT_HELD
from hub.console import lines
from hub.console.messages import SHOWN_BYTES_MAX, Number
from hub.console.page import PLACE, Page, page
from hub.console.rule import FORM, Visit, VisitHere
from hub.edit import EDIT_OTHER
from hub.journal import Stored
from schemas.problem import LynchpinError, Problem, Refused

__all__ = ["router"]

router = APIRouter(prefix=PLACE, route_class=Page, include_in_schema=False)


@router.post("/holds/{number}/edit")
async def begin(number: Number, served: ServedHere, visit: VisitHere) -> Response:
    """What a held message says, to be edited, once the reason is kept."""
    stored, why = await _held(served, number)
    reason = visit.reason()
    await seen(served, visit.key, f"message {number}", reason=reason)
    text = lines.editable(stored.said, bytes_max=SHOWN_BYTES_MAX)
    return _page(visit, stored, why, text=text)


@router.post("/holds/{number}/preview")
async def look(number: Number, served: ServedHere, visit: VisitHere) -> Response:
    """What an edit would change, and what would come of it; nothing is kept of it."""
    reason = visit.reason()
    stored, why = await _held(served, number)
    before, text = _texts(stored, visit)
    await seen(served, visit.key, f"message {number}", reason=reason)
    work = partial(
        edit.preview,
        served.hub,
        number,
        text.encode(),
        actor=visit.key.actor,
        instead_of=visit.said("instead_of"),
    )
    try:
        made = await asyncio.wrap_future(served.writer.alone(work))
    except LynchpinError as error:
        return _page(visit, stored, why, text=text, problem=error.problem, status=409)
    after = made.payload.decode("utf-8", errors="backslashreplace")
    return _page(visit, stored, why, text=text, made=made, difference=lines.changed(before, after))


@router.post("/holds/{number}/release")
async def finish(number: Number, served: ServedHere, visit: VisitHere) -> Response:
    """Put the edit in the place of the message and release it, unless somebody was faster."""
    reason, text = visit.reason(), visit.text("text")
    try:
        stored, _ = await _held(served, number)
        _, text = _texts(stored, visit)
        work = partial(
            edit.edit,
            served.hub,
            number,
            text.encode(),
            actor=visit.key.actor,
            reason=reason,
            instead_of=visit.said("instead_of"),
        )
        settled = await asyncio.wrap_future(served.writer.alone(work))
    except LynchpinError as error:
        if error.problem.code not in (NOT_HELD.code, EDIT_OTHER.code):
            raise
        left = {"number": number, "problem": error.problem, "text": text, "reason": reason}
        return page(visit, "overtaken.html", status=409, **left)
    numbers = sorted({number, *settled.states})
    return page(visit, "released.html", settled=settled, numbers=numbers)


async def _held(served: Served, number: int) -> tuple[Stored, Problem | None]:
    def read() -> tuple[Stored, Problem | None]:
        with served.readers.begin() as connection:
            return holds.held_message(connection, number), finding.problem(connection, number)

    return await asyncio.to_thread(read)


def _texts(stored: Stored, visit: Visit) -> tuple[str, str]:
    """What the message says, and what it is to say. Raises ``Refused`` if that cannot be typed."""
    before = lines.editable(stored.said, bytes_max=SHOWN_BYTES_MAX)
    if before is None:
        raise Refused(FORM.at("the message cannot be edited in a form", path="text"))
    return before, lines.restored(visit.text("text"), before)


def _page(
    visit: Visit, stored: Stored, why: Problem | None, *, status: int = 200, **shown: Any
) -> Response:
    form = {"reason": visit.reason(), "instead_of": visit.said("instead_of") or stored.digest}
    values = {"made": None, "difference": [], "problem": None, **form, **shown}
    return page(visit, "edit.html", status=status, stored=stored, why=why, **values)

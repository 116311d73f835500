"""Going back to an earlier version of a mapping, after saying what that changes."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Response
from sqlalchemy import Connection

from hub import publication
from hub.api.mappings import target_of
from hub.api.served import Reading, ServedHere
from hub.authoring import publishing
from hub.console.mappings import Name, difference
from hub.console.page import PLACE, Page, page
from hub.console.rule import FORM, VisitHere
from hub.jobs.plan import affected
from hub.publication import Publication, Target
from schemas.problem import Refused

__all__ = ["router"]

router = APIRouter(prefix=PLACE, route_class=Page, include_in_schema=False)


@router.post("/mappings/{connector}/{kind}/confirm")
async def confirm(connector: Name, kind: Name, reading: Reading, visit: VisitHere) -> Response:
    """What going back will change; nothing is done yet."""
    target = target_of(connector, kind)
    chosen = publication.destination(reading, target, visit.said("to"))
    current = publication.version_in_force(reading, target)
    return page(
        visit,
        "rollback.html",
        target=target,
        chosen=chosen,
        current=current,
        others=[each for each in publication.siblings(target) if each != target],
        difference=difference(reading, target, current, chosen),
    )


@router.post("/mappings/{connector}/{kind}/rollback")
async def roll_back(connector: Name, kind: Name, served: ServedHere, visit: VisitHere) -> Response:
    """Put an earlier version in force again, instead of the one that was shown."""
    target = target_of(connector, kind)
    work = partial(
        _roll_back,
        target=target,
        to=visit.said("to"),
        instead_of=visit.said("instead_of"),
        actor=visit.key.actor,
        now=served.hub.now(),
    )
    line = await served.finish(work)
    with served.readers.begin() as connection:
        due = affected(connection, target)
    return page(visit, "rolledback.html", target=target, line=line, due=due)


def _roll_back(
    connection: Connection, *, target: Target, to: str, instead_of: str, actor: str, now: str
) -> Publication:
    if publication.version_in_force(connection, target) != instead_of:
        raise Refused(FORM.at("another version was put in force meanwhile", path="instead_of"))
    return publishing.rollback(connection, target, to, actor=actor, now=now)

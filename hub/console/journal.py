"""The journal: what it weighs, what goes next, and having it learn, swept or redacted."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection

from hub import redaction, retention, upkeep
from hub.api.served import Reading, Served, ServedHere
from hub.console.page import PLACE, Page, page
from hub.console.rule import FORM, Visit, VisitHere
from hub.redaction import Reach
from schemas.problem import Refused

__all__ = ["router"]

router = APIRouter(prefix=PLACE, route_class=Page, include_in_schema=False)

_NUMBER_DIGITS = 18
_FACT_MAX = 500
_SWEPT_MAX = 50_000
"""So many at once: a browser waits for it."""


@router.get("/journal")
def show_journal(reading: Reading, served: ServedHere, visit: VisitHere) -> Response:
    """What the journal weighs, source by source, and what goes next."""
    hub = served.hub
    at, found = served.weighed.now(reading, hub.settings.journal, hub.now())
    return page(visit, "journal.html", at=at, found=found)


@router.post("/journal/train")
async def train(served: ServedHere, visit: VisitHere) -> Response:
    """Learn what the messages of a source have in common, and use it if it pays."""
    source = visit.said("source")
    served.hub.settings.source(source)
    learned = await run_in_threadpool(
        upkeep.train, served.writer, served.readers, source, actor=visit.key.actor
    )
    served.weighed.forget()
    return page(visit, "trained.html", learned=learned)


@router.post("/journal/confirm")
def confirm(reading: Reading, served: ServedHere, visit: VisitHere) -> Response:
    """What will be lost; nothing is done yet."""
    if visit.said("act") == "sweep":
        due, more = _due(reading, served)
        return page(visit, "sweep.html", due=due, more=more)
    if visit.said("act") != "redact":
        raise Refused(FORM.at("neither sweep nor redact", path="act"))
    number, person = _named(visit)
    hub = served.hub.apart()
    if person is not None:
        reach = redaction.of_person(hub, reading, person)
    else:
        reach = redaction.of_message(reading, number or 0)
    return page(visit, "redact.html", reach=_shown(reach), number=number, person=person)


@router.post("/journal/sweep")
async def sweep(served: ServedHere, visit: VisitHere) -> Response:
    """Remove what messages said whose days are over."""
    removed, after = 0, 0
    while removed < _SWEPT_MAX:
        work = partial(
            retention.sweep,
            kept=served.hub.settings.journal,
            after=after,
            actor=visit.key.actor,
            now=served.hub.now(),
        )
        done = await served.finish(work)
        removed += done.removed
        if done.last is None:
            break
        after = done.last
    served.weighed.forget()
    return page(visit, "swept.html", removed=removed, more=done.last is not None)


@router.post("/journal/redact")
async def redact(served: ServedHere, visit: VisitHere) -> Response:
    """Take out who a person is, for good, for a reason, and only if somebody is sure."""
    number, person = _named(visit)
    reason = visit.reason()
    if visit.said("sure") != "yes":
        raise Refused(FORM.at("nobody said that they are sure", path="sure"))
    work = partial(
        redaction.redact_named,
        served.hub,
        message=number,
        person=person,
        actor=visit.key.actor,
        reason=reason,
    )
    done = await served.finish(work)
    served.weighed.forget()
    return page(visit, "redacted.html", done=done, reason=reason)


def _due(reading: Connection, served: Served) -> tuple[int, bool]:
    """How many messages a sweep would be about, and whether there are more than it does at once."""
    hub, due, after = served.hub, 0, 0
    kept, now = hub.settings.journal, hub.now()
    while due < _SWEPT_MAX:
        numbers, last = retention.sweepable(reading, kept, after=after, now=now)
        due += len(numbers)
        if last is None:
            return due, False
        after = last
    return due, True


def _named(visit: Visit) -> tuple[int | None, str | None]:
    """A message by its number or a person by a document. Raises ``Refused`` unless it is one."""
    number, person = visit.said("message"), visit.said("person")
    if bool(number) == bool(person) or len(person) > _FACT_MAX:
        raise Refused(FORM.at("name a message or a person, and not both", path="message"))
    if not number:
        return None, person
    if not (number.isascii() and number.isdigit() and len(number) <= _NUMBER_DIGITS):
        raise Refused(FORM.at("a message has a number", path="message"))
    return int(number), None


def _shown(reach: Reach) -> dict[str, list[str] | list[int]]:
    return {
        "facts": sorted(reach.facts),
        "made_from": sorted(reach.made_from),
        "others": sorted(reach.others),
    }

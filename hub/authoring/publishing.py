"""Publishing a draft: what does not compile or breaks its examples never gets into force."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from hub import publication
from hub.authoring import examples
from hub.authoring.draft import Draft
from hub.plan import report as plan_report
from hub.plan.report import NO_LIMITS, Report, Thresholds
from hub.publication import Publication, Target
from schemas.problem import Refused

__all__ = ["check", "publish", "rollback"]


def check(draft: Draft) -> None:
    """Raises ``Refused`` with the first example that does not come out as written."""
    if (problem := examples.first_failure(draft)) is not None:
        raise Refused(problem)


def publish(
    connection: Connection,
    draft: Draft,
    *,
    actor: str,
    now: str,
    report: dict[str, Any] | None = None,
    limits: Thresholds = NO_LIMITS,
) -> Publication:
    """Put a checked draft in force for every kind that goes through this mapping.

    ``report`` is that of its plan, as JSON. Raises ``Refused`` if it is of something else, says
    more than the ``limits`` allow, or if another text was put in force since.
    """
    if report is None:
        if limits != NO_LIMITS:
            raise Refused(
                plan_report.OTHER_TEXT.at("limits are those of a plan, and there is none")
            )
    else:
        # Not what this transaction goes by: somebody else may publish in the same one.
        published = publication.version_in_force(connection, draft.target)
        proposed = draft.mapping.version
        plan_report.check(_report(report), proposed=proposed, published=published, limits=limits)
    kept = None if report is None else json.dumps(report, sort_keys=True)
    lines = [
        publication.publish(
            connection, target, draft.text, draft.file, actor=actor, now=now, report=kept
        )
        for target in publication.siblings(draft.target)
    ]
    return _of(draft.target, lines)


def _report(said: dict[str, Any]) -> Report:
    try:
        return Report.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise Refused(plan_report.OTHER_TEXT.at("it is no report of a plan", path=where)) from None


def rollback(
    connection: Connection, target: Target, to: str | None, *, actor: str, now: str
) -> Publication:
    """Put an earlier version in force again for every kind that goes through this mapping.

    Raises ``Rejected`` if there is none.
    """
    version = publication.destination(connection, target, to)
    lines = [
        publication.rollback(connection, each, version, actor=actor, now=now)
        for each in publication.siblings(target)
    ]
    return _of(target, lines)


def _of(target: Target, lines: list[Publication]) -> Publication:
    return next(line for line in lines if line.kind == target.kind)

"""Plans: what mappings would change, as they were compared; made on the command line only."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Path, Response

from hub.api.served import ServedHere
from hub.console.page import PLACE, Page, page
from hub.console.rule import VisitHere
from hub.plan import shelf

__all__ = ["router"]

router = APIRouter(prefix=PLACE, route_class=Page, include_in_schema=False)

_LISTED_MAX = 100
_SHOWN_MAX = 200


@router.get("/plans")
def list_plans(served: ServedHere, visit: VisitHere) -> Response:
    """The latest plans, the newest first."""
    return page(visit, "plans.html", plans=list(islice(shelf.listed(served.hub.home), _LISTED_MAX)))


@router.get("/plans/{name}")
def show_plan(
    name: Annotated[str, Path(max_length=40)], served: ServedHere, visit: VisitHere
) -> Response:
    """A plan whole: its counts, and what differs, fails, is worth something else or moves."""
    report = shelf.read(served.hub.home, name)
    changes = sorted(report.changes, key=lambda each: (-each.count, each.path))
    failures = sorted(report.failures, key=lambda each: (not each.new, -each.count))
    return page(
        visit,
        "plan.html",
        plan=report,
        changes=changes[:_SHOWN_MAX],
        failures=failures[:_SHOWN_MAX],
        more=max(len(changes), len(failures)) > _SHOWN_MAX,
    )

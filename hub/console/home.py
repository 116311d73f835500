"""The first page, and the page of the stores."""

from __future__ import annotations

from fastapi import APIRouter, Response

from hub import capture
from hub.api.served import Reading, ServedHere
from hub.console import overview
from hub.console.page import PLACE, Page, page
from hub.console.rule import VisitHere

__all__ = ["router"]

router = APIRouter(prefix=PLACE, route_class=Page, include_in_schema=False)


@router.get("")
def show_home(reading: Reading, served: ServedHere, visit: VisitHere) -> Response:
    """Whether everything moves."""
    found = overview.overview(reading, served.hub.settings, now=served.hub.now())
    writer = served.writer
    return page(visit, "home.html", found=found, well=not writer.trouble, waiting=writer.waiting)


@router.get("/stores")
def show_stores(reading: Reading, served: ServedHere, visit: VisitHere) -> Response:
    """How far the agents of the stores have come, and which numbers of tills are missing."""
    now = served.hub.now()
    captures = capture.listed(reading)
    silent = overview.silent(captures, served.hub.settings.stores, now=now)
    return page(
        visit,
        "stores.html",
        captures=captures,
        behind={each.capture: each for each in silent},
        gaps=overview.gaps_of_late(reading),
        gaps_max=overview.GAPS_MAX,
    )

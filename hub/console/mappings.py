"""Mappings: what is in force, since when and by whom; the text of a version, and what changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy import Connection

from connectors import registry
from hub import library, publication
from hub.api.mappings import target_of
from hub.api.served import Reading, ServedHere
from hub.authoring import comparison
from hub.authoring.comparison import Change
from hub.authoring.inventory import RECENT, inventory
from hub.console.page import PLACE, Page, page
from hub.console.rule import VisitHere
from hub.publication import Target
from schemas.problem import LynchpinError, Problem

__all__ = ["Difference", "Name", "difference", "router"]

router = APIRouter(prefix=PLACE, route_class=Page, include_in_schema=False)

Name = Annotated[str, Path(max_length=100)]
Version = Annotated[str | None, Query(max_length=16)]


@dataclass(frozen=True, slots=True)
class Difference:
    """What one version says otherwise than another; ``problem`` where one cannot be read."""

    changes: list[Change]
    lines: list[str]
    problem: Problem | None = None


@router.get("/mappings")
def list_mappings(served: ServedHere, reading: Reading, visit: VisitHere) -> Response:
    """What is in force for every kind of message of every source."""
    connectors = {source.connector for source in served.hub.settings.sources.values()}
    rows = inventory(reading, connectors)
    return page(visit, "mappings.html", rows=rows, recent=RECENT)


@router.get("/mappings/{connector}/{kind}")
def show_mapping(
    connector: Name,
    kind: Name,
    reading: Reading,
    visit: VisitHere,
    version: Version = None,
    against: Version = None,
) -> Response:
    """The log of a mapping, and the text of one of its versions or how two of them differ."""
    target = target_of(connector, kind)
    log = publication.log(reading, target)
    wanted = version or (log[-1].hash if log else "shipped")
    chosen, text, file = publication.text_of(reading, target, wanted)
    return page(
        visit,
        "mapping.html",
        target=target,
        summary=registry.manifests()[connector].messages[kind].summary,
        log=log,
        chosen=chosen,
        file=file,
        lines=text.splitlines(),
        against=against,
        difference=difference(reading, target, against, chosen) if against else None,
    )


def difference(reading: Connection, target: Target, old: str, new: str) -> Difference:
    """What a version says otherwise than an older one."""
    texts = [publication.text_of(reading, target, version)[1:] for version in (old, new)]
    try:
        then, now = (library.read(target.connector, *each) for each in texts)
    except LynchpinError as error:
        return Difference([], [], error.problem)
    return Difference(comparison.targets(then, now), comparison.lines(then, now))

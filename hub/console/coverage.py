"""What a mapping leaves of the latest traffic, and of the canonical document: both sides."""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Query, Response

from hub import library
from hub.api.mappings import target_of
from hub.api.served import Reading, ServedHere
from hub.console.page import PLACE, Page, page
from hub.console.rule import VisitHere
from hub.coverage.tally import Seen
from hub.coverage.traffic import Window, cover
from mappings.fields import unset
from mappings.spec import Spec

__all__ = ["router"]

router = APIRouter(prefix=PLACE, route_class=Page, include_in_schema=False)

LATEST = 1000
LATEST_MAX = 10_000
"""So many messages are looked at while somebody waits; `lynchpin map cover` looks at all."""
_SHOWN_MAX = 200

_K = TypeVar("_K")
Name = Annotated[str, Path(max_length=100)]


@router.get("/mappings/{connector}/{kind}/coverage")
def show_coverage(
    connector: Name,
    kind: Name,
    served: ServedHere,
    reading: Reading,
    visit: VisitHere,
    latest: Annotated[int, Query(ge=1, le=LATEST_MAX)] = LATEST,
) -> Response:
    """What arrived lately and nobody reads, codes without an entry, and what stays empty."""
    target = target_of(connector, kind)
    mapping = library.in_force(reading, connector, kind)
    # The writer alone knows when reference data has to be looked up again.
    hub = served.hub.apart()
    read = 0

    def count(messages: int) -> None:
        nonlocal read
        read = messages

    tally, messages = cover(hub, reading, mapping, target, Window(latest=latest), progress=count)
    every = (tally, *tally.further.values())
    empty = [each for one in every for each in _empty(one.mapping.spec)]
    return page(
        visit,
        "coverage.html",
        target=target,
        version=mapping.version,
        tally=tally,
        messages=messages,
        most=LATEST_MAX,
        read=read,
        more=min(10 * latest, LATEST_MAX) if read == latest < LATEST_MAX else None,
        failed=[each for one in every for each in _most_first(one.failed)],
        unread=_most_first(tally.unread),
        codes=[each for one in every for each in _most_first(one.codes)],
        empty=empty,
        undecided=sum(reason is None for _, reason in empty),
    )


def _most_first(seen: dict[_K, Seen]) -> list[tuple[_K, Seen]]:
    return sorted(seen.items(), key=lambda each: -each[1].messages)[:_SHOWN_MAX]


def _empty(spec: Spec) -> list[tuple[str, str | None]]:
    """The canonical fields that no rule fills, each with the reason that the mapping gives."""
    about = f"{spec.part.name}: " if spec.part else ""
    said: list[tuple[str, str | None]] = [(f"{about}{field}", None) for field in unset(spec)]
    reasons = sorted(spec.unset.items())
    return said + [(f"{about}{'.'.join(target)}", reason) for target, reason in reasons]

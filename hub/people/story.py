"""The story of a person: everything that happened to them, in every channel, the newest first."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from sqlalchemy import Connection, select

from hub.people import masking
from hub.people.masking import HIDDEN
from hub.store.tables import document, link, transaction_index
from hub.whereabouts import Whereabouts, pieces

__all__ = ["EVENT_EXAMPLE", "StoryEvent", "reversals_of", "tell"]


EVENT_EXAMPLE: JsonDict = {
    "utc": "2031-05-06T10:00:00Z",
    "kind": "Transaction",
    "fact": "tills:0042/03/2031-05-06/114",
    "system": "tills",
    "store": "0042",
    "summary": "19.90 EUR at store 0042, till 03, completed",
}


class StoryEvent(BaseModel):
    """Something that happened to a person; ``summary`` is for people to read."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": EVENT_EXAMPLE})

    utc: str = Field(description="When it happened, or was received where its source says nothing.")
    kind: str
    fact: str
    system: str
    store: str | None
    summary: str


def reversals_of(connection: Connection, facts: Collection[str]) -> set[str]:
    """Refunds and returns of these orders: they name no person, but their order does."""
    found: set[str] = set()
    for some in pieces(sorted(facts)):
        theirs = link.c.to_fact.in_(some) & (link.c.kind == "reversal")
        found.update(connection.scalars(select(link.c.from_fact).where(theirs)))
    return found


def tell(
    connection: Connection, places: Sequence[Whereabouts], *, reveal: bool
) -> list[StoryEvent]:
    """These documents as events, in the order given. Only their bodies are read."""
    columns = (document.c.fact, document.c.body, transaction_index.c.voided_by)
    found = select(*columns).outerjoin(
        transaction_index, transaction_index.c.fact == document.c.fact
    )
    rows: dict[str, tuple[str, str | None]] = {}
    for some in pieces([place.fact for place in places]):
        chosen = connection.execute(found.where(document.c.fact.in_(some)))
        rows.update({fact: (text, voided_by) for fact, text, voided_by in chosen})
    return [_event(place, *rows[place.fact], reveal=reveal) for place in places]


def _event(place: Whereabouts, text: str, voided_by: str | None, *, reveal: bool) -> StoryEvent:
    body = json.loads(text)
    shown = body if reveal else masking.body(place.kind, body)
    return StoryEvent(
        utc=place.utc,
        kind=place.kind,
        fact=place.fact,
        system=body["system"],
        store=place.store,
        summary=_in_short(place.kind, shown, voided=voided_by is not None),
    )


def _in_short(kind: str, shown: dict[str, Any], *, voided: bool) -> str:
    parts = (part.format_map(_Told(shown)).strip() for part in _SUMMARY[kind])
    return ", ".join((*filter(None, parts), *(("voided",) if voided else ())))


class _Told(dict[str, Any]):
    """What a document does not have, or does not show, is left blank."""

    def __init__(self, shown: dict[str, Any]) -> None:
        super().__init__({name: value for name, value in shown.items() if value != HIDDEN})

    def __missing__(self, key: str) -> str:
        return ""


_SUMMARY: dict[str, Iterable[str]] = {
    "Transaction": ("{total} {currency} at store {store}", "till {workstation}", "{status}"),
    "Order": ("order {number} of {total} {currency} by {channel}", "{payment}", "{fulfilment}"),
    "Reversal": ("{kind} of order {order}", "{reason}"),
    "Customer": ("account {id}", "{state}"),
    "Interaction": ("{kind}", "{direction}", "{subject}", "{outcome}"),
    "Control": ("{kind}",),
}

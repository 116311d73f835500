"""Records: what has become of what a source sent."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Row, select

from hub.api.errors import answers
from hub.api.rule import only
from hub.api.served import Reading
from hub.causes import NOT_FOUND
from hub.keys import Key
from hub.standing import standing
from hub.store.tables import record
from schemas.money import plain
from schemas.problem import Problem, Rejected

__all__ = ["router"]

router = APIRouter(tags=["sources"])

Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="Number of the record.")]
Sender = Annotated[Key, Depends(only("source", "operator", narrows=True))]


class RecordState(BaseModel):
    """How a record stands. ``states`` adds up to its messages."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "record": 41,
                "file": "day.xml",
                "received_at": "2026-03-01T17:05:09.123456Z",
                "states": {"applied": 50, "held": 1},
                "flagged": 2,
                "totals": {"EUR": "1204.50"},
                "problems": [
                    {
                        "code": "LP-DOC-001",
                        "summary": "The document is not whole.",
                        "next_step": "Mend it and release the message.",
                    }
                ],
            }
        },
    )

    record: int
    file: str | None
    received_at: str
    states: dict[str, int] = Field(
        description="Messages by state. While some are `pending`, the rest is not final."
    )
    flagged: int = Field(description="How many are applied and worth a look.")
    totals: dict[str, str] = Field(
        description="What it brought in revenue, less what it voids, as decimal text per currency."
    )
    problems: list[Problem] = Field(description="Why messages of it are held now.")


@router.get("/sources/{source}/records/{number}", responses=answers(404))
def show_record(source: str, number: Number, reading: Reading, key: Sender) -> RecordState:
    """What has become of a record: counts, what it brought, and why messages are held."""
    row = _record(reading, source, number, key)
    stands = standing(reading, number)
    return RecordState(
        record=number,
        file=row.name,
        received_at=row.received_at,
        states=dict(stands.states),
        flagged=stands.flagged,
        totals={currency: plain(stands.totals[currency]) for currency in sorted(stands.totals)},
        problems=list(stands.problems),
    )


def _record(connection: Connection, source: str, number: int, key: Key) -> Row[Any, Any, Any]:
    """A key that is limited to stores knows only what was sent with as narrow a one."""
    columns = select(record.c.name, record.c.received_at, record.c.stores)
    found = columns.where(record.c.id == number, record.c.source == source)
    row = connection.execute(found).one_or_none()
    sent_for = json.loads(row.stores or "[]") if row is not None else []
    if row is None or (key.stores and not (sent_for and set(sent_for) <= set(key.stores))):
        raise Rejected(NOT_FOUND.at(f"there is no record {number} of this source"))
    return row

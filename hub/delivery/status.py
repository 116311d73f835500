"""How destinations are doing: what is open for each, how old it is, and whether it is sent to."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy import Connection, func, select

from hub.bootstrap import Hub
from hub.store.tables import delivery, destination

__all__ = ["EXAMPLE", "Status", "destinations"]

EXAMPLE: dict[str, JsonValue] = {
    "name": "crm",
    "waiting": 12,
    "parked": 1,
    "oldest_seconds": 81.5,
    "failures": 6,
    "closed_until": "2031-05-06T10:00:00.000000Z",
    "closed": True,
    "paused": False,
    "known": True,
}


class Status(BaseModel):
    """How a destination is doing."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": EXAMPLE})

    name: str
    waiting: int
    parked: int
    oldest_seconds: float
    """Since when the oldest that waits or is parked is here."""
    failures: int
    """Attempts in a row that were not answered."""
    closed_until: str | None
    closed: bool
    """Whether nothing is sent for now."""
    paused: bool
    """Whether nothing is sent until a person says so: it answered that it is gone."""
    known: bool
    """Whether the settings still name it."""


def destinations(connection: Connection, hub: Hub) -> list[Status]:
    """Each destination of the settings, and those that have something open and are gone."""
    now = hub.now()
    counted = (
        select(
            delivery.c.destination,
            delivery.c.state,
            func.count().label("count"),
            func.min(delivery.c.created_at).label("oldest"),
        )
        .where(delivery.c.done_at.is_(None))
        .group_by(delivery.c.destination, delivery.c.state)
    )
    counts = {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(counted)}
    known = {row["name"]: row for row in connection.execute(select(destination)).mappings()}
    names = {*hub.settings.destinations, *(name for name, _ in counts)}
    found = []
    for name in sorted(names):
        row = known.get(name)
        waiting, parked = (counts.get((name, state)) for state in ("waiting", "parked"))
        oldest = min((each[1] for each in (waiting, parked) if each), default=now)
        until = row["closed_until"] if row else None
        found.append(
            Status(
                name=name,
                waiting=waiting[0] if waiting else 0,
                parked=parked[0] if parked else 0,
                oldest_seconds=_seconds(oldest, now),
                failures=row["failures"] if row else 0,
                closed_until=until,
                closed=until is not None and until > now,
                paused=row is not None and row["paused_at"] is not None,
                known=name in hub.settings.destinations,
            )
        )
    return found


def _seconds(then: str, now: str) -> float:
    passed = datetime.fromisoformat(now) - datetime.fromisoformat(then)
    return max(passed.total_seconds(), 0)

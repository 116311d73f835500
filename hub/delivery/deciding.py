"""What a person sees of deliveries, and what they decide about those that are not done."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select, update

from hub import audit, paging
from hub.bootstrap import Hub
from hub.delivery.payload import said
from hub.store.tables import delivery, destination
from schemas.problem import Cause, Rejected

__all__ = [
    "NOT_MADE",
    "NOT_OPEN",
    "UNKNOWN_DESTINATION",
    "Told",
    "check",
    "discard",
    "feed",
    "listed",
    "note_feed",
    "resend",
    "retry",
]

NOT_OPEN = Cause(
    "LP-OUT-001",
    "The delivery is not open: there is none, it was made, or it was given up.",
    "Look the open ones up with `lynchpin delivery list`.",
)
NOT_MADE = Cause(
    "LP-OUT-003",
    "The delivery was not made, so that it cannot be made again.",
    "Look at it with `lynchpin delivery list`; what is open is tried again with `retry`.",
)
UNKNOWN_DESTINATION = Cause(
    "LP-OUT-002",
    "No destination has this name.",
    "Look those of the settings up with `lynchpin delivery status`.",
)

_SHOWN = (
    "id",
    "key",
    "destination",
    "subject",
    "kind",
    "message_id",
    "state",
    "attempts",
    "created_at",
    "due_at",
    "attempted_at",
    "failure",
    "reverses",
)
_AT_ONCE = 500
_OPEN = delivery.c.done_at.is_(None)


def listed(
    connection: Connection,
    *,
    to: str | None = None,
    state: str | None = None,
    limit: int | None = None,
    after: str | None = None,
) -> list[dict[str, Any]]:
    """Deliveries in their order, the open ones unless a state is named; ``after`` is a cursor.

    Raises ``Refused`` for a cursor of another list.
    """
    found = select(*(delivery.c[name] for name in _SHOWN)).order_by(delivery.c.id).limit(limit)
    if state in (None, "waiting", "parked"):
        found = found.where(delivery.c.done_at.is_(None))
    if state is not None:
        found = found.where(delivery.c.state == state)
    if to is not None:
        found = found.where(delivery.c.destination == to)
    if key := paging.key_of(after, int):
        found = found.where(delivery.c.id > key[0])
    return [dict(row) for row in connection.execute(found).mappings()]


def retry(
    connection: Connection,
    numbers: Collection[int] = (),
    *,
    to: str | None = None,
    actor: str,
    now: str,
) -> int:
    """Have deliveries tried again now, or all of a destination that are parked; says how many.

    A destination is sent to again as well, whatever it said of itself. One that is being sent at
    this moment is left to whoever sends it. Audited before it acts; the caller commits. Raises
    ``Rejected`` if one of them is not open, or if nobody knows the destination.
    """
    if to is None:
        chosen = _checked(connection, numbers, _OPEN, NOT_OPEN)
        subjects = [f"delivery {number}" for number in sorted(numbers)]
    else:
        _known(connection, to)
        chosen = [(delivery.c.destination == to) & delivery.c.done_at.is_(None)]
        subjects = [f"destination {to}"]
    for subject in subjects:
        audit.write(connection, actor=actor, act="delivery.retry", subject=subject, now=now)
    if to is not None:
        well = update(destination).where(destination.c.name == to)
        connection.execute(well.values(failures=0, closed_until=None, paused_at=None))
    again = {"state": "waiting", "due_at": now}
    return sum(
        connection.execute(
            update(delivery).where(some, delivery.c.holder.is_(None)).values(**again)
        ).rowcount
        for some in chosen
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What was told: by its numbers, or all that a destination was told in a window, in UTC."""

    numbers: Collection[int] = ()
    destination: str | None = None
    since: str | None = None
    until: str | None = None


def resend(connection: Connection, which: Told, *, actor: str, now: str) -> int:
    """Tell again what was told, under the same ids and in the same order; says how many.

    Each thing is told as it is now, since what was sent is not kept. Audited before it acts; the
    caller commits. Raises ``Rejected`` if one of them was not told, or if nobody knows the
    destination.
    """
    made = delivery.c.state == "delivered"
    if which.destination is None:
        chosen = _checked(connection, which.numbers, made, NOT_MADE)
        subjects: dict[str, dict[str, str | None] | None] = {
            f"delivery {number}": None for number in sorted(which.numbers)
        }
    else:
        found = made & (delivery.c.destination == which.destination)
        if connection.execute(_ids(found).limit(1)).first() is None:
            raise Rejected(UNKNOWN_DESTINATION.at(f"{which.destination!r} was told nothing"))
        found = found & (delivery.c.done_at >= which.since) if which.since else found
        found = found & (delivery.c.done_at < which.until) if which.until else found
        chosen = [found]
        window = {"since": which.since, "until": which.until}
        subjects = {f"destination {which.destination}": window}
    for subject, detail in subjects.items():
        act = "delivery.resend"
        audit.write(connection, actor=actor, act=act, subject=subject, detail=detail, now=now)
    again = {"state": "waiting", "due_at": now, "done_at": None, "attempts": 0}
    return sum(
        connection.execute(update(delivery).where(some).values(**again)).rowcount for some in chosen
    )


def discard(
    connection: Connection, numbers: Collection[int], *, actor: str, reason: str, now: str
) -> int:
    """Give deliveries up; what comes after them of their subject goes on. Says how many.

    Audited before it acts; the caller commits. Raises ``Rejected`` if one of them is not open; then
    none is given up.
    """
    chosen = _checked(connection, numbers, _OPEN, NOT_OPEN)
    for number in sorted(numbers):
        subject, detail = f"delivery {number}", {"reason": reason}
        act = "delivery.discard"
        audit.write(connection, actor=actor, act=act, subject=subject, detail=detail, now=now)
    gone = {"state": "discarded", "done_at": now, "content": None, "payload": None}
    return sum(
        connection.execute(update(delivery).where(some).values(**gone)).rowcount for some in chosen
    )


def _checked(
    connection: Connection, numbers: Collection[int], fit: ColumnElement[bool], otherwise: Cause
) -> list[ColumnElement[bool]]:
    """Conditions that choose these. Raises ``Rejected`` if one of them is not fit."""
    wanted = sorted(numbers)
    parts = [wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE)]
    chosen: list[ColumnElement[bool]] = [delivery.c.id.in_(part) & fit for part in parts]
    found = {number for some in chosen for number in connection.scalars(_ids(some))}
    for number in wanted:
        if number not in found:
            raise Rejected(otherwise.at(f"delivery {number}"))
    return chosen


def _ids(some: ColumnElement[bool]) -> Any:
    return select(delivery.c.id).where(some)


def _known(connection: Connection, name: str) -> None:
    rows = (
        select(destination.c.name).where(destination.c.name == name),
        _ids((delivery.c.destination == name) & delivery.c.done_at.is_(None)).limit(1),
    )
    if all(connection.execute(row).first() is None for row in rows):
        raise Rejected(UNKNOWN_DESTINATION.at(f"nothing is open for {name!r}"))


def feed(
    hub: Hub, connection: Connection, name: str, *, after: int, limit: int, personal: bool
) -> list[dict[str, Any]]:
    """What a destination was or is to be told, after this number, in its order.

    What was told is shown as it is now, since only that is kept. Raises ``Rejected`` if the
    settings name no such destination.
    """
    check(hub, name)
    personal = personal and hub.settings.destinations[name].personal
    found = (
        select(delivery)
        .where(delivery.c.destination == name, delivery.c.id > after)
        .where(or_(delivery.c.told_at.is_not(None), delivery.c.done_at.is_(None)))
        .order_by(delivery.c.id)
        .limit(limit)
    )
    return [
        {
            "number": row["id"],
            "id": row["key"],
            "timestamp": row["created_at"],
            "data": said(connection, row, personal=personal),
        }
        for row in connection.execute(found).mappings().all()
    ]


def check(hub: Hub, name: str) -> None:
    """Raises ``Rejected`` if the settings name no such destination."""
    if name not in hub.settings.destinations:
        raise Rejected(UNKNOWN_DESTINATION.at(repr(name)))


def note_feed(connection: Connection, name: str, *, after: int, actor: str, now: str) -> None:
    """Keep who reads a feed, before anything is given out."""
    subject = f"destination {name}"
    detail = {"after": after}
    audit.write(
        connection, actor=actor, act="delivery.feed", subject=subject, detail=detail, now=now
    )

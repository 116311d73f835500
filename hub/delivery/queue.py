"""The queue: which deliveries are due, who is sending them, and what came of it.

Whoever sends takes rows first: the row says until when it is theirs, and is due again after that.
So a process that is killed loses nothing, and the same is sent again under the same id. Of one
subject only the first that is open is ever due.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, func, insert, or_, select, update

from hub.delivery import correcting, schedule
from hub.delivery.payload import payload
from hub.delivery.post import Answer
from hub.settings import Destination
from hub.store.tables import delivery, destination

__all__ = ["Sending", "Standing", "finish", "give_back", "is_due", "let_go", "standing", "take"]

_log = logging.getLogger("lynchpin.delivery")


Standing = Literal["sending", "behind", "due", "later"]
"""Why a delivery that waits is not made yet: it is being sent, an earlier one of its subject is
open, nothing keeps it but its destination, or its time has not come."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A delivery that is ours to send for now."""

    id: int
    key: str
    destination: str
    body: bytes
    attempts: int
    fence: int
    message_id: int


def is_due(connection: Connection, name: str, now: str) -> bool:
    """Whether there is something to send to a destination that may be sent to."""
    return _open(connection, name, now) is not None and (
        connection.execute(_due(name, now).limit(1)).first() is not None
    )


def _open(connection: Connection, name: str, now: str) -> int | None:
    """How many attempts failed in a row; ``None`` where nothing may be sent now."""
    found = select(destination).where(destination.c.name == name)
    row = connection.execute(found).mappings().first()
    if row is None:
        return 0
    not_before = max(row["closed_until"] or "", row["free_at"] or "")
    if row["paused_at"] is not None or not_before > now:
        return None
    return int(row["failures"])


def _behind() -> ColumnElement[bool]:
    """Whether an earlier delivery of the same subject is open."""
    earlier = delivery.alias("earlier")
    return (
        select(earlier.c.id)
        .where(earlier.c.subject == delivery.c.subject)
        .where(earlier.c.destination == delivery.c.destination)
        .where(earlier.c.done_at.is_(None))
        .where(earlier.c.id < delivery.c.id)
        .exists()
    )


def _due(name: str, now: str) -> Select[Any]:
    return (
        select(delivery)
        .where(delivery.c.destination == name)
        .where(delivery.c.state == "waiting", delivery.c.done_at.is_(None))
        .where(delivery.c.due_at <= now)
        .where(~_behind())
    )


def standing(connection: Connection, numbers: Collection[int], now: str) -> dict[int, Standing]:
    """Why each of these that waits is not made yet."""
    waiting = (
        select(delivery.c.id, delivery.c.holder, delivery.c.due_at, _behind().label("behind"))
        .where(delivery.c.id.in_(numbers))
        .where(delivery.c.state == "waiting", delivery.c.done_at.is_(None))
    )
    found: dict[int, Standing] = {}
    for number, holder, due_at, behind in connection.execute(waiting):
        if behind:
            found[number] = "behind"
        elif due_at <= now:
            found[number] = "due"
        else:
            found[number] = "later" if holder is None else "sending"
    return found


def take(
    connection: Connection,
    name: str,
    to: Destination,
    *,
    holder: str,
    limit: int,
    now: str,
    until: str,
) -> list[Sending]:
    """Take what is due, the oldest first; one only where the last attempts failed.

    What is sent is put together at the first attempt and stays the same from then on. What need not
    be sent any more is passed over for good.
    """
    failures = _open(connection, name, now)
    if failures is None:
        return []
    _expire(connection, name, to, now)
    count = 1 if failures >= schedule.FAILURES else schedule.at_once(to.per_second, limit)
    due = _due(name, now).order_by(delivery.c.id).limit(count)
    taken: list[Sending] = []
    while not taken and (rows := connection.execute(due).mappings().all()):
        for row in rows:
            this = update(delivery).where(delivery.c.id == row["id"])
            if (why := correcting.needless(connection, row, to)) is not None:
                gone = {"state": "superseded", "done_at": now, "content": None, "payload": None}
                connection.execute(this.values(**gone, holder=None, failure=why))
                continue
            body = row["payload"] or payload(connection, row, personal=to.personal)
            attempts, fence = row["attempts"] + 1, row["fence"] + 1
            mine = {"holder": holder, "fence": fence, "attempts": attempts, "due_at": until}
            connection.execute(this.values(**mine, payload=body, attempted_at=now))
            ours = (attempts, fence, row["message_id"])
            taken.append(Sending(row["id"], row["key"], name, body.encode(), *ours))
    if taken and to.per_second is not None:
        free = schedule.later(now, len(taken) / to.per_second)
        _set(connection, name, free_at=free)
    return taken


def _expire(connection: Connection, name: str, to: Destination, now: str) -> None:
    """Give up what nobody needs to hear any more."""
    if to.expires_seconds is None:
        return
    late = (
        update(delivery)
        .where(delivery.c.destination == name, delivery.c.done_at.is_(None))
        .where(delivery.c.created_at <= schedule.later(now, -to.expires_seconds))
        .where(or_(delivery.c.holder.is_(None), delivery.c.due_at <= now))
    )
    said = f"it was not told within {to.expires_seconds:g} s"
    gone = {"state": "discarded", "done_at": now, "content": None, "payload": None}
    count = connection.execute(late.values(**gone, holder=None, failure=said)).rowcount
    if count:
        _log.warning("expired", extra={"destination": name, "deliveries": count})


def give_back(connection: Connection, unsent: Iterable[Sending], now: str) -> None:
    """Let go of what was taken and not sent."""
    for each in unsent:
        row = update(delivery).where(_ours(each))
        connection.execute(row.values(holder=None, due_at=now, attempts=each.attempts - 1))


def let_go(connection: Connection, now: str) -> None:
    """Nobody is sending anything: a hub that has its database to itself has just started."""
    held = update(delivery).where(delivery.c.done_at.is_(None), delivery.c.holder.is_not(None))
    connection.execute(held.values(holder=None, due_at=now))


def finish(
    connection: Connection, sent: Sending, answer: Answer, *, now: str, dice: Random
) -> None:
    """Keep what came of an attempt; what another process took meanwhile is that one's."""
    found = schedule.verdict(answer)
    values: dict[str, Any] = {"holder": None, "failure": _failure(answer)}
    if found == "delivered":
        values |= {"state": "delivered", "content": None, "payload": None, "done_at": now}
        values |= {"failure": None, "told_at": func.coalesce(delivery.c.told_at, now)}
    elif found == "refused":
        values["state"] = "parked"
    elif found == "gone":
        values["due_at"] = now
    else:
        seconds = max(schedule.wait(sent.attempts, dice), schedule.asked(answer, now))
        values["due_at"] = schedule.later(now, seconds)
    if connection.execute(update(delivery).where(_ours(sent)).values(**values)).rowcount:
        _remember(connection, sent.destination, answer, now=now, dice=dice)


def _failure(answer: Answer) -> str:
    return answer.failure or f"it answered {answer.status}"


def _ours(sent: Sending) -> ColumnElement[bool]:
    return (
        (delivery.c.id == sent.id)
        & (delivery.c.fence == sent.fence)
        & (delivery.c.state == "waiting")
    )


def _remember(connection: Connection, name: str, answer: Answer, *, now: str, dice: Random) -> None:
    """Keep how the destination is doing: whoever refuses something is well, too."""
    row = destination.c.name == name
    found = schedule.verdict(answer)
    if found in ("delivered", "refused"):
        well = update(destination).where(row, destination.c.failures > 0)
        connection.execute(well.values(failures=0, closed_until=None))
        return
    if found == "gone":
        _set(connection, name, paused_at=now)
        return
    failures = (connection.scalar(select(destination.c.failures).where(row)) or 0) + 1
    seconds = max(schedule.closed_for(failures, dice), schedule.asked(answer, now))
    closed = schedule.later(now, seconds) if seconds else None
    _set(connection, name, failures=failures, closed_until=closed)


def _set(connection: Connection, name: str, **values: Any) -> None:
    """Remember this of a destination, of which nothing was worth remembering so far, perhaps."""
    row = destination.c.name == name
    if connection.scalar(select(func.count()).where(row)) == 0:
        connection.execute(insert(destination).values(name=name))
    connection.execute(update(destination).where(row).values(**values))

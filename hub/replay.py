"""Replay: documents that another version of their mapping made are made again by the one in force.

Nothing goes out for it: no channel hears of a replay. See ``hub.remake`` for what stays as it was.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Connection, Select, func, select

from hub import audit, library, publication
from hub.bootstrap import Hub
from hub.home import Home
from hub.plan import shelf
from hub.publication import Target
from hub.remake import FAILED, Remade, remake
from hub.store.tables import document, message, record
from schemas.problem import Cause, Refused

__all__ = ["FAILED", "Part", "Replayed", "affected", "replay", "unseen"]

OTHER_PLAN = Cause(
    "LP-PLAN-004",
    "The plan does not say what the mapping in force makes otherwise.",
    "Publish the mapping upon this plan first; or plan again, or replay without a plan.",
)

BATCH = 200


@dataclass(frozen=True, slots=True)
class Part:
    """Which documents: those of messages that were received ``since`` a moment, in UTC, and those
    that a finished ``plan`` of the version in force found to be made otherwise by it.
    """

    since: str | None = None
    plan: str | None = None


EVERYTHING = Part()


@dataclass(slots=True)
class Replayed(Remade):
    """What was made again; ``last`` is the message after which the next batch begins.

    It is ``None`` once there is none.
    """

    last: int | None = None


def affected(hub: Hub, connection: Connection, target: Target, part: Part = EVERYTHING) -> int:
    """How many documents another version made than the one in force. Raises as ``replay`` does."""
    if part.plan is None:
        return connection.scalar(_others(connection, target, part, func.count())) or 0
    return sum(1 for _ in _numbers(hub.home, connection, target, part))


def unseen(connection: Connection, target: Target, part: Part = EVERYTHING) -> int:
    """How many of another version stay as they are, for what they were made of was removed."""
    return connection.scalar(_others(connection, target, part, func.count(), seen=False)) or 0


def _others(
    connection: Connection,
    target: Target,
    part: Part,
    column: Any,
    after: int = 0,
    *,
    seen: bool = True,
) -> Select[Any]:
    """Documents of a kind, in messages after this one, of any version but the one in force.

    ``seen`` are those whose messages are still there to be read; the others are those that are not.
    """
    versions = publication.versions(connection, target)
    versions.discard(library.in_force(connection, target.connector, target.kind).version)
    kept = message.c.removed_at.is_(None) if seen else message.c.removed_at.is_not(None)
    found = (
        select(column)
        .select_from(document)
        .join(message, message.c.id == document.c.message_id)
        .where(document.c.mapping.in_(sorted(versions)))
        .where(document.c.message_id > after, kept)
    )
    if part.since is None:
        return found
    return found.join(record).where(record.c.received_at >= part.since)


def _numbers(
    home: Home, connection: Connection, target: Target, part: Part, after: int = 0
) -> Generator[int]:
    """The messages that these documents were made from, in their order, once for each document."""
    runs = None if part.plan is None else _runs(home, connection, target, part.plan)
    found = _others(connection, target, part, document.c.message_id, after)
    with closing(connection.scalars(found.order_by(document.c.message_id))) as numbers:
        for number in numbers:
            if runs is None or _within(runs, number):
                yield number


def _runs(home: Home, connection: Connection, target: Target, plan: str) -> list[tuple[int, int]]:
    """What a plan found affected. Raises as ``replay`` does."""
    report = shelf.read(home, plan)
    version = publication.version_in_force(connection, target)
    if report.proposed != version:
        raise Refused(OTHER_PLAN.at(f"it knows {report.proposed}, not {version}"))
    if not report.done:
        raise Refused(OTHER_PLAN.at("it was cut short; go on with --resume"))
    return report.affected


def _within(runs: list[tuple[int, int]], number: int) -> bool:
    at = bisect_right(runs, number, key=lambda run: run[0]) - 1
    return at >= 0 and number <= runs[at][1]


def replay(
    hub: Hub,
    connection: Connection,
    target: Target,
    part: Part = EVERYTHING,
    *,
    after: int = 0,
    actor: str,
    limit: int = BATCH,
) -> Replayed:
    """Make the next documents again, those of ``limit`` messages after this one.

    Audited before it acts. The caller commits. Raises ``Rejected`` where there is no such plan,
    and ``Refused`` where it is of another text than the one in force or was cut short.
    """
    with closing(_numbers(hub.home, connection, target, part, after)) as found:
        wanted = [number for number, _ in islice(groupby(found), limit)]
    if not wanted:
        return Replayed()
    detail = {"from": wanted[0], "to": wanted[-1]}
    subject = f"mapping {target}"
    now = hub.now()
    audit.write(
        connection, actor=actor, act="mapping.replay", subject=subject, detail=detail, now=now
    )
    done = Replayed(last=wanted[-1] if len(wanted) == limit else None)
    kinds = {each.kind for each in publication.siblings(target)}
    done.add(remake(hub, connection, wanted, kinds))
    return done

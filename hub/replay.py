"""Replay: documents that another version of their mapping made are made again by the one in force.

Nothing goes out for it: no channel hears of a replay. Only the message that a document was last
made from is taken, so a snapshot keeps its place among the others; what the message is called, and
whether it is the same fact, is the connector's and stays. A message that fails in the version in
force leaves its document as it was, and so does one on which Lynchpin itself fails, while the rest
goes on. Done twice, the second time changes nothing.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, func, select
from sqlalchemy.exc import OperationalError

from hub import audit, journal, library, publication
from hub.apply import Batch
from hub.bootstrap import Hub
from hub.failure import place_of
from hub.journal import Stored
from hub.publication import Target
from hub.store.tables import document
from hub.translate import Named
from schemas.problem import Cause, LynchpinError, Problem

__all__ = ["FAILED", "Replayed", "affected", "replay"]

FAILED = Cause(
    "LP-HUB-031",
    "Lynchpin itself failed on this message; its documents stay as they were.",
    "Report it with the place named here; replay again after an update.",
)

BATCH = 200
_PROBLEMS_MAX = 20


@dataclass(slots=True)
class Replayed:
    """What was made again, and why the documents of how many messages stay as they were.

    ``last`` is the message after which the next batch begins; ``None`` once there is none.
    """

    remade: int = 0
    failed: int = 0
    problems: dict[int, Problem] = field(default_factory=dict)
    last: int | None = None

    def fail(self, number: int, problem: Problem) -> None:
        """Note that the documents of a message stay as they were; of the first ones, why."""
        self.failed += 1
        if len(self.problems) < _PROBLEMS_MAX:
            self.problems[number] = problem

    def add(self, other: Replayed) -> None:
        """Take over what a later batch came to."""
        self.remade += other.remade
        self.failed += other.failed
        for number in list(other.problems)[: _PROBLEMS_MAX - len(self.problems)]:
            self.problems[number] = other.problems[number]
        self.last = other.last


def affected(connection: Connection, target: Target) -> int:
    """How many documents another version made than the one in force."""
    return connection.scalar(_others(connection, target, select(func.count()), 0)) or 0


def _others(
    connection: Connection, target: Target, columns: Select[Any], after: int
) -> Select[Any]:
    """Documents of a kind, in messages after this one, of any version but the one in force."""
    versions = publication.versions(connection, target)
    versions.discard(library.in_force(connection, target.connector, target.kind).version)
    return (
        columns.select_from(document)
        .where(document.c.mapping.in_(sorted(versions)))
        .where(document.c.message_id > after)
    )


def replay(
    hub: Hub,
    connection: Connection,
    target: Target,
    *,
    after: int = 0,
    actor: str,
    limit: int = BATCH,
) -> Replayed:
    """Make the next documents again, those of ``limit`` messages after this one.

    Audited before it acts. The caller commits.
    """
    numbers = select(document.c.message_id).distinct()
    found = _others(connection, target, numbers, after).order_by(document.c.message_id)
    wanted = list(connection.scalars(found.limit(limit)))
    if not wanted:
        return Replayed()
    detail = {"from": wanted[0], "to": wanted[-1]}
    subject = f"mapping {target}"
    now = hub.now()
    audit.write(
        connection, actor=actor, act="mapping.replay", subject=subject, detail=detail, now=now
    )
    done = _together_or_apart(hub, connection, wanted, target)
    done.last = wanted[-1] if len(wanted) == limit else None
    return done


def _together_or_apart(
    hub: Hub, connection: Connection, numbers: list[int], target: Target
) -> Replayed:
    """Make the documents of messages again; one on which Lynchpin itself fails does so alone."""
    done = Replayed()
    try:
        with connection.begin_nested():
            return _together(hub, connection, numbers, target)
    except OperationalError:
        # The database is in trouble, not a message.
        raise
    except Exception as error:  # noqa: BLE001
        if len(numbers) == 1:
            done.fail(numbers[0], FAILED.at(place_of(error)))
            return done
    for number in numbers:
        done.add(_together_or_apart(hub, connection, [number], target))
    return done


def _together(hub: Hub, connection: Connection, numbers: list[int], target: Target) -> Replayed:
    batch, done = Batch(connection), Replayed()
    for number in numbers:
        stored = journal.entry(connection, number)
        assert stored is not None
        _remake(hub, batch, stored, target, done)
    batch.flush()
    return done


def _remake(hub: Hub, batch: Batch, stored: Stored, target: Target, done: Replayed) -> None:
    """Queue the documents of a message that are still the ones it made."""
    kinds = {each.kind for each in publication.siblings(target)}
    # Which stores its sender may send for was decided when it came.
    stored = dataclasses.replace(stored, stores=None)
    translator = hub.translator(batch.connection, stored)
    try:
        named_ones = [n for n in translator.named(stored) if n.document.kind in kinds]
        batch.learn(named.fact for named in named_ones)
        mine = [named for named in named_ones if _is_of(batch, named, stored)]
        ready = [translator.translated(stored, named) for named in mine]
    except LynchpinError as error:
        done.fail(stored.id, error.problem)
        return
    flags = [batch.apply(each, stored.id, stored.stamped_at) for each in ready]
    done.remade += len(ready)
    version = ready[0].mapping.version if ready else None
    row = {"number": stored.id, "mapping": version, "flags": sum(map(len, flags))}
    journal.settle(batch.connection, [row])


def _is_of(batch: Batch, named: Named, stored: Stored) -> bool:
    known = batch.known.get(named.fact)
    return known is not None and known.message_id == stored.id

"""Replay: documents that another version of their mapping made are made again by the one in force.

Nothing goes out for it: no channel hears of a replay. Only the message that a document was last
made from is taken, so a snapshot keeps its place among the others; what the message is called, and
whether it is the same fact, is the connector's and stays. A message that fails in the version in
force leaves its document as it was, and so does one on which Lynchpin itself fails, while the rest
goes on. Done twice, the second time changes nothing.

A further document that the version in force finds, and nobody has yet, comes with the document that
it lies in. One that it does not find any more stays as it was: it was true when it came.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Connection, Select, func, select
from sqlalchemy.exc import OperationalError

from hub import audit, journal, library, publication
from hub.apply import CONFLICT, Batch
from hub.bootstrap import Hub
from hub.effects import effects_of
from hub.failure import place_of
from hub.home import Home
from hub.journal import Stored
from hub.naming import further_kind
from hub.plan import shelf
from hub.publication import Target
from hub.store.tables import document, message, record
from hub.translate import Named
from schemas.problem import Cause, LynchpinError, Problem, Refused, Rejected

__all__ = ["FAILED", "Part", "Replayed", "affected", "replay", "unseen"]

FAILED = Cause(
    "LP-HUB-031",
    "Lynchpin itself failed on this message; its documents stay as they were.",
    "Report it with the place named here; replay again after an update.",
)
OTHER_PLAN = Cause(
    "LP-PLAN-004",
    "The plan does not say what the mapping in force makes otherwise.",
    "Publish the mapping upon this plan first; or plan again, or replay without a plan.",
)

BATCH = 200
_PROBLEMS_MAX = 20


@dataclass(frozen=True, slots=True)
class Part:
    """Which documents: those of messages that were received ``since`` a moment, in UTC, and those
    that a finished ``plan`` of the version in force found to be made otherwise by it.
    """

    since: str | None = None
    plan: str | None = None


EVERYTHING = Part()


@dataclass(slots=True)
class Replayed:
    """What was made again, and why the documents of how many messages stay as they were.

    ``added`` are further documents that were not there before; ``left`` those that stay as they
    were because the version in force does not make them any more.
    ``last`` is the message after which the next batch begins; ``None`` once there is none.
    """

    remade: int = 0
    failed: int = 0
    added: int = 0
    left: int = 0
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
        self.added += other.added
        self.left += other.left
        for number in list(other.problems)[: _PROBLEMS_MAX - len(self.problems)]:
            self.problems[number] = other.problems[number]
        self.last = other.last


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
    """Queue the documents that are still those of a message, and further ones that are to come."""
    kinds = {each.kind for each in publication.siblings(target)}
    # Which stores its sender may send for was decided when it came.
    stored = dataclasses.replace(stored, stores=None)
    translator = hub.translator(batch.connection, stored)
    try:
        named_ones = [n for n in translator.named(stored) if n.document.kind in kinds]
        batch.learn(named.fact for named in named_ones)
        mine = [named for named in named_ones if _is_of(batch, named, stored)]
        new = [named for named in named_ones if _comes(batch, named, stored)]
        version = library.in_force(batch.connection, target.connector, target.kind).version
        due = sum(batch.known[named.fact].mapping != version for named in mine)
        done.left += _left(batch.connection, stored, kinds, mine, version)
        if not due and not new:
            return
        ready = [translator.translated(stored, named) for named in (*mine, *new)]
    except LynchpinError as error:
        done.fail(stored.id, error.problem)
        return
    flags = [
        batch.apply(each.named, effects_of(each), stored.id, stored.stamped_at) for each in ready
    ]
    done.remade += due
    done.added += len(new)
    row = {"number": stored.id, "mapping": version, "flags": sum(map(len, flags))}
    journal.settle(batch.connection, [row])


def _is_of(batch: Batch, named: Named, stored: Stored) -> bool:
    known = batch.known.get(named.fact)
    return known is not None and known.message_id == stored.id


def _comes(batch: Batch, named: Named, stored: Stored) -> bool:
    """Whether a further document is to come with the one that it lies in. Raises ``Rejected``."""
    above = named.principal
    if above is None or not _is_of(batch, above, stored) or _is_of(batch, named, stored):
        return False
    outcome = batch.outcome(named, stored.stamped_at)
    if outcome == "conflict":
        raise Rejected(CONFLICT.at(path=named.fact, file=stored.file, byte=stored.offset))
    return outcome == "applied"


def _left(
    connection: Connection, stored: Stored, kinds: set[str], mine: list[Named], version: str
) -> int:
    """How many further documents of a message, and of these kinds, are none any more."""
    begin = tuple(f"{stored.system}:{further_kind(kind, '')}" for kind in kinds)
    facts = {named.fact for named in mine}
    rows = select(document.c.fact).where(
        document.c.message_id == stored.id,
        document.c.mapping != version,
    )
    found = connection.scalars(rows)
    return sum(fact.startswith(begin) and fact not in facts for fact in found)

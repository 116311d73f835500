"""A step of a job: the next batch of messages, in one transaction with how far the job is then.

Whoever takes the step first looks, in that transaction, whether the job is still to be done and no
other process is at it. Transactions that write come one after the other, so nothing is done twice
by two hubs; and since how far the job is is committed with what was done, it goes on after a
``kill -9`` where its last commit left it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, true, update
from sqlalchemy.exc import OperationalError

from hub import audit
from hub.bootstrap import Hub
from hub.failure import place_of
from hub.jobs.ask import numbers
from hub.jobs.record import RUNNING, Job, entry, job_of
from hub.remake import PROBLEMS_MAX, Remade, remake
from hub.store import postgres
from hub.store.tables import job
from schemas.problem import Cause, LynchpinError, Problem

__all__ = ["BATCH", "BROKEN", "Hand", "Stopped", "Taken", "advance", "look", "problem_of", "stop"]

BROKEN = Cause(
    "LP-JOB-005",
    "Lynchpin itself failed on the job.",
    "Report it with the place named here; `lynchpin job resume` goes on where it stopped.",
)

BATCH = 50
AHEAD = 1000
"""So many messages are looked up at once, beside the writer."""

_READY = job.c.state.in_(RUNNING) & job.c.ended_at.is_(None)


@dataclass(frozen=True, slots=True)
class Hand:
    """Who takes steps, of so many messages: a process by a name of its own, and for how long others
    leave what it takes alone.

    A file of SQLite has one process, so a job that another one left is taken at once.
    """

    shared: bool
    seconds: float
    batch: int = BATCH
    name: str = field(default_factory=lambda: secrets.token_hex(8))

    @classmethod
    def of(cls, hub: Hub) -> Hand:
        """The hand of this process."""
        return cls(hub.bus.shared, hub.settings.lease_seconds)

    def clock(self, connection: Connection) -> int:
        """Milliseconds by the clock that all who share the database go by."""
        return (connection.scalar(select(postgres.CLOCK_MS)) or 0) if self.shared else 0

    def free(self, now: int) -> ColumnElement[bool]:
        """Jobs that nobody else is at."""
        if not self.shared:
            return true()
        ours = job.c.holder.is_(None) | (job.c.holder == self.name)
        return ours | (job.c.until_ms <= now)


@dataclass(frozen=True, slots=True)
class Taken:
    """A job to go on with, and the messages that come next; none where it is at its end."""

    job: Job
    numbers: tuple[int, ...]


def look(hub: Hub, connection: Connection, hand: Hand) -> Taken | None:
    """The oldest job that nobody else is at. It only looks: any connection will do.

    Raises ``LynchpinError`` where what it was asked for cannot be looked up.
    """
    ready = select(job).where(_READY, hand.free(hand.clock(connection)))
    row = connection.execute(ready.order_by(job.c.id).limit(1)).mappings().one_or_none()
    if row is None:
        return None
    found = job_of(row)
    try:
        coming = numbers(
            hub, connection, found.ask, after=found.position, last=found.last_id, limit=AHEAD
        )
    except OperationalError:
        raise
    except Exception as error:
        raise Stopped(found.id, problem_of(error)) from error
    return Taken(found, tuple(coming))


class Stopped(Exception):
    """A job that cannot go on, and why."""

    def __init__(self, number: int, problem: Problem) -> None:
        super().__init__(problem.code)
        self.number, self.problem = number, problem


def problem_of(error: Exception) -> Problem:
    """Why a job cannot go on."""
    return error.problem if isinstance(error, LynchpinError) else BROKEN.at(place_of(error))


def advance(
    hub: Hub, connection: Connection, *, hand: Hand, number: int, coming: Sequence[int]
) -> Job | None:
    """Do the next batch of a job, or end it where none comes; gives the job as it is then.

    ``None`` where it was paused, cancelled or taken by another meanwhile: then nothing is done.
    The caller commits.
    """
    now_ms = hand.clock(connection)
    mine = (job.c.id == number) & _READY & hand.free(now_ms)
    row = connection.execute(select(job).where(mine)).mappings().one_or_none()
    if row is None:
        return None
    found, now = job_of(row), hub.now()
    batch = [each for each in coming if each > found.position][: hand.batch]
    values: dict[str, Any] = {"started_at": found.started_at or now}
    if batch:
        told_by = f"job {number}" if found.ask.effects == "corrections" else None
        done = remake(hub, connection, batch, found.ask.kinds, told_by=told_by)
        until = now_ms + round(hand.seconds * 1000)
        values |= _counted(found, done)
        values |= {"state": "running", "position": batch[-1]}
        values |= {"holder": hand.name, "until_ms": until}
    else:
        _reported(connection, found, "job.done", now=now)
        values |= {"state": "done", "ended_at": now, "holder": None, "until_ms": 0}
    connection.execute(update(job).where(job.c.id == number).values(**values))
    return entry(connection, number)


def _counted(found: Job, done: Remade) -> dict[str, Any]:
    problems = dict(list((found.problems | done.problems).items())[:PROBLEMS_MAX])
    said = {n: each.model_dump(mode="json", exclude_none=True) for n, each in problems.items()}
    return {
        "done": found.done + done.messages,
        "failed": found.failed + done.failed,
        "remade": found.remade + done.remade,
        "unchanged": found.unchanged + done.unchanged,
        "added": found.added + done.added,
        "left_over": found.left_over + done.left,
        "told": found.told + done.told,
        "problems": json.dumps(said),
    }


def stop(hub: Hub, connection: Connection, *, number: int, problem: Problem) -> Job:
    """Keep that a job cannot go on, and why. A person may resume it. The caller commits."""
    now = hub.now()
    values = {"state": "failed", "problem": problem.model_dump_json(exclude_none=True)}
    mine = (job.c.id == number) & _READY
    stopped = update(job).where(mine).values(**values, ended_at=now, holder=None, until_ms=0)
    if connection.execute(stopped).rowcount:
        _reported(connection, entry(connection, number), "job.failed", now=now)
    return entry(connection, number)


def _reported(connection: Connection, found: Job, act: str, *, now: str) -> None:
    """Keep in the audit what a job came to, in the name of who asked for it."""
    names = ("done", "failed", "remade", "unchanged", "added", "left_over", "told")
    detail = {name: getattr(found, name) for name in names}
    audit.write(
        connection, actor=found.actor, act=act, subject=f"job {found.id}", detail=detail, now=now
    )

"""The record of a job: one row, which the command line, HTTP, the console and figures all show.

Pausing and cancelling change the row, and every batch looks at the row in its own transaction
before it does anything: so a batch is done whole or not begun.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from hub import audit, paging
from hub.jobs.ask import Ask
from hub.jobs.plan import Plan
from hub.store.tables import JOB_STATES, job
from schemas.problem import Cause, Problem, Rejected

__all__ = [
    "ACTS",
    "NOT_SO",
    "NO_JOB",
    "RUNNING",
    "Act",
    "Job",
    "counts",
    "decide",
    "entry",
    "job_of",
    "listed",
    "open_ones",
    "start",
]

NO_JOB = Cause(
    "LP-JOB-003",
    "There is no job of this number.",
    "Look the jobs up with `lynchpin job list`.",
)
NOT_SO = Cause(
    "LP-JOB-004",
    "The job is in a state in which this cannot be done.",
    "Look at it with `lynchpin job show`: what runs can be paused, what is paused or failed can be "
    "resumed, and what has ended stays as it is.",
)

Act = Literal["pause", "resume", "cancel"]
ACTS: dict[Act, tuple[str, ...]] = {
    "pause": ("planned", "running"),
    "resume": ("paused", "failed"),
    "cancel": ("planned", "running", "paused"),
}
"""In which states a job may be told to do what."""
RUNNING = ("planned", "running")
"""What is done without anybody saying anything more."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job. Of ``total`` messages ``done`` are through, ``failed`` of them as ``problems`` say.

    ``remade`` documents are otherwise than before, ``unchanged`` ones are not, ``added`` are new,
    and ``left_over`` ones, of those that are unchanged, are not made any more. ``told`` counts
    deliveries that were written for it. ``problem`` is why it could not go on.
    """

    id: int
    kind: str
    ask: Ask
    actor: str
    reason: str
    state: str
    total: int
    done: int
    failed: int
    remade: int
    unchanged: int
    added: int
    left_over: int
    told: int
    last_id: int
    position: int
    problems: dict[int, Problem]
    problem: Problem | None
    created_at: str
    started_at: str | None
    ended_at: str | None

    @property
    def percent(self) -> int:
        """How far it is; a job that is done is through, whatever was superseded meanwhile."""
        if self.state == "done" or not self.total:
            return 100 if self.state == "done" else 0
        return min(99, self.done * 100 // self.total)

    def may(self, act: Act) -> bool:
        """Whether it may be told to do this now."""
        return self.state in ACTS[act]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        names = ("id", "kind", "state", "actor", "reason", *_COUNTS)
        times = ("created_at", "started_at", "ended_at")
        return {
            **{name: getattr(self, name) for name in (*names, *times)},
            "asked": self.ask.said(),
            "effects": self.ask.effects,
            "problems": {number: _said(each) for number, each in self.problems.items()},
            "problem": self.problem and _said(self.problem),
        }


_COUNTS = ("total", "done", "failed", "remade", "unchanged", "added", "left_over", "told")


def _said(problem: Problem) -> dict[str, Any]:
    return problem.model_dump(mode="json", exclude_none=True)


def start(connection: Connection, plan: Plan, *, actor: str, reason: str, now: str) -> Job:
    """Keep that a replay is to be done as it was planned; gives the job.

    Audited before anything is done; whoever looks after jobs begins with it. The caller commits.
    """
    values = {
        "kind": "replay",
        "asked": plan.ask.text(),
        "actor": actor,
        "reason": reason,
        "state": "planned",
        "total": plan.messages,
        "last_id": plan.last,
        "created_at": now,
    }
    key = connection.execute(insert(job).values(values)).inserted_primary_key
    assert key is not None
    number = int(key[0])
    detail = {
        "asked": plan.ask.said(),
        "effects": plan.ask.effects,
        "messages": plan.messages,
        "reason": reason,
    }
    _audited(connection, number, "job.start", detail, actor=actor, now=now)
    return entry(connection, number)


def decide(
    connection: Connection, number: int, act: Act, *, actor: str, reason: str = "", now: str
) -> Job:
    """Pause, resume or cancel a job: it holds from its next batch on. The caller commits.

    Raises ``Rejected`` where there is no such job, or it is in no state for that.
    """
    found = entry(connection, number)
    if not found.may(act):
        raise Rejected(NOT_SO.at(f"job {number} is {found.state}"))
    detail = {"reason": reason} if reason else None
    _audited(connection, number, f"job.{act}", detail, actor=actor, now=now)
    began = "running" if found.started_at else "planned"
    state = {"pause": "paused", "resume": began, "cancel": "cancelled"}[act]
    values: dict[str, Any] = {"state": state, "ended_at": now if act == "cancel" else None}
    if act == "resume":
        values["problem"] = None
    changed = update(job).where(job.c.id == number)
    connection.execute(changed.values(**values, holder=None, until_ms=0))
    return entry(connection, number)


def entry(connection: Connection, number: int) -> Job:
    """A job by its number. Raises ``Rejected`` if there is none."""
    row = connection.execute(select(job).where(job.c.id == number)).mappings().one_or_none()
    if row is None:
        raise Rejected(NO_JOB.at(f"there is no job {number}"))
    return job_of(row)


def listed(
    connection: Connection,
    *,
    state: str | None = None,
    limit: int | None = None,
    after: str | None = None,
) -> list[Job]:
    """Jobs, the newest first; ``after`` is a cursor. Raises ``Refused`` for one of another list."""
    rows = select(job).order_by(job.c.id.desc()).limit(limit)
    if state is not None:
        rows = rows.where(job.c.state == state)
    if key := paging.key_of(after, int):
        rows = rows.where(job.c.id < key[0])
    return [job_of(row) for row in connection.execute(rows).mappings()]


def open_ones(connection: Connection) -> list[Job]:
    """Jobs that have not ended, the oldest first."""
    rows = select(job).where(job.c.ended_at.is_(None)).order_by(job.c.id)
    return [job_of(row) for row in connection.execute(rows).mappings()]


def counts(connection: Connection) -> dict[str, int]:
    """How many jobs are in each state."""
    rows = connection.execute(select(job.c.state, func.count()).group_by(job.c.state)).all()
    return dict.fromkeys(JOB_STATES, 0) | {row[0]: row[1] for row in rows}


def job_of(row: RowMapping) -> Job:
    """The job of a row of the table."""
    said: dict[str, Any] = dict(row)
    for name in ("holder", "until_ms"):
        del said[name]
    problems = json.loads(said.pop("problems"))
    problem = said.pop("problem")
    return Job(
        ask=Ask.of(said.pop("asked")),
        problems={int(number): Problem(**each) for number, each in problems.items()},
        problem=problem and Problem.model_validate_json(problem),
        **said,
    )


def _audited(
    connection: Connection,
    number: int,
    act: str,
    detail: dict[str, Any] | None,
    *,
    actor: str,
    now: str,
) -> None:
    subject = f"job {number}"
    audit.write(connection, actor=actor, act=act, subject=subject, detail=detail, now=now)

"""Jobs: long work that somebody asked for, how far it is, and what came of it."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Table, text

from hub.store.tables.schema import metadata, row_id, row_text

__all__ = ["JOB_STATES", "job"]

JOB_STATES = ("planned", "running", "paused", "cancelled", "done", "failed")
"""``planned``, ``running`` and ``paused`` jobs are open; what ``failed`` may be gone on with."""

_NONE = text("0")

job = Table(
    "job",
    metadata,
    Column("id", row_id, primary_key=True),
    Column("kind", row_text, nullable=False),
    # What was asked for, as JSON: see hub.jobs.ask.
    Column("asked", row_text, nullable=False),
    Column("actor", row_text, nullable=False),
    Column("reason", row_text, nullable=False),
    Column("state", row_text, nullable=False),
    # Messages, as they were counted when it was asked for.
    Column("total", BigInteger, nullable=False),
    # Messages that it is through with, and those of them that failed.
    Column("done", BigInteger, nullable=False, server_default=_NONE),
    Column("failed", BigInteger, nullable=False, server_default=_NONE),
    # Documents: otherwise than before, the same, new, and not made any more.
    Column("remade", BigInteger, nullable=False, server_default=_NONE),
    Column("unchanged", BigInteger, nullable=False, server_default=_NONE),
    Column("added", BigInteger, nullable=False, server_default=_NONE),
    Column("left_over", BigInteger, nullable=False, server_default=_NONE),
    # Deliveries that were written for it.
    Column("told", BigInteger, nullable=False, server_default=_NONE),
    # The last message when it was asked for, and the last one that it is through with. This is
    # committed with what was done, so a job that is killed goes on exactly there.
    Column("last_id", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False, server_default=_NONE),
    # Why the first messages failed, by their numbers, as JSON.
    Column("problems", row_text, nullable=False, server_default=text("'{}'")),
    # Why it could not go on, as JSON.
    Column("problem", row_text),
    Column("created_at", row_text, nullable=False),
    Column("started_at", row_text),
    Column("ended_at", row_text),
    # Which process is at it, and until when others leave it alone.
    Column("holder", row_text),
    Column("until_ms", BigInteger, nullable=False, server_default=_NONE),
    CheckConstraint(f"state IN {JOB_STATES!r}", name="state"),
    CheckConstraint(
        "(ended_at IS NULL) = (state IN ('planned', 'running', 'paused'))", name="ended"
    ),
)
# Open ones are few and looked for often.
Index(
    "ix_job_open",
    job.c.state,
    sqlite_where=job.c.ended_at.is_(None),
    postgresql_where=job.c.ended_at.is_(None),
)

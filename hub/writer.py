"""The writer: one thread through which a running hub changes its database.

What several callers want written at once is committed together, so that they share one wait for
the disk. Nobody is answered before the commit that holds their work.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from hub.bootstrap import Hub
from hub.failure import place_of
from hub.settle import BATCH, UNFORESEEN, settle_next
from schemas.problem import Cause, Unavailable

__all__ = ["CLOSING", "DATABASE_TROUBLE", "Writer", "writing"]

CLOSING = Cause(
    "LP-HUB-040",
    "The hub is shutting down.",
    "Send it again in a moment; nothing of it was kept.",
)
DATABASE_TROUBLE = Cause(
    "LP-HUB-041",
    "The database could not keep what was to be written.",
    "Send it again later; look at the disk of the hub if it goes on.",
)

T = TypeVar("T")

_JOBS_MAX = 100
_GATHER_SECONDS = 0.005
_SETTLE_WITHIN_SECONDS = 0.1
_BATCH_BESIDE, _BATCH_BESIDE_AHEAD = 50, 100
_BESIDE_SECONDS = 0.25
"""Under a steady stream the writer is never idle, and settling must not wait for ever; nor must
those who wait for an answer wait long for settling, and where one came another one will."""
_RETRY_SECONDS = 1.0
_LOOK_SECONDS = 1.0

_log = logging.getLogger("lynchpin.writer")


@dataclass(frozen=True, slots=True)
class _Job:
    """Work to do inside a shared transaction (``shared``), or in one it opens itself."""

    shared: Callable[[Connection], Any] | None
    alone: Callable[[], Any] | None
    future: Future[Any] = field(default_factory=Future)


@dataclass(slots=True)
class Writer:
    """Use ``writing`` to have one. ``settled`` counts messages by the state they came to."""

    hub: Hub
    settled: Counter[str] = field(default_factory=Counter)
    trouble: bool = False
    """Whether the last transaction failed for the database's sake."""
    _busy: bool = False
    _got_on_at: float = 0.0
    _jobs: queue.SimpleQueue[_Job | None] = field(default_factory=queue.SimpleQueue)
    _closing: bool = False
    _door: threading.Lock = field(default_factory=threading.Lock)
    _pending: bool = True
    _settle_after: float = 0.0
    _last_settled: float = 0.0
    _wrote_at: float = 0.0
    """When somebody last wanted something written."""

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """Have something written; the future is done once it is on the disk, or none of it is.

        The work shares its transaction with others: it must not commit. What it raises fails it
        alone. Raises ``Unavailable`` once the hub is closing, and so does the future where the
        database fails.
        """
        return self._enqueue(_Job(work, None))

    def alone(self, work: Callable[[], T]) -> Future[T]:
        """Have work done that opens its own transactions, while nobody else writes."""
        return self._enqueue(_Job(None, work))

    def _enqueue(self, job: _Job) -> Future[Any]:
        with self._door:
            if self._closing:
                raise Unavailable(CLOSING.at())
            self._jobs.put(job)
        return job.future

    @property
    def waiting(self) -> int:
        """How many jobs nobody has begun."""
        return self._jobs.qsize()

    @property
    def stalled_for(self) -> float:
        """Seconds for which something has waited while nothing got done."""
        return time.monotonic() - self._got_on_at if self._busy else 0.0

    def close(self) -> None:
        """Take no more; what was taken is still done."""
        with self._door:
            self._closing = True
            self._jobs.put(None)

    def run(self) -> None:
        """Write until closed: what callers want first, then whatever waits to be settled."""
        while True:
            jobs, last = self._gather()
            if not self._busy:
                self._busy, self._got_on_at = True, time.monotonic()
            if jobs:
                self._write(jobs)
            # What is left unsettled is settled by whoever opens the hub next.
            if last:
                return
            if self._due(jobs):
                self._settle(self._limit())
            self._busy = self._pending or self.waiting > 0

    def _due(self, jobs: list[_Job]) -> bool:
        """Whether to settle now: never where that were to wait for the second process."""
        ahead, now = self.hub.ahead, time.monotonic()
        if not self._pending or now < self._settle_after:
            return False
        if ahead.busy:
            # With nobody to write for either, it need not be the second process that does it all.
            ahead.waited = ahead.waited or not jobs
            return False
        return not jobs or ahead.ready or now - self._last_settled > _SETTLE_WITHIN_SECONDS

    def _limit(self) -> int:
        """How many messages to settle at once, as long as they were translated ahead."""
        ahead = self.hub.ahead
        if ahead.stocked or time.monotonic() - self._wrote_at > _BESIDE_SECONDS:
            return BATCH
        return _BATCH_BESIDE if ahead.process is None else _BATCH_BESIDE_AHEAD

    def got_on(self, *_: object) -> None:
        """A statement is done. While the database is in trouble, that says nothing yet."""
        if not self.trouble:
            self._got_on_at = time.monotonic()

    def _gather(self) -> tuple[list[_Job], bool]:
        """What waits now and comes within a moment; and whether it is the last there will be."""
        jobs: list[_Job] = []
        seconds = self._patience()
        while len(jobs) < _JOBS_MAX:
            try:
                job = self._jobs.get(timeout=seconds)
            except queue.Empty:
                break
            if job is None:
                return jobs, True
            if job.future.set_running_or_notify_cancel():
                jobs.append(job)
            if len(jobs) == 1:
                until = time.monotonic() + _GATHER_SECONDS
            seconds = max(until - time.monotonic(), 0) if jobs else self._patience()
        return jobs, False

    def _patience(self) -> float | None:
        """How long to wait for a job: for ever where there is nothing to settle."""
        if not self._pending:
            return None
        if self.hub.ahead.busy:
            return _GATHER_SECONDS
        return max(self._settle_after - time.monotonic(), 0)

    def _write(self, jobs: list[_Job]) -> None:
        if shared := [job for job in jobs if job.shared is not None]:
            self._commit(shared)
        for job in jobs:
            if job.alone is not None:
                try:
                    result = job.alone()
                except Exception as error:  # noqa: BLE001
                    job.future.set_exception(self._known(error))
                else:
                    job.future.set_result(result)
        self._pending, self._wrote_at = True, time.monotonic()
        if not self.trouble:
            self._settle_after = 0.0

    def _commit(self, jobs: list[_Job]) -> None:
        """One transaction; each job in a savepoint of it, so that it can fail alone."""
        try:
            with self.hub.engine.begin() as connection:
                outcomes = [_attempt(connection, job) for job in jobs]
        except Exception as error:  # noqa: BLE001
            failure = self._known(error)
            for job in jobs:
                job.future.set_exception(failure)
            return
        self.trouble = False
        for job, (result, failed) in zip(jobs, outcomes, strict=True):
            if failed is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(failed)

    def _known(self, error: Exception) -> Exception:
        """Trouble of the database is no fault of whoever wanted something written."""
        if not isinstance(error, OperationalError):
            return error
        self.trouble = True
        extra = {"code": DATABASE_TROUBLE.code, "failure": place_of(error)}
        _log.error("the database failed", extra=extra)
        return Unavailable(DATABASE_TROUBLE.at())

    def _settle(self, limit: int) -> None:
        hub = self.hub
        try:
            done = settle_next(
                hub.engine, hub.bus, hub.translator, hub.now, limit, hub.ahead, begin=True
            )
        except Exception as error:  # noqa: BLE001
            self._settle_after = time.monotonic() + _RETRY_SECONDS
            self.trouble = True
            _log.error("settling failed", extra={"failure": place_of(error)})
            return
        self._last_settled = time.monotonic()
        # Others journal as well, and may be killed before they settle it.
        self._pending = bool(done.states) or done.begun or hub.bus.shared
        if not done.states and not done.begun:
            self._settle_after = time.monotonic() + _LOOK_SECONDS
        if done.states:
            # Looking and finding nothing to settle says nothing about the disk.
            self.trouble = False
        self.settled.update(done.states.values())
        for number, problem in done.problems.items():
            if problem.code == UNFORESEEN.code:
                extra = {"code": problem.code, "message_id": number, "failure": problem.detail}
                _log.error("Lynchpin failed on a message", extra=extra)


def _attempt(connection: Connection, job: _Job) -> tuple[Any, Exception | None]:
    assert job.shared is not None
    # In plain SQL: SQLAlchemy would put each savepoint together anew, which takes longer than it.
    connection.exec_driver_sql("SAVEPOINT job")
    try:
        result = job.shared(connection)
    except OperationalError:
        # SQLite may have rolled back everything by now, not only this: nobody may be told yes.
        raise
    except Exception as error:  # noqa: BLE001
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT job")
        connection.exec_driver_sql("RELEASE SAVEPOINT job")
        return None, error
    connection.exec_driver_sql("RELEASE SAVEPOINT job")
    return result, None


@contextmanager
def writing(hub: Hub) -> Iterator[Writer]:
    """A writer at work until the block ends, and until everything it took is done."""
    writer = Writer(hub)
    thread = threading.Thread(target=writer.run, name="writer")
    event.listen(hub.engine, "after_cursor_execute", writer.got_on)
    thread.start()
    try:
        yield writer
    finally:
        writer.close()
        thread.join()
        event.remove(hub.engine, "after_cursor_execute", writer.got_on)

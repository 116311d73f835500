"""The worker: takes steps of jobs, one after the other, and leaves room for what comes in.

In a hub that is up it is a thread that has each step done by the writer, between what others want
written. While others write, it rests after each step for as long as that took: a job takes half of
the writer's time at most. Without a hub it is whoever runs ``lynchpin job run``.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from hub.bootstrap import Hub
from hub.failure import place_of
from hub.jobs.record import RUNNING, Job, entry
from hub.jobs.step import Hand, Stopped, Taken, advance, look, problem_of, stop
from hub.remake import FAILED
from hub.writer import Writer
from schemas.problem import Unavailable

__all__ = ["Worker", "done", "working"]

_LOOK_SECONDS = 0.5
_RETRY_SECONDS = 2.0

_log = logging.getLogger("lynchpin.jobs")


@dataclass(slots=True)
class Worker:
    """Takes steps. ``begin`` does work in a transaction that writes, and commits it."""

    hub: Hub
    readers: Engine
    begin: Callable[[Callable[[Connection], Job | None]], Job | None]
    hand: Hand
    _taken: Taken | None = field(default=None)

    def step(self) -> Job | None:
        """Take the next step there is; gives the job as it is then, ``None`` where there is none.

        A job that cannot go on has failed by then, with the reason.
        """
        try:
            return self._step()
        except Stopped as stopped:
            self._taken = None
            _log.error("a job cannot go on", extra={"code": stopped.problem.code})
            work = partial(stop, self.hub, number=stopped.number, problem=stopped.problem)
            return self.begin(work)

    def _step(self) -> Job | None:
        if self._taken is None:
            with self.readers.begin() as connection:
                self._taken = look(self.hub, connection, self.hand)
        if (taken := self._taken) is None:
            return None
        number = taken.job.id
        work = partial(advance, self.hub, hand=self.hand, number=number, coming=taken.numbers)
        try:
            done = self.begin(work)
        except (OperationalError, Unavailable):
            self._taken = None
            raise
        except Exception as error:
            raise Stopped(number, problem_of(error)) from error
        rest = tuple(each for each in taken.numbers if done and each > done.position)
        self._taken = replace(taken, job=done, numbers=rest) if done and rest else None
        if done is not None:
            _tell(taken.job, done)
        # Somebody decided otherwise about that one; there may be others.
        return done or self.step()


def _tell(before: Job, now: Job) -> None:
    """Log what Lynchpin itself failed on, and the end of a job."""
    for number in sorted(now.problems.keys() - before.problems.keys()):
        problem = now.problems[number]
        if problem.code == FAILED.code:
            extra = {"code": problem.code, "message_id": number, "failure": problem.detail}
            _log.error("Lynchpin failed on a message", extra=extra)
    if now.state == "done":
        names = ("done", "failed", "remade", "unchanged", "added", "left_over")
        counts = {name: getattr(now, name) for name in names}
        _log.info("a job is done", extra={"job": now.id, **counts})


def done(hub: Hub, number: int, progress: Callable[[int, int], None]) -> Job:
    """Do a job in this process, after those that were asked for before it; gives what it came to.

    One that another process is at is waited for. ``progress`` hears how many messages it is through
    with, and of how many. Raises ``Rejected`` if there is no such job.
    """
    readers = hub.reader()
    worker = Worker(hub, readers, partial(_alone, hub), Hand.of(hub))
    try:
        while True:
            with readers.begin() as connection:
                found = entry(connection, number)
            progress(found.done, found.total)
            if found.state not in RUNNING:
                return found
            if worker.step() is None:
                time.sleep(_LOOK_SECONDS)
    finally:
        readers.dispose()


@contextmanager
def working(writer: Writer) -> Iterator[None]:
    """Do the jobs of a hub that is up, until the block ends."""
    over = threading.Event()
    readers = writer.hub.reader()

    def begin(work: Callable[[Connection], Job | None]) -> Job | None:
        return writer.alone(partial(_alone, writer.hub, work)).result()

    # Stores and items that it looks up are the writer's: it is the writer that runs each step.
    worker = Worker(writer.hub, readers, begin, Hand.of(writer.hub))
    thread = threading.Thread(target=_work, args=(worker, writer, over), name="jobs")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        readers.dispose()


def _alone(hub: Hub, work: Callable[[Connection], Job | None]) -> Job | None:
    with hub.engine.begin() as connection:
        return work(connection)


def _work(worker: Worker, writer: Writer, over: threading.Event) -> None:
    while not over.is_set():
        begun, settled = time.monotonic(), writer.settled.total()
        try:
            done = worker.step()
        except Exception as error:  # noqa: BLE001
            if not isinstance(error, Unavailable):
                _log.error("jobs do not get on", extra={"failure": place_of(error)})
            over.wait(_RETRY_SECONDS)
            continue
        if done is None:
            over.wait(_LOOK_SECONDS)
        elif writer.waiting or writer.settled.total() != settled:
            over.wait(time.monotonic() - begun)

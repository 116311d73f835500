"""Runs the agent or the hub in a variant: ``variant.py agent|hub VARIANT``.

``hasty``: an agent for which an hour passes in seconds. ``held``: it stops where a kill would hurt
most, and says so: an agent before it sends a batch, a hub before it commits one. ``early``: the
same with a guard removed: the agent has deleted the batch by then, the hub has acknowledged it.
``replaying``: a hub that stops so before it commits the second step of a job.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event
from typing import Any

__all__ = ["HASTE", "WORST"]

HASTE = 1000
"""Seconds that pass for a hasty agent in one."""
WORST = "the worst moment"
_SHORTEST_SECONDS = 0.02


def _stand_still() -> None:
    sys.stderr.write(f"{WORST}\n")
    sys.stderr.flush()
    time.sleep(3600)


def _hasty_agent() -> None:
    """Speed up what it names moments by and waits by, but not what it measures files by."""
    from store_agent import lane, run
    from store_agent.clock import Clock

    began = datetime.now(UTC)

    def wall() -> datetime:
        return began + HASTE * (datetime.now(UTC) - began)

    def sleeping(stopping: Event) -> Callable[[float], None]:
        def sleep(seconds: float) -> None:
            stopping.wait(max(seconds / HASTE, _SHORTEST_SECONDS))

        return sleep

    vars(run)["Clock"] = lambda: Clock(wall=wall)
    vars(lane)["sleep_using_event"] = sleeping


def _held_agent() -> None:
    from store_agent.link import Link

    Link.send = lambda *_: _stand_still()  # type: ignore[assignment, method-assign]


def _early_agent() -> None:
    from store_agent.spool import Batch, Spool

    batch = Spool.batch

    def broken(self: Spool, capture: str, **named: Any) -> Batch:
        found = batch(self, capture, **named)
        if found.records:
            self.acknowledge(capture, found, found.records[-1].seq, {}, now=named["now"])
        return found

    Spool.batch = broken  # type: ignore[method-assign]
    _held_agent()


_RECORD = "SELECT count(*) FROM record"


def _hold_hub(before: Callable[[list[Any], list[Any]], None]) -> None:
    """Stop before the first commit of a record, and call ``before``."""
    from hub import writer

    def commit(self: writer.Writer, jobs: list[writer._Job]) -> None:
        with self.hub.engine.begin() as connection:
            outcomes = [writer._attempt(connection, job) for job in jobs]
            if connection.exec_driver_sql(_RECORD).scalar():
                before(jobs, outcomes)
                _stand_still()
        _answer(jobs, outcomes)

    writer.Writer._commit = commit  # type: ignore[method-assign]


def _hold_job() -> None:
    """Stop before the commit of the second step of a job."""
    from hub.jobs import worker
    from hub.jobs.step import advance

    done: list[int] = []

    def second(*given: Any, **named: Any) -> Any:
        found = advance(*given, **named)
        done.append(1)
        if len(done) > 1:
            _stand_still()
        return found

    vars(worker)["advance"] = second


def _answer(jobs: list[Any], outcomes: list[Any]) -> None:
    for job, (result, _) in zip(jobs, outcomes, strict=True):
        job.future.set_result(result)


_VARIANTS: dict[tuple[str, str], Callable[[], None]] = {
    ("agent", "hasty"): _hasty_agent,
    ("agent", "held"): _held_agent,
    ("agent", "early"): _early_agent,
    ("hub", "held"): lambda: _hold_hub(lambda *_: None),
    ("hub", "early"): lambda: _hold_hub(_answer),
    ("hub", "replaying"): _hold_job,
}


def main() -> int:
    """Run the program with the arguments that it takes."""
    who, variant, *arguments = sys.argv[1:]
    _VARIANTS[who, variant]()
    if who == "agent":
        from store_agent.cli import main as run_agent

        return run_agent(["run", *arguments])
    from hub.cli import main as run_hub

    sys.argv = ["lynchpin", "up", *arguments]
    run_hub()
    return 0


if __name__ == "__main__":
    sys.exit(main())

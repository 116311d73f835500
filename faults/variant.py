"""Runs ``lynchpin`` with a guard taken out: ``variant.py VARIANT up ...``.

``early`` acknowledges before the commit. ``nameless`` keeps no name single. ``backwards`` settles
the newest of what waits first. ``forgetful`` has in memory when what failed is tried again.
``cursor first`` says of a page that it was read before it is in the journal.

Its clock may be ahead, by the seconds in the file that the environment names.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from hub import bootstrap, door, journal, naming, writer
from hub.ahead.ahead import Ahead
from hub.cli import main
from hub.delivery import queue
from hub.journal import Stored
from hub.polling import progress
from hub.polling.poller import Poller
from hub.polling.progress import Standing
from hub.store.tables import delivery
from schemas.problem import Unavailable

__all__ = ["CLOCK", "CONTROLS"]

CLOCK = "FAULTS_CLOCK"

_HELD_SECONDS = 0.3
"""Between an acknowledgement and the commit that it should have waited for."""


def _early() -> None:
    def commit(self: writer.Writer, jobs: list[writer._Job]) -> None:
        try:
            with self.hub.engine.begin() as connection:
                outcomes = [writer._attempt(connection, job) for job in jobs]
                for job, (result, _) in zip(jobs, outcomes, strict=True):
                    job.future.set_result(result)
                time.sleep(_HELD_SECONDS)
        except DBAPIError:
            # Whoever was acknowledged is not told that it failed; the others try again.
            for job in jobs:
                if not job.future.done():
                    job.future.set_exception(Unavailable(writer.DATABASE_TROUBLE.at()))

    writer.Writer._commit = commit  # type: ignore[method-assign]


def _nameless() -> None:
    named = naming.fact_id

    def fact_id(system: str, key: tuple[str, ...]) -> str:
        return f"{named(system, key)}#{secrets.token_hex(4)}"

    naming.fact_id = fact_id
    # The second process would name them as ever.
    Ahead.go_on = lambda self, *rest: None  # type: ignore[method-assign]


def _backwards() -> None:
    pending: Callable[..., list[Stored]] = journal.pending

    def newest(connection: Any, *, limit: int, after: int = 0) -> list[Stored]:
        return pending(connection, limit=1_000_000, after=after)[::-1][:limit]

    journal.pending = newest


def _forgetful() -> None:
    def let_go(connection: Any, now: str) -> None:
        tried = update(delivery).where(delivery.c.done_at.is_(None), delivery.c.attempts > 0)
        connection.execute(tried.values(state="discarded", done_at=now))

    queue.let_go = let_go


def _cursor_first() -> None:
    page = Poller._page

    def late(self: Poller, at: Standing) -> bool:
        owed: list[Callable[[Any], Any]] = []

        def later(connection: Any, *given: Any, **named: Any) -> Any:
            owed.append(lambda connection: door.take_in(connection, *given, **named))
            return SimpleNamespace(record=None)

        vars(progress)["take_in"] = later
        on = page(self, at)
        for work in owed:
            time.sleep(_HELD_SECONDS)
            self.keep(work)
        return on

    Poller._page = late  # type: ignore[method-assign]


def _ahead(file: Path) -> None:
    def now() -> str:
        seconds = float(file.read_text("utf-8")) if file.exists() else 0.0
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    bootstrap.open_hub.__wrapped__.__kwdefaults__["now"] = now  # type: ignore[attr-defined]


CONTROLS: dict[str, Callable[[], None]] = {
    "as it is": lambda: None,
    "early": _early,
    "nameless": _nameless,
    "backwards": _backwards,
    "forgetful": _forgetful,
    "cursor first": _cursor_first,
}

if __name__ == "__main__":
    CONTROLS[sys.argv[1]]()
    if CLOCK in os.environ:
        _ahead(Path(os.environ[CLOCK]))
    sys.argv[:2] = ["lynchpin"]
    main()

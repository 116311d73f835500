"""Runs ``lynchpin`` with a guard taken out: ``variant.py VARIANT up ...``.

``early`` acknowledges before the commit. ``nameless`` keeps no name single. ``backwards`` settles
the newest of what waits first.
"""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable
from typing import Any

from hub import journal, naming, writer
from hub.ahead.ahead import Ahead
from hub.cli import main
from hub.journal import Stored

__all__ = ["CONTROLS"]

_HELD_SECONDS = 0.3
"""Between an acknowledgement and the commit that it should have waited for."""


def _early() -> None:
    def commit(self: writer.Writer, jobs: list[writer._Job]) -> None:
        with self.hub.engine.begin() as connection:
            outcomes = [writer._attempt(connection, job) for job in jobs]
            for job, (result, _) in zip(jobs, outcomes, strict=True):
                job.future.set_result(result)
            time.sleep(_HELD_SECONDS)

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


CONTROLS: dict[str, Callable[[], None]] = {
    "as it is": lambda: None,
    "early": _early,
    "nameless": _nameless,
    "backwards": _backwards,
}

if __name__ == "__main__":
    CONTROLS[sys.argv[1]]()
    sys.argv[:2] = ["lynchpin"]
    main()

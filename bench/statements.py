"""How many statements a piece of work takes, and how many rows they touch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from hub.bootstrap import Hub

__all__ = ["Work", "counted"]


@dataclass(slots=True)
class Work:
    """What was asked of the database. ``rows`` are those that were written."""

    statements: int = 0
    rows: int = 0


@contextmanager
def counted(hub: Hub) -> Iterator[Work]:
    """Count until the block ends."""
    work = Work()

    def count(_connection: Any, cursor: Any, *_: Any) -> None:
        work.statements += 1
        work.rows += max(cursor.rowcount, 0)

    event.listen(hub.engine, "after_cursor_execute", count)
    try:
        yield work
    finally:
        event.remove(hub.engine, "after_cursor_execute", count)

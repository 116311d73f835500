"""Backups: everything that the database holds, in one file, while the hub goes on.

The file is the same for SQLite and PostgreSQL: what one wrote, the other one restores. What is in
``lynchpin.toml``, secrets above all, is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from hub import audit
from hub.store import archive, rows
from hub.store.archive import Head, Rows
from hub.store.database import Place, open_as_it_is

__all__ = ["ACT", "Made", "back_up", "noted"]

ACT = "database.backup"
"""The act in the audit: a backup holds everything of everybody."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is on the disk: ``rows`` in all its tables, ``bytes`` of the file."""

    file: str
    made_at: str
    revision: str
    version: str
    rows: int
    bytes: int

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


def back_up(
    place: Place,
    file: Path,
    *,
    now: Callable[[], str],
    overwrite: bool,
    progress: Callable[[int], None] = lambda rows: None,
) -> Made:
    """Write one state of the database into a file; others may write meanwhile.

    ``progress`` hears how many rows were written since last time. A database of an earlier revision
    is taken as it is, so that there is a backup before it is brought up to date. Raises
    ``ConfigError`` where the database cannot be read, or the file not be written.
    """
    made_at = now()
    with open_as_it_is(place) as (connection, revision):
        columns = rows.columns(connection)
        head = Head(
            made_at=made_at,
            revision=revision,
            version=version("lynchpin"),
            database=connection.dialect.name,
            columns=columns,
        )
        found = _watched(rows.rows(connection, columns), progress)
        counts = archive.written(file, head, found, overwrite=overwrite)
    return Made(
        file=file.name,
        made_at=made_at,
        revision=revision,
        version=head.version,
        rows=sum(counts.values()),
        bytes=file.stat().st_size,
    )


def noted(connection: Connection, *, file: str, actor: str, now: str) -> None:
    """Keep who takes a backup, before anything is given out."""
    detail = {"file": file}
    audit.write(connection, actor=actor, act=ACT, subject="database", detail=detail, now=now)


def _watched(found: Iterator[Rows], progress: Callable[[int], None]) -> Iterator[Rows]:
    for table, some in found:
        yield table, some
        progress(len(some))

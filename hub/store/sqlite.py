"""SQLite: a file of the home, opened so that what is committed stays committed.

An engine opened to write has a single connection, because SQLite before 3.51.3 can lose a
checkpoint when two connections write and checkpoint at once. Everyone else opens to read.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool

from hub.causes import (
    DATABASE_DAMAGED,
    DATABASE_FOREIGN,
    DATABASE_MISSING,
    DATABASE_UNREADABLE,
    DATABASE_UNSAFE,
)
from hub.store.access import Access
from schemas.problem import ConfigError, Problem

__all__ = ["engine_of", "quick_check", "tables", "unreadable", "whole_check"]

BUSY_SECONDS = 10.0

# Builds of SQLite differ in their defaults, and some settings are taken without effect, so every
# one is read back. Temporary tables stay in memory: nothing may reach another file.
_PRAGMAS: dict[str, tuple[str, object]] = {
    "journal_mode": ("WAL", "wal"),
    "synchronous": ("FULL", 2),
    "foreign_keys": ("ON", 1),
    "mmap_size": ("0", 0),
    "temp_store": ("MEMORY", 2),
    # What is erased is overwritten, not only forgotten.
    "secure_delete": ("ON", 1),
}
# A batch of sales and the pages of their indexes have to fit, or they are read and written over and
# over; and a page that changes with every batch is copied back into the file once for many of them.
_PRAGMAS_TO_WRITE: dict[str, tuple[str, object]] = {
    "cache_size": ("-65536", -65536),
    "wal_autocheckpoint": ("4000", 4000),
}


def engine_of(path: Path, access: Access) -> Engine:
    """An engine of the file; to write, the file is created where it is missing.

    Raises ``ConfigError`` where there is no file to read, or none can be made.
    """
    if access == "write":
        _create_private(path)
    elif not path.exists() or path.stat().st_size == 0:
        raise ConfigError(DATABASE_MISSING.at(file=path.name))
    begin = "BEGIN IMMEDIATE" if access == "write" else "BEGIN"
    engine = create_engine(
        "sqlite://",
        creator=_connector(path, access),
        poolclass=QueuePool,
        pool_size=1 if access == "write" else 5,
        max_overflow=0,
        pool_timeout=BUSY_SECONDS,
    )

    # The sqlite3 module would begin a transaction late, and never before a SELECT.
    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def tables(connection: Connection) -> list[str]:
    """Whatever has a name in the file."""
    return list(connection.exec_driver_sql("SELECT name FROM sqlite_schema").scalars())


def quick_check(connection: Connection) -> tuple[str, ...]:
    """What SQLite finds wrong with the file and its foreign keys; empty where all is well."""
    damage = _damage(connection, "quick_check")
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return (
        *damage,
        *(
            f"{table} row {row} names a missing row of {parent}"
            for table, row, parent, _ in orphans
        ),
    )


def whole_check(connection: Connection) -> tuple[str, ...]:
    """What SQLite finds wrong with the file, every index compared with its table."""
    return _damage(connection, "integrity_check")


def _damage(connection: Connection, check: str) -> tuple[str, ...]:
    lines = (row[0] for row in connection.exec_driver_sql(f"PRAGMA {check}"))
    return tuple(line for line in lines if line != "ok")


def unreadable(error: DatabaseError, path: Path) -> Problem:
    """Why the file could not be used."""
    code = getattr(error.orig, "sqlite_errorname", "an error without a name")
    if code == "SQLITE_NOTADB":
        cause = DATABASE_FOREIGN
    elif code.startswith("SQLITE_CORRUPT"):
        cause = DATABASE_DAMAGED
    else:
        cause = DATABASE_UNREADABLE
    return cause.at(f"SQLite answers {code}", file=path.name)


def _create_private(path: Path) -> None:
    """Make sure the file exists and is its owner's alone. SQLite's side files copy its mode."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ConfigError(DATABASE_UNREADABLE.at(error.strerror or "", file=path.name)) from error


def _connector(path: Path, access: Access) -> Callable[[], sqlite3.Connection]:
    uri = f"{path.absolute().as_uri()}?mode={'rw' if access == 'write' else 'ro'}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _make_safe(connection, path, access)
        except BaseException:
            connection.close()
            raise
        return connection

    return connect


def _make_safe(connection: sqlite3.Connection, path: Path, access: Access) -> None:
    """Set every pragma and believe only what is read back."""
    pragmas = _PRAGMAS | (_PRAGMAS_TO_WRITE if access == "write" else {})
    for name, (wanted, expected) in pragmas.items():
        connection.execute(f"PRAGMA {name} = {wanted}").close()
        row = connection.execute(f"PRAGMA {name}").fetchone()
        # Builds without memory mapping answer nothing at all to mmap_size.
        actual = row[0] if row else 0
        if actual != expected:
            raise ConfigError(
                DATABASE_UNSAFE.at(f"{name} stays {actual}, wanted {wanted}", file=path.name)
            )

"""The agent's database: one file, one connection that writes, and nothing lost once written."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from schemas.problem import ConfigError, Unavailable
from store_agent.causes import SPOOL_FULL, SPOOL_UNSAFE
from store_agent.home import Home

__all__ = ["Database", "Write"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS secret (id INTEGER PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS lane (
    capture TEXT PRIMARY KEY,
    address TEXT,
    epoch TEXT NOT NULL,
    base INTEGER NOT NULL DEFAULT 0,
    number INTEGER NOT NULL DEFAULT 0,
    committed INTEGER NOT NULL DEFAULT 0,
    captured_at TEXT,
    shipped_at TEXT,
    capture_problem TEXT,
    ship_problem TEXT,
    forgotten TEXT
);
CREATE TABLE IF NOT EXISTS record (
    capture TEXT NOT NULL,
    number INTEGER NOT NULL,
    file BLOB NOT NULL,
    name TEXT NOT NULL,
    captured_at TEXT NOT NULL,
    length INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    payload BLOB NOT NULL,
    seal BLOB NOT NULL,
    PRIMARY KEY (capture, number)
);
CREATE INDEX IF NOT EXISTS record_of_file ON record (capture, file);
CREATE TABLE IF NOT EXISTS kept (
    capture TEXT NOT NULL,
    number INTEGER NOT NULL,
    file BLOB NOT NULL,
    name TEXT NOT NULL,
    captured_at TEXT NOT NULL,
    length INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    payload BLOB NOT NULL,
    seal BLOB NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    acked_at TEXT NOT NULL,
    PRIMARY KEY (capture, number)
);
CREATE INDEX IF NOT EXISTS kept_since ON kept (acked_at);
CREATE TABLE IF NOT EXISTS heard (capture TEXT PRIMARY KEY, life TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS damaged (
    id INTEGER PRIMARY KEY,
    capture TEXT NOT NULL,
    found_at TEXT NOT NULL,
    name TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    payload BLOB NOT NULL,
    problem TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS file (
    capture TEXT NOT NULL,
    key BLOB NOT NULL,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    end INTEGER NOT NULL,
    anchor INTEGER NOT NULL,
    context BLOB,
    digest BLOB NOT NULL,
    whole INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    problem TEXT,
    gone_at TEXT,
    PRIMARY KEY (capture, key)
);
CREATE INDEX IF NOT EXISTS file_of_content ON file (capture, digest);
CREATE INDEX IF NOT EXISTS file_of_inode ON file (capture, inode);
CREATE INDEX IF NOT EXISTS file_here ON file (capture) WHERE gone_at IS NULL;
"""

Write: TypeAlias = Callable[..., sqlite3.Cursor]
"""Runs a statement inside a transaction."""


class Database:
    """Open it while holding the home. Methods may be called from any thread."""

    def __init__(self, home: Home) -> None:
        """Raises ``ConfigError`` if it is damaged, or cannot be made to wait for the disk."""
        self._lock = threading.RLock()
        try:
            os.close(os.open(home.spool, os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._connection = sqlite3.connect(
                home.spool, isolation_level=None, check_same_thread=False
            )
            # Text that was damaged must not keep its row from being read, and set aside.
            self._connection.text_factory = lambda text: text.decode("utf-8", "replace")
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(SPOOL_UNSAFE.at(str(error), file=home.spool.name)) from error

    def _prepare(self) -> None:
        for setting, wanted in (("journal_mode", "wal"), ("synchronous", 2)):
            self._connection.execute(f"PRAGMA {setting} = {wanted}")
            # Builds of SQLite differ, and a network disk may keep it from doing as it is told.
            found = self._connection.execute(f"PRAGMA {setting}").fetchone()[0]
            if found != wanted:
                raise ConfigError(SPOOL_UNSAFE.at(f"{setting} stays {found!r} here"))
        if (found := self._connection.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
            raise ConfigError(SPOOL_UNSAFE.at(f"its check says: {found}"))
        self._connection.executescript(_SCHEMA)
        made = "INSERT OR IGNORE INTO secret VALUES (1, ?)"
        self._connection.execute(made, (secrets.token_bytes(32),))

    @contextmanager
    def writing(self) -> Iterator[Write]:
        """One transaction, down to the disk when the block ends and undone if it fails.

        Raises ``Unavailable`` when the disk is full. Any other ``sqlite3.Error`` means that the
        disk fails: end the process, for what it said before that is not to be relied on.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield lambda sql, *values: self._connection.execute(sql, values)
                self._connection.execute("COMMIT")
            except BaseException as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error) and _is_full(error):
                    raise Unavailable(SPOOL_FULL.at(str(error))) from error
                raise

    def read(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that a query finds."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()


def _is_full(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL

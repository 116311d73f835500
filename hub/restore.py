"""Restoring: a backup takes the place of what is there, in one transaction, and then it heals.

Killed in the middle it leaves what was there before: the rows are put together beside the database
(SQLite) or in a transaction of the server (PostgreSQL), and take its place in a single commit. What
came after the backup is gone from here, but not everywhere: store agents see that this is another
life of the hub and ship again, and what nobody can be asked for again is listed as unverified.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import DatabaseError

from hub import audit, unverified
from hub.causes import DATABASE_IN_USE, DATABASE_MISSING, DATABASE_NEWER
from hub.polling import progress
from hub.settings import Settings
from hub.store import archive, postgres, rows, sqlite
from hub.store.archive import Archive, Rows
from hub.store.database import REVISION, Place, failure, migrate, open_as_it_is, open_database
from hub.store.tables import api_key, lease, restore
from hub.unverified import Window
from schemas.problem import Cause, ConfigError

__all__ = ["Restored", "restore_from"]

NOT_EMPTY = Cause(
    "LP-DB-024",
    "There is data where the backup is to be restored to.",
    "Take a backup of it with `lynchpin db backup`, then say `--replace` if it may go; or restore "
    "into another home.",
)
IMPOSSIBLE = Cause(
    "LP-DB-025",
    "The rows of the backup contradict each other.",
    "Take an earlier backup; nothing was changed. Report it with the file kept.",
)

_SUFFIX = ".restoring"
_NO_DATABASE = b"a restore of Lynchpin was killed".ljust(100)
"""In the place of SQLite's header, which has as many bytes."""
_DATA = ("record", "api_key", "location", "item")
"""A home that was just made has none of these."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, and what a person has to look after. ``replaced`` counts what went."""

    made_at: str
    revision: str
    version: str
    rows: int
    replaced: bool
    unverified: tuple[Window, ...]
    revoked: int
    """Keys that were revoked after the backup, and stay so."""
    rewound: tuple[str, ...]
    """Polls that read again what came since the backup."""

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "unverified": [asdict(window) for window in self.unverified]}


def restore_from(
    file: Path,
    place: Place,
    settings: Settings,
    *,
    replace: bool,
    actor: str,
    now: Callable[[], str],
    progress: Callable[[int], None] = lambda rows: None,
) -> Restored:
    """Put what a backup holds in the place of the database. Hold the lock of the home.

    Raises ``ConfigError`` for a backup that is damaged or of a newer Lynchpin, for a place with
    data unless ``replace`` is said, and where another hub is at work; nothing is changed then.
    """
    with archive.opened(file) as opened:
        if opened.head.revision > REVISION:
            detail = f"the backup's revision is {opened.head.revision}"
            raise ConfigError(DATABASE_NEWER.at(detail, file=file.name))
        revoked = _revoked(place, replace=replace)
        healing = _Healing(opened, settings, revoked, actor, now)
        try:
            if isinstance(place, Path):
                _restore_sqlite(place, healing, progress)
            else:
                _restore_postgres(place, healing, progress)
        except DatabaseError as error:
            if isinstance(error.orig, sqlite3.IntegrityError | ValueError) or _contradicts(error):
                raise ConfigError(IMPOSSIBLE.at(file=file.name)) from error
            raise failure(error, place) from error
    return healing.done(replaced=revoked is not None)


def _contradicts(error: DatabaseError) -> bool:
    return str(getattr(error.orig, "sqlstate", "")).startswith("23")


def _revoked(place: Place, *, replace: bool) -> list[dict[str, Any]] | None:
    """The keys that are revoked in what is to be replaced; ``None`` where nothing is.

    What cannot be read may be replaced by who says so, if it is a file: a server that gives no
    answer is no empty place, nor are the tables of somebody else.
    """
    try:
        with open_as_it_is(place) as (connection, _):
            if not any(_rows_in(connection, table) for table in _DATA):
                return None
            gone = select(api_key.c.id, api_key.c.revoked_at)
            found = connection.execute(gone.where(api_key.c.revoked_at.is_not(None))).all()
    except ConfigError as error:
        if error.problem.code == DATABASE_MISSING.code:
            return None
        if not isinstance(place, Path):
            raise
        found = []
    if not replace:
        where = {"file": place.name} if isinstance(place, Path) else {"path": postgres.SETTING}
        raise ConfigError(NOT_EMPTY.at(**where))
    return [{"number": row.id, "at": row.revoked_at} for row in found]


def _rows_in(connection: Connection, table: str) -> bool:
    found = f"SELECT EXISTS (SELECT 1 FROM {table})"  # noqa: S608
    return bool(connection.exec_driver_sql(found).scalar())


class _Healing:
    """What is done to the rows once they are there, in the transaction that brings them."""

    def __init__(
        self,
        opened: Archive,
        settings: Settings,
        revoked: list[dict[str, Any]] | None,
        actor: str,
        now: Callable[[], str],
    ) -> None:
        self.opened, self._settings, self._now = opened, settings, now
        self._revoked, self._actor = revoked, actor
        self._windows: list[Window] = []
        self._polls: list[str] = []
        self._ended = self._rows = 0

    def rows(self, progress: Callable[[int], None]) -> Iterator[Rows]:
        """The rows of the backup, counted."""
        for table, some in self.opened.rows():
            yield table, some
            self._rows += len(some)
            progress(len(some))

    def heal(self, connection: Connection) -> None:
        """Have what lies elsewhere sent again, and say what cannot be."""
        head, now = self.opened.head, self._now()
        audit.write(
            connection,
            actor=self._actor,
            act="database.restore",
            subject="database",
            detail={"backup_at": head.made_at, "digest": self.opened.digest},
            now=now,
        )
        made = connection.execute(
            insert(restore),
            {
                "life": secrets.token_hex(8),
                "backup_at": head.made_at,
                "restored_at": now,
                "actor": self._actor,
                "digest": self.opened.digest,
            },
        )
        (number,) = made.inserted_primary_key or (0,)
        self._windows = unverified.note(
            connection, self._settings, number=number, backup_at=head.made_at, restored_at=now
        )
        self._polls = progress.rewind_all(
            connection, self._settings.polls, to=head.made_at, now=now
        )
        # Whoever held these is gone; what they held is settled by whoever comes.
        connection.execute(delete(lease))
        for each in self._revoked or ():
            still = (api_key.c.id == each["number"]) & api_key.c.revoked_at.is_(None)
            ended = update(api_key).where(still).values(revoked_at=each["at"])
            self._ended += connection.execute(ended).rowcount

    def done(self, *, replaced: bool) -> Restored:
        """What it came to."""
        head = self.opened.head
        return Restored(
            made_at=head.made_at,
            revision=head.revision,
            version=head.version,
            rows=self._rows,
            replaced=replaced,
            unverified=tuple(self._windows),
            revoked=self._ended,
            rewound=tuple(self._polls),
        )


def _fill(connection: Connection, healing: _Healing, progress: Callable[[int], None]) -> None:
    """Tables of the backup's own revision, its rows, then what has changed since, then healing."""
    head = healing.opened.head
    migrate(connection, head.revision)
    rows.load(connection, healing.rows(progress), head.columns)
    migrate(connection, "head")
    healing.heal(connection)


def _restore_sqlite(place: Path, healing: _Healing, progress: Callable[[int], None]) -> None:
    beside = place.with_name(place.name + _SUFFIX)
    with _gone(beside):
        engine = sqlite.engine_of(beside, "write")
        try:
            with engine.begin() as connection:
                _fill(connection, healing, progress)
        finally:
            engine.dispose()
        _take_its_place(beside, place)


def _take_its_place(beside: Path, place: Path) -> None:
    """Copy every page in one transaction of the database that is there.

    Renaming the file would leave its journal to the new one, and readers with the old one; one that
    is damaged can only be renamed over.
    """
    if place.exists() and not _readable(place):
        _rename_over(beside, place)
        return
    target = sqlite.engine_of(place, "write")
    try:
        with closing(sqlite3.connect(f"{beside.as_uri()}?mode=ro", uri=True)) as source:
            raw = target.raw_connection()
            try:
                into: Any = raw.driver_connection
                source.backup(into)
                into.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
            finally:
                raw.close()
    finally:
        target.dispose()


def _rename_over(beside: Path, place: Path) -> None:
    """Put a file in the place of one that is damaged: whoever comes meanwhile finds no database.

    Were there no file for a moment, a hub that starts after a kill would begin with an empty one.
    """
    with place.open("r+b") as damaged:
        damaged.write(_NO_DATABASE)
        damaged.flush()
        os.fsync(damaged.fileno())
    for end in ("-wal", "-shm"):
        place.with_name(place.name + end).unlink(missing_ok=True)
    beside.replace(place)
    folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _readable(place: Path) -> bool:
    """Whether SQLite can write into this file at all."""
    try:
        with closing(sqlite3.connect(f"{place.absolute().as_uri()}?mode=rw", uri=True)) as found:
            return bool(found.execute("PRAGMA quick_check").fetchone()[0] == "ok")
    except sqlite3.DatabaseError:
        return False


@contextmanager
def _gone(beside: Path) -> Iterator[None]:
    """Nothing is left of this file, nor of one that a killed restore left."""
    names = [beside.with_name(beside.name + end) for end in ("", "-wal", "-shm")]
    try:
        for name in names:
            name.unlink(missing_ok=True)
        yield
    finally:
        for name in names:
            name.unlink(missing_ok=True)


def _restore_postgres(place: Any, healing: _Healing, progress: Callable[[int], None]) -> None:
    engine = postgres.engine_of(place, "write", int(REVISION))
    try:
        with engine.connect() as connection, postgres.without_turn(connection).begin():
            postgres.migrating(connection)
            if others := postgres.others(connection):
                detail = f"{others} at work"
                raise ConfigError(DATABASE_IN_USE.at(detail, path=postgres.SETTING))
            for table in postgres.tables(connection):
                connection.exec_driver_sql(f'DROP TABLE "{table}" CASCADE')
            _fill(connection, healing, progress)
    finally:
        engine.dispose()
    open_database(place).dispose()

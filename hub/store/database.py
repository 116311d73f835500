"""The database: opened so that what is committed stays committed, and brought up to date.

It is a file of the home (``hub.store.sqlite``) or a database of a PostgreSQL server
(``hub.store.postgres``). Nobody above this package can tell which.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DatabaseError

from hub.causes import (
    DATABASE_FOREIGN,
    DATABASE_IN_USE,
    DATABASE_MISSING,
    DATABASE_NEWER,
    DATABASE_OLDER,
)
from hub.store import postgres, sqlite
from hub.store.access import Access
from schemas.problem import Cause, ConfigError, Problem

__all__ = [
    "REVISION",
    "Access",
    "Place",
    "failure",
    "migrate",
    "open_as_it_is",
    "open_database",
    "quick_check",
    "upgrade",
]

REVISION = "0019"
"""The newest migration: a database of this revision is opened without loading Alembic."""

Place = Path | URL
"""A file of SQLite, or the address of a database of PostgreSQL."""


def open_database(place: Place, *, access: Access = "write") -> Engine:
    """Open the database, bring it up to date, and return an engine whose ``begin()`` is safe.

    To write, what is missing is created, a file readable by its owner only; every transaction
    waits at its start until nobody else writes, and there is one connection, so transactions do
    not nest. Hold ``hub.lock`` first. To read, each transaction sees one state of the database
    and can change nothing.

    Raises ``ConfigError`` where the database is missing (to read) or cannot be reached, is none of
    Lynchpin, comes from another version, or does not keep the settings that make a commit durable.
    """
    engine = _engine_of(place, access)
    try:
        _bring_up_to_date(engine, place, access)
    except DatabaseError as error:
        engine.dispose()
        raise failure(error, place) from error
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def open_as_it_is(place: Place) -> Iterator[tuple[Connection, str]]:
    """One unchanging view of a database of this revision or an earlier one, and which one it is.

    Nothing is brought up to date. Raises ``ConfigError`` as ``open_database`` does.
    """
    engine = _engine_of(place, "read")
    try:
        with engine.begin() as connection:
            tables, found = _seen(connection)
            if found is None:
                cause = DATABASE_FOREIGN if tables else DATABASE_MISSING
                raise ConfigError(_said(cause, place))
            if found > REVISION:
                raise ConfigError(_said(DATABASE_NEWER, place, f"its revision is {found}"))
            yield connection, found
    except DatabaseError as error:
        raise failure(error, place) from error
    finally:
        engine.dispose()


def upgrade(engine: Engine, to: str = "head") -> None:
    """Run the migrations that the database has not seen, all of them or none.

    Raises ``ConfigError`` where a hub of an earlier version is at work on the same database.
    """
    with engine.connect() as connection, postgres.without_turn(connection).begin():
        if connection.dialect.name == "postgresql":
            postgres.migrating(connection)
            if others := postgres.others_of_earlier_versions(connection, int(REVISION)):
                raise ConfigError(DATABASE_IN_USE.at(f"{others} at work", path=postgres.SETTING))
        migrate(connection, to)


def migrate(connection: Connection, to: str) -> None:
    """Run migrations up to this revision in the transaction of the caller."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "hub.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def quick_check(engine: Engine) -> tuple[str, ...]:
    """What the database says is wrong with itself; empty where all is well."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            return sqlite.quick_check(connection)
        return postgres.quick_check(connection)


def failure(error: DatabaseError, place: Place) -> ConfigError:
    """Why the database could not be used, as an error to be told."""
    return ConfigError(_unreadable(error, place))


def _engine_of(place: Place, access: Access) -> Engine:
    if isinstance(place, Path):
        return sqlite.engine_of(place, access)
    return postgres.engine_of(place, access, int(REVISION))


def _bring_up_to_date(engine: Engine, place: Place, access: Access) -> None:
    with engine.connect() as connection, postgres.without_turn(connection).begin():
        tables, found = _seen(connection)
    if found == REVISION:
        return
    if found is None and tables:
        raise ConfigError(_said(DATABASE_FOREIGN, place))
    if found is not None and found > REVISION:
        raise ConfigError(_said(DATABASE_NEWER, place, f"its revision is {found}"))
    if access == "read":
        raise ConfigError(_said(DATABASE_OLDER if found else DATABASE_MISSING, place))
    upgrade(engine)


def _seen(connection: Connection) -> tuple[list[str], str | None]:
    """The tables that are there, and the revision, if they are Lynchpin's."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgres
    tables = dialect.tables(connection)
    if "alembic_version" not in tables:
        return tables, None
    return tables, connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def _said(cause: Cause, place: Place, detail: str = "") -> Problem:
    if isinstance(place, Path):
        return cause.at(detail, file=place.name)
    return cause.at(detail, path=postgres.SETTING)


def _unreadable(error: DatabaseError, place: Place) -> Problem:
    if isinstance(place, Path):
        return sqlite.unreadable(error, place)
    return postgres.unreadable(error)

"""The database: opened so that what is committed stays committed, and brought up to date.

It is a file of the home (``hub.store.sqlite``) or a database of a PostgreSQL server
(``hub.store.postgres``). Nobody above this package can tell which.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DatabaseError

from hub.causes import DATABASE_FOREIGN, DATABASE_MISSING, DATABASE_NEWER, DATABASE_OLDER
from hub.store import postgres, sqlite
from hub.store.access import Access
from schemas.problem import Cause, ConfigError, Problem

__all__ = ["REVISION", "Access", "Place", "open_database", "quick_check", "upgrade"]

REVISION = "0006"
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
    if isinstance(place, Path):
        engine = sqlite.engine_of(place, access)
    else:
        engine = postgres.engine_of(place, access)
    try:
        _bring_up_to_date(engine, place, access)
    except DatabaseError as error:
        engine.dispose()
        raise ConfigError(_unreadable(error, place)) from error
    except BaseException:
        engine.dispose()
        raise
    return engine


def upgrade(engine: Engine) -> None:
    """Run the migrations that the database has not seen, all of them or none."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "hub.store:migrations")
    with engine.connect() as connection, postgres.without_turn(connection).begin():
        if connection.dialect.name == "postgresql":
            postgres.migrating(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def quick_check(engine: Engine) -> tuple[str, ...]:
    """What the database says is wrong with itself; empty where all is well."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            return sqlite.quick_check(connection)
        return postgres.quick_check(connection)


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

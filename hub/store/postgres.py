"""PostgreSQL: one database that several hubs may share.

SQLite lets one writer in at a time, and everything above relies on that: what a transaction has
looked up is still so when it writes. Here a transaction that writes takes its turn: it locks the
table of the revision, which only migrations ever write to, and so waits for every other one. It
does so with ``LOCK TABLE``, which comes before the first look at the data; a lock taken by a
SELECT would come after it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import (
    URL,
    BigInteger,
    Connection,
    Engine,
    cast,
    create_engine,
    event,
    extract,
    func,
)
from sqlalchemy.exc import DatabaseError

from hub.causes import (
    DATABASE_DRIVER,
    DATABASE_FOREIGN,
    DATABASE_UNREACHABLE,
    DATABASE_UNREADABLE,
    DATABASE_UNSAFE,
)
from hub.store.access import Access
from schemas.problem import ConfigError, Problem

__all__ = [
    "CLOCK_MS",
    "SETTING",
    "engine_of",
    "migrating",
    "others",
    "others_of_earlier_versions",
    "quick_check",
    "tables",
    "unreadable",
    "without_turn",
]

SETTING = "database_url"
"""Where people say which database it is; its value may carry a password and is never shown."""

_TURN = "LOCK TABLE alembic_version IN EXCLUSIVE MODE"
_NO_TURN = "lynchpin_no_turn"
# "LYNCHPIN" in ASCII: other programs that use the same server hold locks of other numbers.
_MIGRATION_LOCK = 0x4C594E434850494E
# "LYNC": held together with the revision by every session that writes, for as long as it lasts.
_WORK_LOCK = 1280921155
_AT_WORK = """SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid::bigint = 1280921155 AND objsubid = 2"""

CLOCK_MS = cast(extract("epoch", func.clock_timestamp()) * 1000, BigInteger)
"""What the clock of the database shows, in milliseconds since 1970."""

_CONNECT_SECONDS = 10
_POOL_SECONDS = 10.0
# A host that vanishes says no farewell: the server learns of it by these, and frees its turn.
_SOCKET = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_SESSION = {
    "client_encoding": "UTF8",
    "timezone": "UTC",
    "lock_timeout": "60s",
    # Whoever has taken a turn and does nothing with it must not stop everybody for ever.
    "idle_in_transaction_session_timeout": "120s",
}
# What a server may have been told to save time with, and what it must say.
_SAFE = {"server_encoding": ("UTF8",), "fsync": ("on",), "full_page_writes": ("on",)}


def engine_of(url: URL, access: Access, revision: int) -> Engine:
    """An engine of the database at this address, whose transactions are as SQLite's are.

    As long as it can write, the database knows which revision its program expects.

    Raises ``ConfigError`` where the driver is not installed.
    """
    reading = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    writing = {"isolation_level": "READ COMMITTED"}
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={"connect_timeout": _CONNECT_SECONDS, **_SOCKET},
            execution_options=reading if access == "read" else writing,
            pool_size=1 if access == "write" else 5,
            max_overflow=0,
            pool_timeout=_POOL_SECONDS,
            # A server that was restarted is found again at the next transaction.
            pool_pre_ping=True,
            # Values are people's data.
            hide_parameters=True,
        )
    except ModuleNotFoundError as error:
        raise ConfigError(DATABASE_DRIVER.at(path=SETTING)) from error
    event.listen(engine, "connect", _made_safe)
    if access == "write":
        event.listen(engine, "connect", partial(_at_work, revision=revision))
        event.listen(engine, "begin", _take_turn)
    return engine


def without_turn(connection: Connection) -> Connection:
    """A connection whose transactions take no turn: they only look, or the tables are not there
    yet. SQLite goes by its own ways and does not hear of it.
    """
    return connection.execution_options(**{_NO_TURN: True})


def migrating(connection: Connection) -> None:
    """Wait until nobody else migrates, nor will before this transaction has ended.

    Whoever opens the database meanwhile waits as well, and then sees what became of it.
    """
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
    if "alembic_version" in tables(connection):
        connection.exec_driver_sql("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")


def others_of_earlier_versions(connection: Connection, revision: int) -> int:
    """How many other sessions, of programs that expect an earlier revision, may write now."""
    earlier = f"{_AT_WORK} AND pid != pg_backend_pid() AND objid::bigint < {revision}"
    return int(connection.exec_driver_sql(earlier).scalar_one())


def others(connection: Connection) -> int:
    """How many other sessions may write now."""
    return int(connection.exec_driver_sql(f"{_AT_WORK} AND pid != pg_backend_pid()").scalar_one())


def tables(connection: Connection) -> list[str]:
    """The tables of the schema that new ones would be made in."""
    mine = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    return list(connection.exec_driver_sql(mine).scalars())


def quick_check(connection: Connection) -> tuple[str, ...]:
    """What the server says is wrong with the tables; empty where all is well."""
    broken = connection.exec_driver_sql(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid OR NOT indisready"
    )
    unproven = connection.exec_driver_sql(
        "SELECT conname, conrelid::regclass::text FROM pg_constraint"
        " WHERE NOT convalidated AND connamespace = current_schema()::regnamespace"
    )
    failures = connection.exec_driver_sql(
        "SELECT coalesce(checksum_failures, 0) FROM pg_stat_database"
        " WHERE datname = current_database()"
    ).scalar()
    return (
        *(f"the index {name} is not whole" for name in broken.scalars()),
        *(f"{name} of {table} was never proven" for name, table in unproven),
        *((f"{failures} pages failed their checksum",) if failures else ()),
    )


def unreadable(error: DatabaseError) -> Problem:
    """Why the database could not be used; no word of the server's, which may name what is secret.

    A server that cannot be reached gives no code.
    """
    code = getattr(error.orig, "sqlstate", None)
    if code is None:
        return DATABASE_UNREACHABLE.at(path=SETTING)
    refused = code.startswith(("08", "28", "3D", "53", "57"))
    cause = DATABASE_UNREACHABLE if refused else DATABASE_UNREADABLE
    if code == "42703":
        cause = DATABASE_FOREIGN
    return cause.at(f"PostgreSQL answers {code}", path=SETTING)


def _take_turn(connection: Connection) -> None:
    if not connection.get_execution_options().get(_NO_TURN):
        connection.exec_driver_sql(_TURN)


def _made_safe(connection: Any, record: Any) -> None:
    """Set what a session can set, and believe the rest only as the server says it."""
    with connection.cursor() as cursor:
        for name, value in _SESSION.items():
            cursor.execute("SELECT set_config(%s, %s, false)", (name, value))
        said = {name: _asked(cursor, name) for name in (*_SAFE, "synchronous_commit")}
        if said["synchronous_commit"] in ("off", "local"):
            cursor.execute("SELECT set_config('synchronous_commit', 'on', false)")
    connection.commit()
    for name, wanted in _SAFE.items():
        if said[name] not in wanted:
            detail = f"{name} is {said[name]}, wanted {wanted[0]}"
            raise ConfigError(DATABASE_UNSAFE.at(detail, path=SETTING))


def _at_work(connection: Any, record: Any, *, revision: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s, %s)", (_WORK_LOCK, revision))
    connection.commit()


def _asked(cursor: Any, name: str) -> str:
    cursor.execute("SELECT current_setting(%s)", (name,))
    return str(cursor.fetchone()[0])

"""All rows of a database, out of one and into another, whichever kind each of them is.

Columns are looked up in the database itself and not in the code, so that one of an older revision
can be read as well. What may point forwards within a table is checked at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Boolean, Connection, inspect
from sqlalchemy.exc import IntegrityError

from hub.store.archive import Rows

__all__ = ["columns", "load", "rows"]

_ROWS_AT_ONCE = 500
_BYTES_AT_ONCE = 4 * 1024 * 1024
_REVISION = "alembic_version"


def columns(connection: Connection) -> dict[str, list[str]]:
    """Each table with its columns, a table after those that its rows refer to."""
    inspector = inspect(connection)
    tables = [name for name, _ in inspector.get_sorted_table_and_fkc_names() if name]
    return {
        table: [column["name"] for column in inspector.get_columns(table)]
        for table in tables
        if table != _REVISION and not table.startswith("sqlite_")
    }


def rows(connection: Connection, wanted: Mapping[str, Sequence[str]]) -> Iterator[Rows]:
    """All rows, in pieces that fit in memory, as the database keeps them."""
    for table, names in wanted.items():
        listed = ", ".join(_quoted(connection, name) for name in names)
        query = f"SELECT {listed} FROM {_quoted(connection, table)}"  # noqa: S608
        options = {"stream_results": True, "yield_per": _ROWS_AT_ONCE}
        found = connection.exec_driver_sql(query, execution_options=options)
        for some in found.partitions():
            yield from _pieces(table, [list(row) for row in some])


def _pieces(table: str, some: list[list[Any]]) -> Iterator[Rows]:
    """Rows may carry payloads of some megabytes each."""
    piece: list[list[Any]] = []
    size = 0
    for row in some:
        piece.append(row)
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
        if size > _BYTES_AT_ONCE:
            yield table, piece
            piece, size = [], 0
    if piece:
        yield table, piece


def load(
    connection: Connection, archived: Iterable[Rows], names: Mapping[str, Sequence[str]]
) -> None:
    """Put rows into tables that are empty, in the transaction of the caller.

    Raises ``IntegrityError`` if they contradict each other or what the tables demand.
    """
    yes_or_no = _yes_or_no(connection)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for table, some in archived:
            _insert(connection, table, names[table], some)
        if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise IntegrityError("PRAGMA foreign_key_check", None, ValueError("a row is missing"))
        return
    links = _without_links(connection)
    for table, some in archived:
        _copy(connection, table, names[table], some, yes_or_no.get(table, frozenset()))
    for table, name, definition in links:
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    _number_on(connection)


def _yes_or_no(connection: Connection) -> dict[str, frozenset[str]]:
    """The columns that hold yes or no: SQLite keeps them as numbers."""
    inspector = inspect(connection)
    return {
        table: frozenset(
            column["name"]
            for column in inspector.get_columns(table)
            if isinstance(column["type"], Boolean)
        )
        for table in inspector.get_table_names()
    }


def _insert(
    connection: Connection, table: str, names: Sequence[str], some: list[list[Any]]
) -> None:
    listed = ", ".join(_quoted(connection, name) for name in names)
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO {_quoted(connection, table)} ({listed}) VALUES ({marks})"  # noqa: S608
    connection.exec_driver_sql(statement, [tuple(row) for row in some])


def _copy(
    connection: Connection,
    table: str,
    names: Sequence[str],
    some: list[list[Any]],
    yes_or_no: frozenset[str],
) -> None:
    listed = ", ".join(_quoted(connection, name) for name in names)
    asked = [name in yes_or_no for name in names]
    raw: Any = connection.connection.driver_connection
    with (
        raw.cursor() as cursor,
        cursor.copy(f"COPY {_quoted(connection, table)} ({listed}) FROM STDIN") as copy,
    ):
        for row in some:
            copy.write_row([_said(v, asked=a) for v, a in zip(row, asked, strict=True)])


def _said(value: Any, *, asked: bool) -> Any:
    """A value as PostgreSQL takes it; see ``hub.store.tables.schema`` for NUL in a text."""
    if isinstance(value, str):
        return value.replace("\0", "\u2400")
    return bool(value) if asked and value is not None else value


def _without_links(connection: Connection) -> list[Any]:
    """Take foreign keys away, to be proven over all rows at once; gives what makes them again."""
    found = connection.exec_driver_sql(
        "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)"
        " FROM pg_constraint WHERE contype = 'f'"
        " AND connamespace = current_schema()::regnamespace"
    ).all()
    for table, name, _ in found:
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    return list(found)


def _number_on(connection: Connection) -> None:
    """Rows that come later are numbered after those that were loaded."""
    counted = connection.exec_driver_sql(
        "SELECT quote_ident(table_name), quote_ident(column_name),"
        " pg_get_serial_sequence(quote_ident(table_name), column_name)"
        " FROM information_schema.columns WHERE table_schema = current_schema()"
        " AND pg_get_serial_sequence(quote_ident(table_name), column_name) IS NOT NULL"
    ).all()
    for table, column, sequence in counted:
        last = f"SELECT setval('{sequence}', coalesce(max({column}), 0) + 1, false) FROM {table}"  # noqa: S608
        connection.exec_driver_sql(last)


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)

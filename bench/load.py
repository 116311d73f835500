"""Sales in bulk: the rows that the live path writes, for millions of them, in minutes.

A sale of the bulk has the number, clock and customer that ``bench.mix`` has for it; of baskets
there are only some, which come again and again. The live path takes in each basket with each kind
of customer once; all other sales are those rows with other names and numbers put in, hashed and
packed anew. ``receive_all`` brings the same files in by the live path, and ``differences`` then
compares all columns of all rows of all tables.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, select

from bench import mix
from bench.flow import FILE_SALES
from bench.forms import SOURCE, Forms, receive_as, text_of
from bench.sale import SEED
from connectors import registry
from hub import bootstrap
from hub import home as homes
from hub.bootstrap import Hub
from hub.home import Home
from hub.journal import compress, digest
from hub.store.tables import claim, document, message, metadata, record, transaction_index

__all__ = [
    "Clock",
    "careless",
    "differences",
    "fresh",
    "load",
    "receive_all",
    "shuffled",
    "write",
]

_TABLES = (record, message, document, transaction_index, claim)
_FILES_AT_ONCE = 2_000
_FIRST_FILE = datetime(2026, 3, 2, 20)  # noqa: DTZ001
_BETWEEN = timedelta(seconds=270)
_PLACES = {t.name: {column.name: n for n, column in enumerate(t.c)} for t in _TABLES}
_LOADING = {
    "journal_mode": "OFF",
    "synchronous": "OFF",
    "foreign_keys": "OFF",
    "cache_size": -2_000_000,
}
"""How SQLite loads quickly, with nothing kept from a crash."""


@dataclass(slots=True)
class Clock:
    """The clock of a hub, which stands still while a file comes in."""

    file: int = 0

    def now(self) -> str:
        """The moment at which the file comes."""
        return (_FIRST_FILE + self.file * _BETWEEN).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@contextmanager
def fresh(folder: Path, clock: Clock, database_url: str | None = None) -> Iterator[Hub]:
    """An empty hub that goes by this clock from the start, in a file or in an empty database."""
    home = Home(folder)
    homes.create(home, registry.manifests())
    head = f'database_url = "{database_url}"\n' if database_url else ""
    settings = head + home.settings.read_text("utf-8") + mix.SETTINGS
    home.settings.write_text(settings, "utf-8")
    with bootstrap.open_hub(home, now=clock.now) as hub:
        yield hub


def shuffled(first: int, count: int) -> list[int]:
    """The numbers of sales in the order in which they come: years make indexes as scattered."""
    numbers = list(range(first, first + count))
    random.Random(SEED).shuffle(numbers)
    return numbers


def receive_all(hub: Hub, clock: Clock, made: Forms, numbers: Sequence[int]) -> None:
    """Bring sales in by the live path, in files, in this order."""
    for number, some in enumerate(_files(numbers)):
        clock.file = number
        receive_as(hub, _name(number), text_of(map(made.receipt, some)))


def load(hub: Hub, made: Forms, numbers: Sequence[int]) -> None:
    """Write what ``receive_all`` would bring into a hub, behind what it has already."""
    files = _files(numbers)
    bulk = _Bulk(hub, made)
    with careless(hub.engine):
        for start in range(0, len(files), _FILES_AT_ONCE):
            for number, some in enumerate(files[start : start + _FILES_AT_ONCE], start):
                bulk.add(number, some)
            with hub.engine.begin() as connection:
                bulk.flush(connection)
    if hub.engine.dialect.name == "postgresql":
        # As its autovacuum does, but now.
        with hub.engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")


def _files(numbers: Sequence[int]) -> list[Sequence[int]]:
    return [numbers[start : start + FILE_SALES] for start in range(0, len(numbers), FILE_SALES)]


def _name(number: int) -> str:
    return f"sales-{number:06d}.xml"


class _Bulk:
    """Rows on their way into the tables, numbered as the live path would."""

    def __init__(self, hub: Hub, made: Forms) -> None:
        self._made = made
        self._clock = Clock()
        self._rows: dict[str, list[list[Any]]] = {table.name: [] for table in _TABLES}
        with hub.engine.begin() as connection:
            self._records = connection.scalar(select(func.max(record.c.id))) or 0
            self._messages = connection.scalar(select(func.max(message.c.id))) or 0
            self._packs = hub.dictionaries.of(connection, SOURCE)

    def add(self, number: int, sales: Sequence[int]) -> None:
        """Queue the rows of a file."""
        self._clock.file = number
        now = self._clock.now()
        head, tail = text_of([]).split(b"\n")
        head += b"\n"
        size, whole = len(head), hashlib.sha256(head)
        self._records += 1
        for position, index in enumerate(sales):
            payload = self._sale(index, self._records, position, size, now)
            size += len(payload)
            whole.update(payload)
        whole.update(tail)
        known = {
            **self._made.record,
            "id": self._records,
            "name": _name(number),
            "bytes": size + len(tail),
            "sha256": whole.hexdigest(),
            "messages": len(sales),
            "received_at": now,
        }
        self._rows["record"].append([known[column.name] for column in record.c])

    def _sale(self, index: int, file: int, position: int, offset: int, now: str) -> bytes:
        sale = self._made.filled(index)
        self._messages += 1
        known = {
            "id": self._messages,
            "record_id": file,
            "position": position,
            "offset": offset,
            "length": len(sale.payload),
            "payload": compress(sale.payload, self._packs),
            "digest": digest(sale.payload),
            "settled_at": now,
        }
        for column, value in known.items():
            sale.message[_PLACES["message"][column]] = value
        sale.document[_PLACES["document"]["message_id"]] = self._messages
        self._rows["message"].append(sale.message)
        self._rows["document"].append(sale.document)
        self._rows["transaction_index"].append(sale.index)
        self._rows["claim"] += sale.claims
        return sale.payload

    def flush(self, connection: Connection) -> None:
        """Write what was queued, and have what comes later numbered after it."""
        for table in _TABLES:
            write(connection, table, self._rows[table.name])
            self._rows[table.name] = []


def write(connection: Connection, table: Table, rows: list[list[Any]]) -> None:
    """Write rows of all columns of a table, and have what comes later numbered after them."""
    (_insert if connection.dialect.name == "sqlite" else _copy)(connection, table, rows)


def _insert(connection: Connection, table: Table, rows: list[list[Any]]) -> None:
    names = ", ".join(f'"{column.name}"' for column in table.c)
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({', '.join('?' * len(table.c))})"  # noqa: S608
    connection.exec_driver_sql(statement, [tuple(row) for row in rows])


def _copy(connection: Connection, table: Table, rows: list[list[Any]]) -> None:
    connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
    names = ", ".join(f'"{column.name}"' for column in table.c)
    raw: Any = connection.connection.driver_connection
    with raw.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    if "id" in table.c:
        last = f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) FROM {table}"  # noqa: S608
        connection.exec_driver_sql(last)


@contextmanager
def careless(engine: Engine) -> Iterator[None]:
    """Load quickly, with nothing kept from a crash; whatever is loaded, is loaded from nothing."""
    if engine.dialect.name != "sqlite":
        yield
        return
    with engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        before = {name: raw.execute(f"PRAGMA {name}").fetchone()[0] for name in _LOADING}
        _set(raw, _LOADING)
    yield
    with engine.connect() as connection:
        _set(connection.connection.driver_connection, before)


def _set(raw: Any, pragmas: dict[str, Any]) -> None:
    for name, value in pragmas.items():
        raw.execute(f"PRAGMA {name} = {value}").close()


def differences(left: Connection, right: Connection) -> list[str]:
    """The tables in which two databases differ, with one of the rows that only one of them has."""
    found: list[str] = []
    for table in metadata.sorted_tables:
        here, there = (
            Counter(tuple(row) for row in each.execute(select(table))) for each in (left, right)
        )
        for only, where in ((here - there, "left"), (there - here, "right")):
            if only:
                found.append(f"{table.name}: {only.total()} only {where}: {next(iter(only))!r}")
    return found

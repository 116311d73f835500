"""Integrity: whether the database is whole, and what it holds agrees with itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import zstandard
from sqlalchemy import Connection, Index, UniqueConstraint, inspect, select, text

from hub import journal
from hub.causes import DATABASE_DAMAGED, DATABASE_OLDER
from hub.store import postgres, sqlite
from hub.store.database import REVISION, Place, open_as_it_is
from hub.store.tables import dictionary, message, metadata
from schemas.problem import Cause, ConfigError, LynchpinError, Problem

__all__ = ["examine"]

ORPHAN = Cause(
    "LP-DB-001",
    "Rows name a row of another table that is not there.",
    "Keep a copy of the database for inspection, then restore the last backup that is well.",
)
NOT_SINGLE = Cause(
    "LP-DB-002",
    "What keeps a name single is missing from the database.",
    "Have it made again as the table's migration has it; until then the same sale may count twice.",
)
TORN_RECORD = Cause(
    "LP-DB-003",
    "Records do not have as many messages as they were cut into.",
    "Have the sender send them again; what is there counts once. Keep a copy for inspection.",
)
NO_DOCUMENT = Cause(
    "LP-DB-004",
    "Messages are said to be applied, and their document is not there.",
    "Replay their mapping with `lynchpin map replay`; report it with a copy of the database.",
)
NO_MESSAGE = Cause(
    "LP-DB-005",
    "Documents are said to be made from a message that was not applied.",
    "Report it with a copy of the database.",
)
NOT_FOUND_BY = Cause(
    "LP-DB-006",
    "Documents lack the row by which they are found.",
    "Replay their mapping with `lynchpin map replay`; report it with a copy of the database.",
)
NO_HOLD = Cause(
    "LP-DB-007",
    "Messages are held, and it is not known why.",
    "Release them, which finds out again; report it with a copy of the database.",
)
CAPTURE_COUNT = Cause(
    "LP-DB-008",
    "A store agent was told that more records are here than there are.",
    "Have the files captured again with `lynchpin-agent recapture`; report it with a copy of the "
    "database.",
)
PAYLOAD = Cause(
    "LP-DB-009",
    "What messages said is not any more what their digest says.",
    "Look after the disk; restore the last backup that is well.",
)

_SHOWN = 3
_MESSAGES_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Promise:
    """What is never so: ``broken`` finds what it is so of, by a name that people can look up."""

    cause: Cause
    what: str
    broken: str


_PROMISES = (
    _Promise(
        TORN_RECORD,
        "record",
        "SELECT id FROM record WHERE messages !="
        " (SELECT count(*) FROM message WHERE message.record_id = record.id)",
    ),
    _Promise(
        NO_DOCUMENT,
        "message",
        "SELECT id FROM message WHERE state = 'applied' AND (fact IS NULL OR"
        " NOT EXISTS (SELECT 1 FROM document WHERE document.fact = message.fact))",
    ),
    _Promise(
        NO_MESSAGE,
        "document",
        "SELECT document.fact FROM document JOIN message ON message.id = document.message_id"
        " WHERE message.state != 'applied'",
    ),
    *(
        _Promise(
            NOT_FOUND_BY,
            "document",
            f"SELECT fact FROM document WHERE kind = '{kind}' AND"  # noqa: S608
            f" NOT EXISTS (SELECT 1 FROM {table} WHERE {table}.fact = document.fact)",
        )
        for kind, table in (
            ("Transaction", "transaction_index"),
            ("Control", "control_index"),
            ("Order", "order_index"),
        )
    ),
    _Promise(
        NO_HOLD,
        "message",
        "SELECT id FROM message WHERE settled_at IS NULL AND state = 'held' AND"
        " NOT EXISTS (SELECT 1 FROM hold WHERE hold.message_id = message.id)",
    ),
    _Promise(
        CAPTURE_COUNT,
        "capture",
        "SELECT capture FROM capture WHERE committed != (SELECT count(*) FROM record"
        " WHERE record.capture = capture.capture AND record.epoch = capture.epoch)",
    ),
)


def examine(place: Place, *, quick: bool = False) -> Iterator[Problem]:
    """Every problem that is found; none where all is well. Works while a hub runs.

    ``quick`` leaves out what reads every payload. A database that cannot be opened is a problem
    like others.
    """
    try:
        with open_as_it_is(place) as (connection, revision):
            yield from _damage(connection)
            if revision != REVISION:
                yield DATABASE_OLDER.at(f"its revision is {revision}, and {REVISION} is expected")
                return
            yield from _orphans(connection)
            yield from _singles(connection)
            for promise in _PROMISES:
                yield from _broken(connection, promise)
            if not quick:
                yield from _payloads(connection)
    except LynchpinError as error:
        yield error.problem


def _damage(connection: Connection) -> Iterator[Problem]:
    on_sqlite = connection.dialect.name == "sqlite"
    check = sqlite.whole_check if on_sqlite else postgres.quick_check
    yield from (DATABASE_DAMAGED.at(line) for line in check(connection))


def _orphans(connection: Connection) -> Iterator[Problem]:
    """Rows whose foreign key leads nowhere: a server may have been told not to look."""
    for table in metadata.sorted_tables:
        for link in table.foreign_key_constraints:
            parent = link.referred_table.alias("parent")
            pairs = [(each.parent, parent.c[each.column.name]) for each in link.elements]
            named = [column.is_not(None) for column, _ in pairs]
            missing = ~select(1).where(*(column == key for column, key in pairs)).exists()
            names = [column for column, _ in pairs]
            found = connection.execute(select(*names).where(*named, missing).limit(_SHOWN)).all()
            if found:
                like = "; ".join(" ".join(map(str, row)) for row in found)
                detail = f"{table.name} names {link.referred_table.name} {like}"
                yield ORPHAN.at(detail, path=table.name)


def _singles(connection: Connection) -> Iterator[Problem]:
    """Whatever comes twice finds its name taken, as long as something keeps names single."""
    inspector = inspect(connection)
    for table in metadata.sorted_tables:
        wanted = {tuple(column.name for column in table.primary_key)}
        wanted |= {_names(each) for each in table.constraints if isinstance(each, UniqueConstraint)}
        wanted |= {_names(index) for index in table.indexes if index.unique}
        key = inspector.get_pk_constraint(table.name)["constrained_columns"]
        there = {tuple(key)}
        for made in inspector.get_indexes(table.name):
            if made["unique"]:
                there.add(tuple(name for name in made["column_names"] if name))
        for each in inspector.get_unique_constraints(table.name):
            there.add(tuple(each["column_names"]))
        for names in sorted(wanted - there):
            yield NOT_SINGLE.at(", ".join(names), path=table.name)


def _names(index: Index | UniqueConstraint) -> tuple[str, ...]:
    return tuple(column.name for column in index.columns)


def _broken(connection: Connection, promise: _Promise) -> Iterator[Problem]:
    counted = f"SELECT count(*) FROM ({promise.broken}) AS found"  # noqa: S608
    if count := connection.scalar(text(counted)):
        some = connection.scalars(text(f"{promise.broken} LIMIT {_SHOWN}")).all()
        which = ", ".join(f"{promise.what} {each}" for each in some)
        more = f" and {count - len(some)} more" if count > len(some) else ""
        yield promise.cause.at(which + more)


def _dictionaries(connection: Connection) -> set[int]:
    """Those that are as they were made."""
    columns = (dictionary.c.id, dictionary.c.hash, dictionary.c.content)
    used = select(*columns).where(dictionary.c.content.is_not(None))
    return {
        number
        for number, digest, content in connection.execute(used)
        if journal.digest(content) == digest
    }


def _payloads(connection: Connection) -> Iterator[Problem]:
    """Every payload unpacks to what its digest says."""
    query = select(message.c.id, message.c.payload, message.c.digest).where(
        message.c.removed_at.is_(None)
    )
    options = {"stream_results": True, "yield_per": _MESSAGES_AT_ONCE}
    bad: list[int] = []
    known = _dictionaries(connection)
    for number, packed, digest in connection.execute(query.execution_options(**options)):
        try:
            named = zstandard.get_frame_parameters(packed).dict_id
            well = not named or named in known
            well = well and journal.digest(journal.decompress(packed, connection)) == digest
        except (zstandard.ZstdError, ConfigError):
            well = False
        if not well:
            bad.append(number)
    if bad:
        which = ", ".join(f"message {number}" for number in bad[:_SHOWN])
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        yield PAYLOAD.at(which + more)

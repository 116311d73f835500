"""What a plan looks through: stored documents with their messages, and messages that are held.

Only the message that a document was last made from is looked at: earlier snapshots, duplicates and
what was given up have no part in what the hub knows now.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, case, func, null, or_, select

from hub import journal
from hub.journal import Stored
from hub.plan.report import Window
from hub.store.tables import document, message, record

__all__ = ["Made", "documents", "further", "held", "last_message", "of_message", "principal"]


class Made(NamedTuple):
    """A stored document: its name, where it lay in its message, and what made it what it is.

    ``body`` is left in the database where the published text made it: it is known what that makes.
    """

    fact: str
    at: str
    mapping: str
    body: str | None
    further: str | None
    """The name of its entry, if it is a further document of its message."""
    stored: Stored


def last_message(connection: Connection) -> int:
    """Number of the newest message."""
    return connection.scalar(select(func.max(message.c.id))) or 0


def documents(
    connection: Connection,
    window: Window,
    connector: str,
    kind: str,
    after: tuple[int, str],
    *,
    published: str,
    limit: int,
) -> list[Made]:
    """The next stored documents of a canonical kind after (message, fact), in that order."""
    number, fact = after
    body = case((document.c.mapping == published, null()), else_=document.c.body)
    found = (
        _with_stored(body)
        .join(document, document.c.message_id == message.c.id)
        .where(document.c.kind == kind, document.c.further.is_(None))
        .where(document.c.message_id >= number)
        .where(or_(document.c.message_id > number, document.c.fact > fact))
        .order_by(document.c.message_id, document.c.fact)
        .limit(limit)
    )
    rows = connection.execute(_within(found, window, connector))
    return [_made(connection, row) for row in rows]


def further(
    connection: Connection,
    window: Window,
    connector: str,
    after: tuple[int, str],
    *,
    limit: int,
) -> list[Made]:
    """The next stored further documents, of any mapping of a connector, after (message, fact)."""
    number, fact = after
    found = (
        _with_stored(document.c.body)
        .join(document, document.c.message_id == message.c.id)
        .where(document.c.further.is_not(None))
        .where(document.c.message_id >= number)
        .where(or_(document.c.message_id > number, document.c.fact > fact))
        .order_by(document.c.message_id, document.c.fact)
        .limit(limit)
    )
    rows = connection.execute(_within(found, window, connector))
    return [_made(connection, row) for row in rows]


def of_message(connection: Connection, number: int, fact: str) -> list[Made]:
    """One stored document with its message, as far as it is there still."""
    found = (
        _with_stored(document.c.body)
        .join(document, document.c.message_id == message.c.id)
        .where(message.c.id == number, document.c.fact == fact)
    )
    return [_made(connection, row) for row in connection.execute(found)]


def principal(connection: Connection, number: int, at: str) -> str | None:
    """What the document of a message is called that lies there, and is no further one."""
    found = select(document.c.fact).where(document.c.message_id == number, document.c.at == at)
    fact: str | None = connection.scalar(found.where(document.c.further.is_(None)))
    return fact


def held(
    connection: Connection, window: Window, connector: str, after: int, limit: int
) -> list[Stored]:
    """The next messages that are held after this one."""
    found = (
        journal.STORED.where(message.c.settled_at.is_(None), message.c.state == "held")
        .where(message.c.id > after)
        .order_by(message.c.id)
        .limit(limit)
    )
    rows = connection.execute(_within(found, window, connector))
    return [journal.stored(connection, row) for row in rows]


def _with_stored(body: Any) -> Select[Any]:
    """What a ``Made`` is made of."""
    columns = (document.c.fact, document.c.at, document.c.mapping, body, document.c.further)
    return journal.STORED.add_columns(*columns)


def _made(connection: Connection, row: Row[Any]) -> Made:
    return Made._make((*row[-5:], journal.stored(connection, row[:-5])))


def _within(found: Select[Any], window: Window, connector: str) -> Select[Any]:
    found = found.where(message.c.id <= window.last, record.c.connector == connector)
    found = found.where(message.c.removed_at.is_(None))
    if window.source is not None:
        found = found.where(record.c.source == window.source)
    if window.since is not None:
        found = found.where(record.c.received_at >= window.since)
    return found

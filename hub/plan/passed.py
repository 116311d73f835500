"""What a plan passes over: messages of its window that a replay would not touch either."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, func, select

from hub.plan.report import Window
from hub.store.tables import document, message, record

__all__ = ["passed_over"]

_COMPARED = ("applied", "held")
_SUPERSEDED = "superseded"
"""The word for a message whose documents were all made again from later ones, or came too late."""


def passed_over(connection: Connection, window: Window, connector: str) -> dict[str, int]:
    """How many messages of the window are not looked at, by what became of them.

    They are ``duplicate``, ``superseded``, ``joined`` with their rest, ``discarded``,
    ``removed`` because their days were over, or still ``pending``.
    """
    found: dict[str, int] = {}
    states = _within(select(message.c.state, func.count()), window, connector)
    for state, count in connection.execute(states.group_by(message.c.state)):
        if state not in _COMPARED:
            word = _SUPERSEDED if state == "stale" else state
            found[word] = found.get(word, 0) + count
    made = select(document.c.fact).where(document.c.message_id == message.c.id)
    bare = _within(select(func.count()), window, connector).where(
        message.c.state == "applied", ~made.exists()
    )
    if count := connection.scalar(bare):
        found[_SUPERSEDED] = found.get(_SUPERSEDED, 0) + count
    gone = _within(select(func.count()), window, connector).where(
        message.c.state == "applied", message.c.removed_at.is_not(None), made.exists()
    )
    if count := connection.scalar(gone):
        found["removed"] = count
    return found


def _within(found: Select[Any], window: Window, connector: str) -> Select[Any]:
    found = found.select_from(message).join(record)
    found = found.where(message.c.id <= window.last, record.c.connector == connector)
    if window.source is not None:
        found = found.where(record.c.source == window.source)
    if window.since is not None:
        found = found.where(record.c.received_at >= window.since)
    return found

"""Going over the journal with one mapping: read-only, the oldest message first, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from hub import journal
from hub.bootstrap import Hub
from hub.coverage.tally import Tally
from hub.failure import problem_of
from hub.journal import Stored
from hub.publication import Target, siblings
from hub.store.tables import message, record
from mappings.mapping import Mapping

__all__ = ["Window", "cover"]

_CHUNK = 500
_LEFT_OUT = ("duplicate", "joined", "discarded")
"""What says the same again, lives on in another message, or was found to be worth nothing."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which messages: those that were received from ``since`` on (UTC text), of one source, and
    of these only the ``latest``.
    """

    since: str | None = None
    source: str | None = None
    latest: int | None = None


def cover(
    hub: Hub,
    connection: Connection,
    mapping: Mapping,
    target: Target,
    window: Window,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Tally, int]:
    """Count what the mapping makes of the traffic of its kind; with it the number of messages.

    ``progress`` hears how many messages were read so far.
    """
    tally = Tally(mapping)
    kinds = {each.kind for each in siblings(target)}
    read = with_some = 0
    for stored in _messages(connection, target.connector, window):
        read += 1
        progress(read)
        before = tally.documents
        translator = hub.translator(connection, stored)
        try:
            decode = translator.connector.decode
            documents = decode(stored.said, stored.context, translator.options)
        except Exception as error:  # noqa: BLE001
            # What nobody can decode is of no kind, and on hold for that.
            problem_of(error)
            continue
        for document in documents:
            if document.kind in kinds:
                tally.add(document.body, stored.id, translator.reference)
        with_some += tally.documents > before
    return tally, with_some


def _messages(connection: Connection, connector: str, window: Window) -> Iterator[Stored]:
    wanted = (
        select(message.c.id)
        .join_from(message, record)
        .where(record.c.connector == connector, message.c.state.not_in(_LEFT_OUT))
        .where(message.c.removed_at.is_(None))
    )
    if window.since is not None:
        wanted = wanted.where(record.c.received_at >= window.since)
    if window.source is not None:
        wanted = wanted.where(record.c.source == window.source)
    last = 0
    if window.latest is not None:
        newest = wanted.order_by(message.c.id.desc()).limit(window.latest).subquery()
        last = (connection.scalar(select(func.min(newest.c.id))) or 1) - 1
    while numbers := connection.scalars(
        wanted.where(message.c.id > last).order_by(message.c.id).limit(_CHUNK)
    ).all():
        for number in numbers:
            stored = journal.entry(connection, number)
            if stored is not None:
                yield stored
        last = numbers[-1]

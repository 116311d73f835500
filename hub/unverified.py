"""Unverified windows: what was pushed between a backup and its restore, and is asked of nobody.

A store agent ships again what the hub lost, and a poll reads it again. Who pushes has forgotten
what was acknowledged: webhooks, records that a script posted, files received by hand. Nothing here
can tell how many of these there were, so the window stands until a person has compared.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from hub import audit
from hub.settings import Settings
from hub.store.tables import api_key, message, record, unverified
from schemas.problem import Cause, Rejected

__all__ = ["Closed", "Window", "closed_windows", "note", "open_windows", "reconcile"]

NONE_OPEN = Cause(
    "LP-DB-030",
    "Nothing of this source is unverified.",
    "List what is with `lynchpin db unverified`.",
)

_COMMIT_SECONDS = 60
"""A record has the time at which the hub began to take it in. What had begun by the backup's moment
may not be in it; a hub that is longer over it gives up."""


@dataclass(frozen=True, slots=True)
class Window:
    """What came from ``source`` between the two moments may be missing."""

    source: str
    since_at: str
    until_at: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A window that somebody has closed: who, when, and how they knew."""

    window: Window
    reconciled_at: str
    actor: str
    reason: str


def open_windows(connection: Connection) -> list[Window]:
    """Windows that nobody has reconciled, by source and the oldest first."""
    each = unverified.c
    found = select(each.source, each.since_at, each.until_at).where(each.reconciled_at.is_(None))
    ordered = found.order_by(each.source, each.since_at)
    return [Window(*row) for row in connection.execute(ordered)]


def closed_windows(connection: Connection, *, limit: int) -> list[Closed]:
    """Windows that somebody has reconciled, the latest first."""
    each = unverified.c
    columns = (each.source, each.since_at, each.until_at)
    found = select(*columns, each.reconciled_at, each.actor, each.reason).where(
        each.reconciled_at.is_not(None)
    )
    ordered = found.order_by(each.reconciled_at.desc(), each.source).limit(limit)
    return [Closed(Window(*row[:3]), *row[3:]) for row in connection.execute(ordered)]


def note(
    connection: Connection,
    settings: Settings,
    *,
    number: int,
    backup_at: str,
    restored_at: str,
) -> list[Window]:
    """Open a window for every source that may have been pushed to."""
    since = datetime.fromisoformat(backup_at) - timedelta(seconds=_COMMIT_SECONDS)
    since_at = since.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    windows = [
        Window(source, since_at, restored_at) for source in sorted(_pushed(connection, settings))
    ]
    if windows:
        rows = [
            {"restore_id": number, "source": w.source, "since_at": since_at, "until_at": w.until_at}
            for w in windows
        ]
        connection.execute(insert(unverified), rows)
    return windows


def reconcile(
    connection: Connection, source: str, *, reason: str, actor: str, now: str
) -> list[Window]:
    """Close the windows of a source: somebody has compared, and says how. Raises ``Rejected``."""
    closed = [window for window in open_windows(connection) if window.source == source]
    if not closed:
        raise Rejected(NONE_OPEN.at(path=source))
    detail = {"reason": reason, "windows": [[w.since_at, w.until_at] for w in closed]}
    audit.write(
        connection,
        actor=actor,
        act="unverified.reconcile",
        subject=f"source {source}",
        detail=detail,
        now=now,
    )
    mine = (unverified.c.source == source) & unverified.c.reconciled_at.is_(None)
    said = {"reconciled_at": now, "actor": actor, "reason": reason}
    connection.execute(update(unverified).where(mine).values(said))
    return closed


def _pushed(connection: Connection, settings: Settings) -> set[str]:
    """Sources that were pushed to, or may have been for the first time in the window.

    What came through store agents only is not among them, nor is a source that nobody can send to,
    nor one of which a poll reads every kind of thing that was ever pushed: there a webhook is a
    hint.
    """
    found = _sources(connection, shipped=False)
    found |= {name for name, source in settings.sources.items() if source.secrets}
    keys = select(api_key.c.sources).where(api_key.c.role == "source")
    open_to = {
        name
        for listed in connection.scalars(keys.where(api_key.c.revoked_at.is_(None)))
        for name in json.loads(listed)
    }
    # The key of a store agent opens its source to pushes as well, but nobody else has it.
    found |= (open_to & set(settings.sources)) - _sources(connection, shipped=True)
    return found - {name for name in _polled(settings) if _covers(connection, name)}


def _polled(settings: Settings) -> set[str]:
    return {poll.source for poll in settings.polls.values()} & set(settings.sources)


def _covers(connection: Connection, source: str) -> bool:
    """Whether polls read each kind of thing that was pushed to a source."""
    pushed, read = (
        set(
            connection.scalars(
                select(message.c.kind)
                .join_from(message, record)
                .where(record.c.source == source, record.c.capture.is_(None), by)
                .where(message.c.kind.is_not(None))
                .distinct()
            )
        )
        for by in (record.c.poll.is_(None), record.c.poll.is_not(None))
    )
    return bool(read) and pushed <= read


def _sources(connection: Connection, *, shipped: bool) -> set[str]:
    came = record.c.capture.is_not(None) if shipped else record.c.capture.is_(None)
    found = select(record.c.source).where(came, record.c.poll.is_(None)).distinct()
    return set(connection.scalars(found))

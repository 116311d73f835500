"""The outbox: what is to be told to whom, written in the transaction that applies it.

So nothing is told that was not kept, and nothing is kept of which a destination never hears. A
delivery is named by what it tells, and the name is unique: however often something is applied, it
is told once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, insert, select, update

from hub.delivery.correcting import corrected
from hub.store.tables import delivery

if TYPE_CHECKING:
    from hub.settings import Destination

__all__ = ["News", "Outbox", "envelope", "key_of"]

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class News:
    """Something that a destination is to be told."""

    key: str
    destination: str
    subject: str
    kind: str
    message_id: int
    content: str | None
    """The envelope, where each version is told; of the latest one it is made when it is sent."""
    reverses: str | None = None
    """The name of the delivery that it takes back."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """Everybody who is to be told, and the clock to go by."""

    destinations: Mapping[str, Destination]
    now: Callable[[], str]

    def news(self, row: Mapping[str, Any], system: str | None) -> list[News]:
        """Who is to be told of a document, given as the row of it that is about to be written.

        ``system`` is the one that it comes from.
        """
        told: list[News] = []
        for name, to in self.destinations.items():
            echo = to.system is not None and to.system == system
            if echo or (to.kinds and row["kind"] not in to.kinds):
                continue
            fact, number = row["fact"], row["message_id"]
            content = envelope(row) if to.mode == "every" else None
            told.append(News(key_of(name, row), name, fact, row["kind"], number, content))
        return told

    def correct(self, connection: Connection, rows: Iterable[Mapping[str, Any]], by: str) -> int:
        """Tell of documents that ``by`` made otherwise, given as their rows; says how often.

        To who is told each version, and cannot take one back, it would be one more thing that
        happened. The caller commits.
        """
        news = [
            replace(each, key=key_of(each.destination, row, by))
            for row in rows
            for each in self.news(row, row["fact"].partition(":")[0])
            if self.destinations[each.destination].hears_replays
        ]
        return self.write(connection, news)

    def write(self, connection: Connection, news: Iterable[News]) -> int:
        """Write what is to be told, in the order it came; says how much. The caller commits."""
        wanted = self._latest(news)
        known: set[str] = set()
        for start in range(0, len(wanted), _AT_ONCE):
            keys = [each.key for each in wanted[start : start + _AT_ONCE]]
            known.update(connection.scalars(select(delivery.c.key).where(delivery.c.key.in_(keys))))
        fresh = [each for each in wanted if each.key not in known]
        fresh = corrected(connection, fresh, self.destinations)
        if not fresh:
            return 0
        now = self.now()
        self._supersede(connection, fresh, now)
        rows = [
            {
                "key": each.key,
                "destination": each.destination,
                "subject": each.subject,
                "kind": each.kind,
                "message_id": each.message_id,
                "content": each.content,
                "reverses": each.reverses,
                "created_at": now,
                "due_at": now,
                "state": "waiting",
            }
            for each in fresh
        ]
        connection.execute(insert(delivery), rows)
        return len(rows)

    def _latest(self, news: Iterable[News]) -> list[News]:
        """Of what is told only in its latest version, the last one here; and each thing once."""
        found: dict[tuple[str, str], News] = {}
        for each in news:
            latest = self.destinations[each.destination].mode == "latest"
            name = (each.destination, each.subject if latest else each.key)
            # Taken out first, so that it stands where the last of its subject stood.
            found.pop(name, None)
            found[name] = each
        return list(found.values())

    def _supersede(self, connection: Connection, fresh: list[News], now: str) -> None:
        """What waits and was never tried need not be: something newer of its subject follows.

        What it takes back was told, so that still must be.
        """
        latest = [
            {"to": each.destination, "about": each.subject}
            for each in fresh
            if self.destinations[each.destination].mode == "latest"
        ]
        if latest:
            older = (
                update(delivery)
                .where(delivery.c.destination == bindparam("to"))
                .where(delivery.c.subject == bindparam("about"))
                .where(delivery.c.state == "waiting", delivery.c.done_at.is_(None))
                .where(delivery.c.attempted_at.is_(None), delivery.c.reverses.is_(None))
                .values(state="superseded", content=None, done_at=now)
            )
            connection.execute(older, latest)


def key_of(destination: str, row: Mapping[str, Any], by: str | None = None) -> str:
    """The name of a delivery, by what it tells to whom; and of a correction, ``by`` what it is."""
    parts = [row["fact"], row["business_hash"], row["version"], row["message_id"], destination]
    parts += [] if by is None else [by]
    return f"msg_{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]}"


def envelope(row: Mapping[str, Any]) -> str:
    """A document with its name, as ``schemas.envelope.Envelope`` is written."""
    head = {name: row[name] for name in ("kind", "model", "fact", "version") if row[name]}
    if row["flags"]:
        head["flags"] = json.loads(row["flags"])
    # The body is JSON already.
    return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "document": {row["body"]}}}'

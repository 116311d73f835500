"""Edits: a held message as a person mended it, beside what came in.

What is mended stands instead of what came in from then on: for this release, for later replays and
plans, and for explanations. What came in is kept as it was.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from connectors.api import MESSAGE_BYTES_MAX
from connectors.scrub import scrub
from hub import audit, holds, journal
from hub.bootstrap import Hub
from hub.settle import Settled
from hub.store.tables import document, message
from hub.store.tables import edit as edit_table
from schemas.problem import Cause, Refused, Rejected

__all__ = ["EDIT_OTHER", "Preview", "edit", "edited_at", "preview"]

EDIT_SIZE = Cause(
    "LP-HUB-023",
    "The edit is empty, or larger than a message may be.",
    "Edit one message at a time; to give it up, discard it.",
)
EDIT_SAME = Cause(
    "LP-HUB-024",
    "The edit says what the message says already.",
    "Change what is wrong in it, or release it as it is.",
)

EDIT_OTHER = Cause(
    "LP-HUB-028",
    "Somebody else edited the message meanwhile; nothing was done.",
    "Look at what it says now, and edit that.",
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an edit would come to: what would become of messages, and the documents of this one.

    ``payload`` is the edit as it would be kept; ``documents`` are kind, fact id and body.
    """

    payload: bytes
    settled: Settled
    documents: tuple[tuple[str, str, dict[str, Any]], ...]


def edit(
    hub: Hub, number: int, payload: bytes, *, actor: str, reason: str, instead_of: str | None = None
) -> Settled:
    """Put an edit in the place of a held message, and release it, as ``holds.release`` does.

    Card numbers are scrubbed before it is kept. If it fails again it is held again, as edited.
    ``instead_of`` is the digest of what it edits, where somebody may have been faster. Raises
    ``Rejected`` if the message is not held, or not this any more; ``Refused`` if the edit is none.
    """
    with hub.engine.begin() as connection:
        return _edit(hub, connection, number, payload, instead_of, actor=actor, reason=reason)


def preview(
    hub: Hub, number: int, payload: bytes, *, actor: str, instead_of: str | None = None
) -> Preview:
    """What ``edit`` would come to, and raise: it is done, looked at, and taken back."""
    with hub.engine.connect() as connection, connection.begin() as transaction:
        settled = _edit(hub, connection, number, payload, instead_of, actor=actor, reason="")
        edited = journal.entry(connection, number)
        assert edited is not None
        columns = (document.c.kind, document.c.fact, document.c.body)
        mine = select(*columns).where(document.c.message_id == number).order_by(document.c.fact)
        made = tuple((kind, fact, json.loads(b)) for kind, fact, b in connection.execute(mine))
        transaction.rollback()
    return Preview(edited.payload, settled, made)


def _edit(
    hub: Hub,
    connection: Connection,
    number: int,
    payload: bytes,
    instead_of: str | None,
    *,
    actor: str,
    reason: str,
) -> Settled:
    if not 0 < len(payload) <= MESSAGE_BYTES_MAX:
        raise Refused(EDIT_SIZE.at(f"{len(payload)} bytes"))
    stored = holds.held_message(connection, number)
    if instead_of not in (None, stored.digest):
        raise Rejected(EDIT_OTHER.at(f"message {number}"))
    scrubbed = scrub(payload, hub.door(stored.source).connector.scrub)
    if scrubbed == stored.payload:
        raise Refused(EDIT_SAME.at(f"message {number}"))
    now, digest = hub.now(), journal.digest(scrubbed)
    audit.write(
        connection,
        actor=actor,
        act="hold.edit",
        subject=f"message {number}",
        detail={"reason": reason, "before": stored.digest, "after": digest},
        now=now,
    )
    _keep(connection, number, now=now)
    edited = {"payload": journal.compress(scrubbed), "digest": digest}
    connection.execute(update(message).where(message.c.id == number).values(edited))
    return holds.release_in(hub, connection, [number], actor=actor)


def _keep(connection: Connection, number: int, *, now: str) -> None:
    """Keep what came in; of one that is edited again it is kept already."""
    if edited_at(connection, number) is not None:
        kept = update(edit_table).where(edit_table.c.message_id == number)
        connection.execute(kept.values(edited_at=now))
        return
    came = select(message.c.id, message.c.payload, message.c.digest).where(message.c.id == number)
    ((_, payload, digest),) = connection.execute(came).all()
    row = {"message_id": number, "payload": payload, "digest": digest, "edited_at": now}
    connection.execute(insert(edit_table), row)


def edited_at(connection: Connection, number: int) -> str | None:
    """When a message was edited last; ``None`` for one that says what came in."""
    found: str | None = connection.scalar(
        select(edit_table.c.edited_at).where(edit_table.c.message_id == number)
    )
    return found

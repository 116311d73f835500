"""Edits: a held message as a person mended it, beside what came in.

What is mended stands instead of what came in from then on: for this release, for later replays and
plans, and for explanations. What came in is kept as it was.
"""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from connectors.api import MESSAGE_BYTES_MAX
from connectors.scrub import scrub
from hub import audit, holds, journal
from hub.bootstrap import Hub
from hub.settle import Settled
from hub.store.tables import edit as edit_table
from hub.store.tables import message
from schemas.problem import Cause, Refused

__all__ = ["edit", "edited_at"]

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


def edit(hub: Hub, number: int, payload: bytes, *, actor: str, reason: str) -> Settled:
    """Put an edit in the place of a held message, and release it, as ``holds.release`` does.

    Card numbers are scrubbed before it is kept. If it fails again it is held again, as edited.
    Raises ``Rejected`` if the message is not held; ``Refused`` if the edit is none.
    """
    if not 0 < len(payload) <= MESSAGE_BYTES_MAX:
        raise Refused(EDIT_SIZE.at(f"{len(payload)} bytes"))
    with hub.engine.begin() as connection:
        stored = holds.held_message(connection, number)
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

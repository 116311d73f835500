"""Originals: what came in, byte for byte, as the journal has it, whatever was made of it since.

Card numbers were scrubbed before it was kept. Of a message that was edited it is what came in
before the edit; of one that was redacted, what was left of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from hub import journal
from hub.causes import NOT_FOUND
from hub.journal import REMOVED
from hub.store.tables import edit, message
from schemas.problem import Rejected

__all__ = ["Original", "original", "redacted_at"]


@dataclass(frozen=True, slots=True)
class Original:
    """The bytes, whether the message says something else since, and whether they were redacted."""

    payload: bytes
    edited_at: str | None
    redacted_at: str | None

    @property
    def said(self) -> list[str]:
        """What must be known of the bytes, in whole sentences."""
        notes = []
        if self.edited_at is not None:
            day = self.edited_at[:10]
            notes.append(f"The message was edited on {day}; this is what came in before that.")
        if self.redacted_at is not None:
            notes.append(f"It was redacted on {self.redacted_at[:10]}; this is what was left.")
        return notes


def original(connection: Connection, number: int) -> Original:
    """What came in. Raises ``Rejected`` if there is no such message, or it was removed."""
    columns = (
        message.c.payload,
        message.c.removed_at,
        message.c.redacted_at,
        edit.c.payload,
        edit.c.edited_at,
    )
    found = select(*columns).outerjoin(edit, edit.c.message_id == message.c.id)
    row = connection.execute(found.where(message.c.id == number)).one_or_none()
    if row is None:
        raise Rejected(NOT_FOUND.at(f"there is no message {number}"))
    payload, removed_at, redacted_at, before, edited_at = row
    if edited_at is not None:
        payload, removed_at = before, removed_at or (None if before else redacted_at)
    if removed_at is not None:
        raise Rejected(REMOVED.at(f"message {number}, on {removed_at[:10]}"))
    return Original(journal.decompress(payload, connection), edited_at, redacted_at)


def redacted_at(connection: Connection, number: int) -> str | None:
    """When who a person is was taken out of a message; ``None`` if it was not."""
    found: str | None = connection.scalar(
        select(message.c.redacted_at).where(message.c.id == number)
    )
    return found

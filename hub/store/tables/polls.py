"""How far each poll has come, and what it has read; see ``hub.polling``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Table, text

from hub.store.tables.schema import metadata, row_text

__all__ = ["poll", "polled"]

poll = Table(
    "poll",
    metadata,
    # A poll of the settings, and one of its streams.
    Column("name", row_text, nullable=False),
    Column("stream", row_text, nullable=False),
    # Everything that had changed by then, by the clock of its system, is in the journal.
    Column("cursor", row_text),
    # JSON: how far the reading has come that is under way, as after a kill it goes on from there.
    Column("reading", row_text),
    # Readings of what has changed since the recent was last read again.
    Column("rounds", Integer, nullable=False, server_default=text("0")),
    # How often a person or a restore has moved the cursor: a page that was asked for before that
    # is not taken in.
    Column("moved", Integer, nullable=False, server_default=text("0")),
    # Not before then.
    Column("due_at", row_text, nullable=False),
    # Attempts that failed since the last page, and why the last one did, as JSON.
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("problem", row_text),
    # When a reading was last whole.
    Column("polled_at", row_text),
    # How many elements were read so far, and how many of them were new or other than before.
    Column("seen", BigInteger, nullable=False, server_default=text("0")),
    Column("taken", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("name", "stream"),
)

polled = Table(
    "polled",
    metadata,
    # What the journal has of a thing, by the source and stream that it was last read through.
    Column("source", row_text, nullable=False),
    Column("stream", row_text, nullable=False),
    # The name that its connector gives it; one that has none is known by its digest alone.
    Column("key", row_text, nullable=False),
    # SHA-256 of it as journalled: the same again costs no message.
    Column("digest", row_text, nullable=False),
    PrimaryKeyConstraint("source", "stream", "key"),
)

"""What other systems are told, and how each of them is doing; see ``hub.delivery``."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    text,
)

from hub.store.tables.schema import metadata, row_id, row_text

__all__ = ["DELIVERY_STATES", "delivery", "destination"]

DELIVERY_STATES = ("waiting", "delivered", "parked", "superseded", "discarded")

delivery = Table(
    "delivery",
    metadata,
    # Also the order in which things are told, and the cursor of the feed.
    Column("id", row_id, primary_key=True),
    # What the receiver tells them apart by: made of what is told, so the same for ever.
    Column("key", row_text, nullable=False),
    Column("destination", row_text, nullable=False),
    # The fact. Of one subject, one delivery goes after the other.
    Column("subject", row_text, nullable=False),
    Column("kind", row_text, nullable=False),
    Column("message_id", BigInteger, ForeignKey("message.id"), nullable=False),
    Column("created_at", row_text, nullable=False),
    Column("state", row_text, nullable=False),
    # The envelope as it was applied, where each version is told; gone once it was told.
    Column("content", row_text),
    # The bytes that are sent, from the first attempt until one succeeds.
    Column("payload", row_text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    # Not before then. While somebody is sending it, when others may take that for dead.
    Column("due_at", row_text, nullable=False),
    # Which process is sending it, and which of all its takings that is.
    Column("holder", row_text),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    Column("attempted_at", row_text),
    # Why the last attempt failed, in words of ours.
    Column("failure", row_text),
    Column("done_at", row_text),
    # When it was answered the first time, however often it was told again.
    Column("told_at", row_text),
    # The name of the delivery that this one takes back.
    Column("reverses", row_text),
    UniqueConstraint("key"),
    CheckConstraint(f"state IN {DELIVERY_STATES!r}", name="state"),
    CheckConstraint("(done_at IS NULL) = (state IN ('waiting', 'parked'))", name="done"),
)
# Open ones are few and looked for often. A query finds them by this one if it says
# `done_at IS NULL` beside the rest.
Index(
    "ix_delivery_open",
    delivery.c.destination,
    delivery.c.state,
    delivery.c.due_at,
    sqlite_where=delivery.c.done_at.is_(None),
    postgresql_where=delivery.c.done_at.is_(None),
)
# What goes before it of its subject, and what its destination was told of that.
Index("ix_delivery_subject", delivery.c.subject, delivery.c.destination)

destination = Table(
    "destination",
    metadata,
    Column("name", row_text, primary_key=True),
    # Attempts that failed since the last one that was answered.
    Column("failures", Integer, nullable=False, server_default=text("0")),
    # Nothing is sent before then.
    Column("closed_until", row_text),
    # It said that it is gone; nothing is sent until a person says so.
    Column("paused_at", row_text),
    # It has had as many as it may have until then.
    Column("free_at", row_text),
)
"""Has a row once something about it is worth remembering."""

"""What came in, as it came in, and what became of it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    false,
    text,
)

from hub.store.tables.schema import metadata, row_id, row_text

__all__ = ["MESSAGE_STATES", "capture", "dictionary", "edit", "hold", "message", "record"]

MESSAGE_STATES = ("pending", "applied", "duplicate", "stale", "held", "discarded", "joined")
"""``pending`` and ``held`` messages are open; the others are settled for good. A ``joined`` message
was the torn end of a record and lives on, whole, in a message of the next one."""

record = Table(
    "record",
    metadata,
    Column("id", row_id, primary_key=True),
    Column("source", row_text, nullable=False),
    # Copied from the settings of that day: renaming a source must not rename facts.
    Column("system", row_text, nullable=False),
    Column("connector", row_text, nullable=False),
    # File name, for people.
    Column("name", row_text),
    # Size and hash of what was received, before scrubbing.
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", row_text, nullable=False),
    # What a connector needs from the head of the record to decode its first message.
    Column("context", LargeBinary, nullable=False),
    Column("received_at", row_text, nullable=False),
    Column("messages", Integer, nullable=False),
    # The open end of a record that stopped in the middle, until the rest of it arrives.
    Column("rest_offset", BigInteger),
    Column("rest_payload", LargeBinary),
    Column("rest_context", LargeBinary),
    Column("rest_closed", Boolean, nullable=False, server_default=false()),
    # What the sender of a webhook calls it, the same each time it is sent; and when that happened.
    Column("stamp", row_text),
    Column("stamped_at", row_text),
    # JSON list of the stores whose facts its sender may send; none where it is not limited.
    Column("stores", row_text),
    # Which record of a store agent it is, and when that captured it by its own clock.
    Column("capture", row_text),
    Column("epoch", row_text),
    Column("seq", BigInteger),
    Column("captured_at", row_text),
    # Why nothing of it was kept, as JSON: only of records that must have a number here.
    Column("refused", row_text),
    # The poll of the settings that read it.
    Column("poll", row_text),
)
Index(
    "uq_record_origin",
    record.c.capture,
    record.c.epoch,
    record.c.seq,
    unique=True,
    sqlite_where=record.c.capture.is_not(None),
    postgresql_where=record.c.capture.is_not(None),
)
# A webhook that is sent again is the record that came first.
Index(
    "uq_record_stamp",
    record.c.source,
    record.c.stamp,
    record.c.sha256,
    unique=True,
    sqlite_where=record.c.stamp.is_not(None),
    postgresql_where=record.c.stamp.is_not(None),
)
Index(
    "ix_record_rest",
    record.c.source,
    sqlite_where=record.c.rest_offset.is_not(None),
    postgresql_where=record.c.rest_offset.is_not(None),
)
# Whatever came from a source, the newest first. There are few records where there are many sales.
Index(None, record.c.source, record.c.id)

capture = Table(
    "capture",
    metadata,
    # What a store agent ships, by the name that it has there, since its spool began anew.
    Column("capture", row_text, nullable=False),
    Column("epoch", row_text, nullable=False),
    Column("source", row_text, nullable=False),
    # The last record that is here, and none before it is missing.
    Column("committed", BigInteger, nullable=False),
    Column("began_at", row_text, nullable=False),
    Column("seen_at", row_text, nullable=False),
    # How much the agent had not shipped yet when it was last seen, and since when.
    Column("pending", BigInteger, nullable=False),
    Column("oldest_at", row_text),
    PrimaryKeyConstraint("capture", "epoch"),
)

message = Table(
    "message",
    metadata,
    Column("id", row_id, primary_key=True),
    Column("record_id", BigInteger, ForeignKey("record.id"), nullable=False),
    # Which message of its record, from 0, and where its bytes lie in what was received.
    Column("position", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    # Scrubbed, then compressed.
    Column("payload", LargeBinary, nullable=False),
    # SHA-256 of the scrubbed payload: what is held once need not be held again.
    Column("digest", row_text, nullable=False),
    # The context of the messages that follow another head in the same record; else the record's.
    Column("context", LargeBinary),
    # It began in an earlier record, so its offset lies before the start of this one.
    Column("joined", Boolean, nullable=False, server_default=false()),
    Column("state", row_text, nullable=False),
    # Known once the message has been decoded; a message that cannot be read has none of these.
    Column("kind", row_text),
    Column("fact", row_text),
    Column("mapping", row_text, ForeignKey("mapping_version.hash")),
    # How many flags its documents carry.
    Column("flags", Integer, nullable=False, server_default=text("0")),
    # For a duplicate: the message whose result answers this one.
    Column("first_id", BigInteger, ForeignKey("message.id")),
    Column("settled_at", row_text),
    # When its payload was emptied, because its days were over.
    Column("removed_at", row_text),
    # When it lost who the person is; then it may still say the rest.
    Column("redacted_at", row_text),
    UniqueConstraint("record_id", "position"),
    CheckConstraint(f"state IN {MESSAGE_STATES!r}", name="state"),
    CheckConstraint("(settled_at IS NULL) = (state IN ('pending', 'held'))", name="settled"),
)
# Open messages are few and looked for often. A query finds them by these two if it says
# `settled_at IS NULL` beside the state or the digest.
Index(
    "ix_message_open",
    message.c.state,
    sqlite_where=message.c.settled_at.is_(None),
    postgresql_where=message.c.settled_at.is_(None),
)
Index(
    "ix_message_open_digest",
    message.c.digest,
    sqlite_where=message.c.settled_at.is_(None),
    postgresql_where=message.c.settled_at.is_(None),
)
Index(None, message.c.fact)
# What messages are looked for by, the newest first. That a message was applied leads to nothing:
# nearly all of them are.
Index(
    None,
    message.c.kind,
    message.c.id,
    sqlite_where=message.c.kind.is_not(None),
    postgresql_where=message.c.kind.is_not(None),
)
Index(
    None,
    message.c.mapping,
    message.c.id,
    sqlite_where=message.c.mapping.is_not(None),
    postgresql_where=message.c.mapping.is_not(None),
)
_NOT_APPLIED = text("settled_at IS NOT NULL AND state <> 'applied'")
Index(
    "ix_message_not_applied",
    message.c.state,
    message.c.id,
    sqlite_where=_NOT_APPLIED,
    postgresql_where=_NOT_APPLIED,
)

dictionary = Table(
    "dictionary",
    metadata,
    # What a packed payload calls it in its own head; made of the content by Zstandard.
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("source", row_text, nullable=False),
    # SHA-256 of the content.
    Column("hash", row_text, nullable=False),
    # None of one that was tried and did not pay. What is here is never changed nor deleted.
    Column("content", LargeBinary),
    Column("made_at", row_text, nullable=False),
    # The newest message there was when it was made.
    Column("through", BigInteger, nullable=False),
    Column("samples", Integer, nullable=False),
    # What messages became that it was not learned from, without it and with it.
    Column("plain_bytes", BigInteger, nullable=False),
    Column("packed_bytes", BigInteger, nullable=False),
    UniqueConstraint("hash"),
)

edit = Table(
    "edit",
    metadata,
    # Who edited it and why, each time, is in the audit.
    Column("message_id", BigInteger, ForeignKey("message.id"), primary_key=True),
    # What came in, as it came in: the message itself has what a person made of it.
    Column("payload", LargeBinary, nullable=False),
    Column("digest", row_text, nullable=False),
    Column("edited_at", row_text, nullable=False),
)

hold = Table(
    "hold",
    metadata,
    # One row a message: held again, it says why this time. Earlier holds are in the audit.
    Column("message_id", BigInteger, ForeignKey("message.id"), primary_key=True),
    # The cause, beside the whole problem as JSON.
    Column("code", row_text, nullable=False),
    Column("problem", row_text, nullable=False),
    Column("held_at", row_text, nullable=False),
    # When a person or a cure ended the hold, and the state that came of it.
    Column("released_at", row_text),
    Column("outcome", row_text),
    # The held message that this one waits behind: once that one is settled, this one follows.
    Column("waits_on", BigInteger),
)
Index(
    "ix_hold_open",
    hold.c.code,
    hold.c.message_id,
    sqlite_where=hold.c.released_at.is_(None),
    postgresql_where=hold.c.released_at.is_(None),
)
Index(
    None,
    hold.c.waits_on,
    sqlite_where=hold.c.waits_on.is_not(None),
    postgresql_where=hold.c.waits_on.is_not(None),
)

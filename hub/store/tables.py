"""The tables of the hub.

Columns that say nothing else hold text. A time is UTC text of fixed width
(``2026-03-01T17:05:09.123456Z``), which sorts as it stands in every database; a business date is
``2026-03-01``. Amounts are decimal text, because SQLite would turn a number into a float. JSON is
text too, so that what comes out is byte for byte what went in.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

__all__ = [
    "MESSAGE_STATES",
    "api_key",
    "audit",
    "claim",
    "document",
    "hold",
    "item",
    "item_identifier",
    "link",
    "location",
    "mapping_version",
    "message",
    "metadata",
    "order_index",
    "record",
    "transaction_index",
    "workstation",
]

MESSAGE_STATES = ("pending", "applied", "duplicate", "stale", "held", "discarded", "joined")
"""``pending`` and ``held`` messages are open; the others are settled for good. A ``joined`` message
was the torn end of a record and lives on, whole, in a message of the next one."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# SQLite numbers rows by itself only where the column is called INTEGER.
_id = BigInteger().with_variant(Integer(), "sqlite")

record = Table(
    "record",
    metadata,
    Column("id", _id, primary_key=True),
    Column("source", Text, nullable=False),
    # Copied from the settings of that day: renaming a source must not rename facts.
    Column("system", Text, nullable=False),
    Column("connector", Text, nullable=False),
    # File name, for people.
    Column("name", Text),
    # Size and hash of what was received, before scrubbing.
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    # What a connector needs from the head of the record to decode its first message.
    Column("context", LargeBinary, nullable=False),
    Column("received_at", Text, nullable=False),
    Column("messages", Integer, nullable=False),
    # The open end of a record that stopped in the middle, until the rest of it arrives.
    Column("rest_offset", BigInteger),
    Column("rest_payload", LargeBinary),
    Column("rest_context", LargeBinary),
    Column("rest_closed", Boolean, nullable=False, server_default=false()),
    # What the sender of a webhook calls it, the same each time it is sent; and when that happened.
    Column("stamp", Text),
    Column("stamped_at", Text),
    # JSON list of the stores whose facts its sender may send; none where it is not limited.
    Column("stores", Text),
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

mapping_version = Table(
    "mapping_version",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("published_at", Text, nullable=False),
)

message = Table(
    "message",
    metadata,
    Column("id", _id, primary_key=True),
    Column("record_id", BigInteger, ForeignKey("record.id"), nullable=False),
    # Which message of its record, from 0, and where its bytes lie in what was received.
    Column("position", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    # Scrubbed, then compressed.
    Column("payload", LargeBinary, nullable=False),
    # SHA-256 of the scrubbed payload: what is held once need not be held again.
    Column("digest", Text, nullable=False),
    # The context of the messages that follow another head in the same record; else the record's.
    Column("context", LargeBinary),
    # It began in an earlier record, so its offset lies before the start of this one.
    Column("joined", Boolean, nullable=False, server_default=false()),
    Column("state", Text, nullable=False),
    # Known once the message has been decoded; a message that cannot be read has none of these.
    Column("kind", Text),
    Column("fact", Text),
    Column("mapping", Text, ForeignKey("mapping_version.hash")),
    # How many flags its documents carry.
    Column("flags", Integer, nullable=False, server_default=text("0")),
    # For a duplicate: the message whose result answers this one.
    Column("first_id", BigInteger, ForeignKey("message.id")),
    Column("settled_at", Text),
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

hold = Table(
    "hold",
    metadata,
    # One row a message: held again, it says why this time. Earlier holds are in the audit.
    Column("message_id", BigInteger, ForeignKey("message.id"), primary_key=True),
    # The cause, beside the whole problem as JSON.
    Column("code", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("held_at", Text, nullable=False),
    # When a person or a cure ended the hold, and the state that came of it.
    Column("released_at", Text),
    Column("outcome", Text),
)

document = Table(
    "document",
    metadata,
    Column("fact", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    # Name and version of the JSON Schema that the body follows.
    Column("model", Text, nullable=False),
    # The content that makes it the same fact, and the version of the list of fields hashed.
    Column("business_hash", Text, nullable=False),
    Column("content_version", Integer, nullable=False),
    # Orders the snapshots of one thing; an immutable fact has none.
    Column("version", Text),
    # The message it was last made from, and where in that message.
    Column("message_id", BigInteger, ForeignKey("message.id"), nullable=False),
    Column("at", Text, nullable=False, server_default=text("''")),
    Column("mapping", Text, ForeignKey("mapping_version.hash"), nullable=False),
    # JSON list; none where there is nothing to flag.
    Column("flags", Text),
    # Canonical JSON.
    Column("body", Text, nullable=False),
    # What it adds to revenue: a Transaction that counts has both, everything else neither.
    Column("revenue", Text),
    Column("currency", Text),
    # When a webhook says that it was sent off: of two snapshots of one version the later is newer.
    Column("stamped_at", Text),
    CheckConstraint("(revenue IS NULL) = (currency IS NULL)", name="revenue"),
)
Index(None, document.c.message_id)

transaction_index = Table(
    "transaction_index",
    metadata,
    Column("fact", Text, ForeignKey("document.fact"), primary_key=True),
    Column("system", Text, nullable=False),
    Column("store", Text, nullable=False),
    Column("workstation", Text, nullable=False),
    Column("business_date", Text, nullable=False),
    Column("sequence", Text, nullable=False),
    # The same as a number where it is one, so that 10 comes after 9.
    Column("sequence_number", BigInteger),
    Column("occurred_utc", Text),
    Column("receipt", Text),
    Column("native_id", Text),
    Column("status", Text, nullable=False),
    # Fact id of the post-void that cancelled it.
    Column("voided_by", Text),
    Index(None, "system", "store", "workstation", "business_date"),
)
Index(
    None,
    transaction_index.c.receipt,
    sqlite_where=transaction_index.c.receipt.is_not(None),
    postgresql_where=transaction_index.c.receipt.is_not(None),
)
Index(
    None,
    transaction_index.c.native_id,
    sqlite_where=transaction_index.c.native_id.is_not(None),
    postgresql_where=transaction_index.c.native_id.is_not(None),
)

order_index = Table(
    "order_index",
    metadata,
    Column("fact", Text, ForeignKey("document.fact"), primary_key=True),
    Column("system", Text, nullable=False),
    # What the system calls it, and what people call it.
    Column("native_id", Text, nullable=False),
    Column("number", Text, nullable=False, index=True),
    Column("channel", Text, nullable=False),
    Column("placed_utc", Text, index=True),
    Column("life", Text, nullable=False),
    Column("payment", Text, nullable=False),
    Column("fulfilment", Text, nullable=False),
    Column("store", Text),
)

link = Table(
    "link",
    metadata,
    Column("from_fact", Text, ForeignKey("document.fact"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("line", Text),
    # No foreign key: a return may arrive before its sale, and the sale may never arrive.
    Column("to_fact", Text),
    # What the source said, as JSON: enough to look again when the target arrives.
    Column("to_ref", Text, nullable=False),
    PrimaryKeyConstraint("from_fact", "position"),
)
Index(
    None,
    link.c.to_fact,
    sqlite_where=link.c.to_fact.is_not(None),
    postgresql_where=link.c.to_fact.is_not(None),
)

claim = Table(
    "claim",
    metadata,
    # What a document says of who its person is; see hub.people.claim. Whose it is, is not stored.
    Column("fact", Text, ForeignKey("document.fact"), nullable=False),
    Column("kind", Text, nullable=False),
    # Empty for what is the same everywhere: a key may hold no NULL.
    Column("issuer", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("fact", "kind", "issuer", "value"),
    Index(None, "kind", "value"),
)

location = Table(
    "location",
    metadata,
    Column("system", Text, nullable=False),
    Column("store", Text, nullable=False),
    Column("name", Text),
    Column("zone", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("banner", Text),
    Column("country", Text),
    # JSON lists.
    Column("phones", Text, nullable=False, server_default=text("'[]'")),
    Column("mail_domains", Text, nullable=False, server_default=text("'[]'")),
    PrimaryKeyConstraint("system", "store"),
)

workstation = Table(
    "workstation",
    metadata,
    Column("system", Text, nullable=False),
    Column("store", Text, nullable=False),
    Column("workstation", Text, nullable=False),
    Column("name", Text),
    Column("kind", Text),
    # The one source whose sales of this workstation count as revenue.
    Column("authoritative", Text),
    PrimaryKeyConstraint("system", "store", "workstation"),
    ForeignKeyConstraint(["system", "store"], ["location.system", "location.store"]),
)

item = Table(
    "item",
    metadata,
    Column("item", Text, primary_key=True),
    Column("name", Text),
    Column("category", Text),
)

item_identifier = Table(
    "item_identifier",
    metadata,
    # Empty for a number that is the same everywhere (a GTIN): a key may hold no NULL.
    Column("issuer", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # In the form that compares: see hub.reference.
    Column("value", Text, nullable=False),
    Column("item", Text, ForeignKey("item.item"), nullable=False, index=True),
    PrimaryKeyConstraint("issuer", "kind", "value"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", _id, primary_key=True),
    Column("at", Text, nullable=False),
    # Who did what to what: `operator`, `hold.release`, `message 12`.
    Column("actor", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("detail", Text),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Text, primary_key=True),
    # Who it was given to, for people.
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    # JSON lists of what it is limited to.
    Column("sources", Text, nullable=False),
    Column("stores", Text, nullable=False),
    # SHA-256 of the secret, which is kept nowhere.
    Column("hash", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("revoked_at", Text),
)

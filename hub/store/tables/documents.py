"""Canonical documents, and the narrow rows by which they are found."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    text,
)

from hub.store.tables.schema import metadata, row_text

__all__ = ["claim", "control_index", "document", "link", "order_index", "transaction_index"]

document = Table(
    "document",
    metadata,
    Column("fact", row_text, primary_key=True),
    Column("kind", row_text, nullable=False),
    # Name and version of the JSON Schema that the body follows.
    Column("model", row_text, nullable=False),
    # The content that makes it the same fact, and the version of the list of fields hashed.
    Column("business_hash", row_text, nullable=False),
    Column("content_version", Integer, nullable=False),
    # Orders the snapshots of one thing; an immutable fact has none.
    Column("version", row_text),
    # The message it was last made from, and where in that message.
    Column("message_id", BigInteger, ForeignKey("message.id"), nullable=False),
    Column("at", row_text, nullable=False, server_default=text("''")),
    Column("mapping", row_text, ForeignKey("mapping_version.hash"), nullable=False),
    # The name that its mapping has for it, if it is a further document of a message.
    Column("further", row_text),
    # JSON list; none where there is nothing to flag.
    Column("flags", row_text),
    # Canonical JSON.
    Column("body", row_text, nullable=False),
    # What it adds to revenue: a Transaction that counts has both, everything else neither.
    Column("revenue", row_text),
    Column("currency", row_text),
    # When a webhook says that it was sent off: of two snapshots of one version the later is newer.
    Column("stamped_at", row_text),
    # When it lost who the person is. The business hash is then of what it said before.
    Column("redacted_at", row_text),
    CheckConstraint("(revenue IS NULL) = (currency IS NULL)", name="revenue"),
)
Index(None, document.c.message_id)

transaction_index = Table(
    "transaction_index",
    metadata,
    Column("fact", row_text, ForeignKey("document.fact"), primary_key=True),
    Column("system", row_text, nullable=False),
    Column("store", row_text, nullable=False),
    Column("workstation", row_text, nullable=False),
    Column("business_date", row_text, nullable=False),
    Column("sequence", row_text, nullable=False),
    # The same as a number where it is one, so that 10 comes after 9.
    Column("sequence_number", BigInteger),
    Column("occurred_utc", row_text),
    Column("receipt", row_text),
    Column("native_id", row_text),
    Column("status", row_text, nullable=False),
    # Fact id of the post-void that cancelled it.
    Column("voided_by", row_text),
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

control_index = Table(
    "control_index",
    metadata,
    # Controls use up sequence numbers as sales do, so gaps are only seen with both.
    Column("fact", row_text, ForeignKey("document.fact"), primary_key=True),
    Column("system", row_text, nullable=False),
    Column("store", row_text, nullable=False),
    Column("workstation", row_text, nullable=False),
    Column("business_date", row_text, nullable=False),
    Column("sequence_number", BigInteger),
    Column("kind", row_text, nullable=False),
    Index(None, "system", "store", "workstation", "business_date"),
)

order_index = Table(
    "order_index",
    metadata,
    Column("fact", row_text, ForeignKey("document.fact"), primary_key=True),
    Column("system", row_text, nullable=False),
    # What the system calls it, and what people call it.
    Column("native_id", row_text, nullable=False),
    Column("number", row_text, nullable=False, index=True),
    Column("channel", row_text, nullable=False),
    Column("placed_utc", row_text, index=True),
    Column("life", row_text, nullable=False),
    Column("payment", row_text, nullable=False),
    Column("fulfilment", row_text, nullable=False),
    Column("store", row_text),
)

link = Table(
    "link",
    metadata,
    Column("from_fact", row_text, ForeignKey("document.fact"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", row_text, nullable=False),
    Column("line", row_text),
    # No foreign key: a return may arrive before its sale, and the sale may never arrive.
    Column("to_fact", row_text),
    # What the source said, as JSON: enough to look again when the target arrives.
    Column("to_ref", row_text, nullable=False),
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
    Column("fact", row_text, ForeignKey("document.fact"), nullable=False),
    Column("kind", row_text, nullable=False),
    # Empty for what is the same everywhere: a key may hold no NULL.
    Column("issuer", row_text, nullable=False),
    Column("value", row_text, nullable=False),
    PrimaryKeyConstraint("fact", "kind", "issuer", "value"),
    Index(None, "kind", "value"),
)

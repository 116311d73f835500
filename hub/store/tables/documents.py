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
    Text,
    text,
)

from hub.store.tables.schema import metadata

__all__ = ["claim", "control_index", "document", "link", "order_index", "transaction_index"]

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
    # The name that its mapping has for it, if it is a further document of a message.
    Column("further", Text),
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

control_index = Table(
    "control_index",
    metadata,
    # Controls use up sequence numbers as sales do, so gaps are only seen with both.
    Column("fact", Text, ForeignKey("document.fact"), primary_key=True),
    Column("system", Text, nullable=False),
    Column("store", Text, nullable=False),
    Column("workstation", Text, nullable=False),
    Column("business_date", Text, nullable=False),
    Column("sequence_number", BigInteger),
    Column("kind", Text, nullable=False),
    Index(None, "system", "store", "workstation", "business_date"),
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

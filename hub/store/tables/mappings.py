"""The texts of mappings, and which of them has been in force since when."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text

from hub.store.tables.schema import metadata, row_id

__all__ = ["PUBLICATION_ACTS", "mapping_publication", "mapping_version"]

PUBLICATION_ACTS = ("publish", "rollback", "shipped")
"""What puts a version in force: a person twice over, or Lynchpin by the text that it ships."""

mapping_version = Table(
    "mapping_version",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("published_at", Text, nullable=False),
)

mapping_publication = Table(
    "mapping_publication",
    metadata,
    # The last row of a kind says what is in force. No row is ever changed or taken out.
    Column("id", row_id, primary_key=True),
    Column("connector", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("hash", Text, ForeignKey("mapping_version.hash"), nullable=False),
    Column("act", Text, nullable=False),
    # What Lynchpin shipped at that time: where it is the same, what it ships later follows.
    Column("shipped", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Text, nullable=False),
    # JSON of the plan that it was published upon.
    Column("report", Text),
    CheckConstraint(f"act IN {PUBLICATION_ACTS!r}", name="act"),
    Index(None, "connector", "kind"),
)

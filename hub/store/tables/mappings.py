"""The texts of mappings, and which of them has been in force since when."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table

from hub.store.tables.schema import metadata, row_id, row_text

__all__ = ["PUBLICATION_ACTS", "mapping_publication", "mapping_version"]

PUBLICATION_ACTS = ("publish", "rollback", "shipped")
"""What puts a version in force: a person twice over, or Lynchpin by the text that it ships."""

mapping_version = Table(
    "mapping_version",
    metadata,
    Column("hash", row_text, primary_key=True),
    Column("name", row_text, nullable=False),
    Column("text", row_text, nullable=False),
    Column("published_at", row_text, nullable=False),
)

mapping_publication = Table(
    "mapping_publication",
    metadata,
    # The last row of a kind says what is in force. No row is ever changed or taken out.
    Column("id", row_id, primary_key=True),
    Column("connector", row_text, nullable=False),
    Column("kind", row_text, nullable=False),
    Column("hash", row_text, ForeignKey("mapping_version.hash"), nullable=False),
    Column("act", row_text, nullable=False),
    # What Lynchpin shipped at that time: where it is the same, what it ships later follows.
    Column("shipped", row_text, nullable=False),
    Column("actor", row_text, nullable=False),
    Column("at", row_text, nullable=False),
    # JSON of the plan that it was published upon.
    Column("report", row_text),
    CheckConstraint(f"act IN {PUBLICATION_ACTS!r}", name="act"),
    Index(None, "connector", "kind"),
)

"""Restores, and what nobody will send again of what came between a backup and its restore."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, PrimaryKeyConstraint, Table

from hub.store.tables.schema import metadata, row_id, row_text

__all__ = ["restore", "unverified"]

restore = Table(
    "restore",
    metadata,
    Column("id", row_id, primary_key=True),
    # Made up at the restore: a store agent that sees another one than before ships again.
    Column("life", row_text, nullable=False),
    # Everything that was acknowledged before this moment is here.
    Column("backup_at", row_text, nullable=False),
    Column("restored_at", row_text, nullable=False),
    Column("actor", row_text, nullable=False),
    # SHA-256 of the backup.
    Column("digest", row_text, nullable=False),
)

unverified = Table(
    "unverified",
    metadata,
    Column("restore_id", BigInteger, ForeignKey("restore.id"), nullable=False),
    Column("source", row_text, nullable=False),
    # What was pushed between these two is not here, and its sender has forgotten it.
    Column("since_at", row_text, nullable=False),
    Column("until_at", row_text, nullable=False),
    # When a person said that nothing is missing any more, and how they know.
    Column("reconciled_at", row_text),
    Column("actor", row_text),
    Column("reason", row_text),
    PrimaryKeyConstraint("restore_id", "source"),
)

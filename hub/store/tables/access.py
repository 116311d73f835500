"""Who may call, and who did what."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from hub.store.tables.schema import metadata, row_id

__all__ = ["api_key", "audit"]

audit = Table(
    "audit",
    metadata,
    Column("id", row_id, primary_key=True),
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

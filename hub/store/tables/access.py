"""Who may call, and who did what."""

from __future__ import annotations

from sqlalchemy import Column, Table, text

from hub.store.tables.schema import metadata, row_id, row_text

__all__ = ["api_key", "audit"]

audit = Table(
    "audit",
    metadata,
    Column("id", row_id, primary_key=True),
    Column("at", row_text, nullable=False),
    # Who did what to what: `operator`, `hold.release`, `message 12`.
    Column("actor", row_text, nullable=False),
    Column("act", row_text, nullable=False),
    Column("subject", row_text, nullable=False, index=True),
    Column("detail", row_text),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", row_text, primary_key=True),
    # Who it was given to, for people.
    Column("name", row_text, nullable=False),
    Column("role", row_text, nullable=False),
    # JSON lists of what it is limited to.
    Column("sources", row_text, nullable=False),
    Column("stores", row_text, nullable=False),
    # SHA-256 of the secret, which is kept nowhere.
    Column("hash", row_text, nullable=False),
    Column("created_at", row_text, nullable=False),
    Column("revoked_at", row_text),
    Column("destinations", row_text, nullable=False, server_default=text("'[]'")),
)

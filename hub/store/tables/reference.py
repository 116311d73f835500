"""Stores, tills and goods."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    Table,
    text,
)

from hub.store.tables.schema import metadata, row_text

__all__ = ["item", "item_identifier", "location", "workstation"]

location = Table(
    "location",
    metadata,
    Column("system", row_text, nullable=False),
    Column("store", row_text, nullable=False),
    Column("name", row_text),
    Column("zone", row_text, nullable=False),
    Column("currency", row_text, nullable=False),
    Column("banner", row_text),
    Column("country", row_text),
    # JSON lists.
    Column("phones", row_text, nullable=False, server_default=text("'[]'")),
    Column("mail_domains", row_text, nullable=False, server_default=text("'[]'")),
    PrimaryKeyConstraint("system", "store"),
)

workstation = Table(
    "workstation",
    metadata,
    Column("system", row_text, nullable=False),
    Column("store", row_text, nullable=False),
    Column("workstation", row_text, nullable=False),
    Column("name", row_text),
    Column("kind", row_text),
    # The one source whose sales of this workstation count as revenue.
    Column("authoritative", row_text),
    PrimaryKeyConstraint("system", "store", "workstation"),
    ForeignKeyConstraint(["system", "store"], ["location.system", "location.store"]),
)

item = Table(
    "item",
    metadata,
    Column("item", row_text, primary_key=True),
    Column("name", row_text),
    Column("category", row_text),
)

item_identifier = Table(
    "item_identifier",
    metadata,
    # Empty for a number that is the same everywhere (a GTIN): a key may hold no NULL.
    Column("issuer", row_text, nullable=False),
    Column("kind", row_text, nullable=False),
    # In the form that compares: see hub.reference.
    Column("value", row_text, nullable=False),
    Column("item", row_text, ForeignKey("item.item"), nullable=False, index=True),
    PrimaryKeyConstraint("issuer", "kind", "value"),
)

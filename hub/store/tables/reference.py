"""Stores, tills and goods."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from hub.store.tables.schema import metadata

__all__ = ["item", "item_identifier", "location", "workstation"]

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

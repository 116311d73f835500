"""What all tables share: how constraints are named, and how rows are numbered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, MetaData, Text, TypeDecorator

__all__ = ["metadata", "row_id", "row_text"]

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
row_id = BigInteger().with_variant(Integer(), "sqlite")


class _Text(TypeDecorator[str]):
    """Text in which PostgreSQL finds no NUL, which it cannot keep: it becomes U+2400.

    What is looked up goes the same way, so it is found. Documents and their flags are JSON, where a
    NUL is written out, so none of it is lost.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """A value on its way to PostgreSQL."""
        return value.replace("\0", "\u2400") if isinstance(value, str) and "\0" in value else value


# Text compares by its code points, as SQLite compares it, whatever language a database of
# PostgreSQL was made for: exports, pages and gaps rest on the order.
row_text = Text().with_variant(_Text(collation="C"), "postgresql")

"""Who settles what, where several processes share a database; see ``hub.bus``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table

from hub.store.tables.schema import metadata, row_text

__all__ = ["lease"]

lease = Table(
    "lease",
    metadata,
    # The ordering key that is held, or `poll NAME` of the poll whose system is being asked.
    Column("key", row_text, primary_key=True),
    # A process, and which of its takings it is.
    Column("holder", row_text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    # Milliseconds since 1970 by the clock of the database; from then on another may have the key.
    Column("until_ms", BigInteger, nullable=False),
)

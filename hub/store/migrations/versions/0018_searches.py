"""Indexes by which messages are looked for."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_index("ix_record_source_id", "record", ["source", "id"])
    _partial("ix_message_kind_id", "message", ["kind", "id"], "kind IS NOT NULL")
    _partial("ix_message_mapping_id", "message", ["mapping", "id"], "mapping IS NOT NULL")
    _partial(
        "ix_message_not_applied",
        "message",
        ["state", "id"],
        "settled_at IS NOT NULL AND state <> 'applied'",
    )
    _partial("ix_hold_open", "hold", ["code", "message_id"], "released_at IS NULL")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)

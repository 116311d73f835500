"""Restores, and the windows of sources that nobody can ask again."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables.schema import row_text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "restore",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("life", row_text, nullable=False),
        sa.Column("backup_at", row_text, nullable=False),
        sa.Column("restored_at", row_text, nullable=False),
        sa.Column("actor", row_text, nullable=False),
        sa.Column("digest", row_text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_restore"),
    )
    op.create_table(
        "unverified",
        sa.Column("restore_id", sa.BigInteger, nullable=False),
        sa.Column("source", row_text, nullable=False),
        sa.Column("since_at", row_text, nullable=False),
        sa.Column("until_at", row_text, nullable=False),
        sa.Column("reconciled_at", row_text),
        sa.Column("actor", row_text),
        sa.Column("reason", row_text),
        sa.ForeignKeyConstraint(
            ["restore_id"], ["restore.id"], name="fk_unverified_restore_id_restore"
        ),
        sa.PrimaryKeyConstraint("restore_id", "source", name="pk_unverified"),
    )

"""Which version of a mapping is in force, since when, and by whom."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables.schema import row_text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "mapping_publication",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connector", row_text, nullable=False),
        sa.Column("kind", row_text, nullable=False),
        sa.Column("hash", row_text, nullable=False),
        sa.Column("act", row_text, nullable=False),
        sa.Column("shipped", row_text, nullable=False),
        sa.Column("actor", row_text, nullable=False),
        sa.Column("at", row_text, nullable=False),
        sa.Column("report", row_text),
        sa.CheckConstraint("act IN ('publish', 'rollback', 'shipped')", name="act"),
        sa.ForeignKeyConstraint(
            ["hash"], ["mapping_version.hash"], name="fk_mapping_publication_hash_mapping_version"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_mapping_publication"),
    )
    op.create_index(
        "ix_mapping_publication_connector_kind", "mapping_publication", ["connector", "kind"]
    )

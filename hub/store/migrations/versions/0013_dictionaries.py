"""What the texts of each source have in common."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables.schema import row_text

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "dictionary",
        sa.Column("id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("source", row_text, nullable=False),
        sa.Column("hash", row_text, nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.Column("made_at", row_text, nullable=False),
        sa.Column("through", sa.BigInteger, nullable=False),
        sa.Column("samples", sa.Integer, nullable=False),
        sa.Column("plain_bytes", sa.BigInteger, nullable=False),
        sa.Column("packed_bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dictionary"),
        sa.UniqueConstraint("hash", name="uq_dictionary_hash"),
    )

"""How far each poll has come, what it has read, and which records came by one."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables.schema import row_text

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "poll",
        sa.Column("name", row_text, nullable=False),
        sa.Column("stream", row_text, nullable=False),
        sa.Column("cursor", row_text),
        sa.Column("reading", row_text),
        sa.Column("rounds", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("moved", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("due_at", row_text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("problem", row_text),
        sa.Column("polled_at", row_text),
        sa.Column("seen", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("taken", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("name", "stream", name="pk_poll"),
    )
    op.create_table(
        "polled",
        sa.Column("source", row_text, nullable=False),
        sa.Column("stream", row_text, nullable=False),
        sa.Column("key", row_text, nullable=False),
        sa.Column("digest", row_text, nullable=False),
        sa.PrimaryKeyConstraint("source", "stream", "key", name="pk_polled"),
    )
    op.add_column("record", sa.Column("poll", row_text))

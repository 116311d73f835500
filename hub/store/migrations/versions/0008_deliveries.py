"""Deliveries, and how their destinations are doing."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables.schema import row_text

revision = "0008"
down_revision = "0007"

_OPEN = {
    "sqlite_where": sa.text("done_at IS NULL"),
    "postgresql_where": sa.text("done_at IS NULL"),
}


def upgrade() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", row_text, nullable=False),
        sa.Column("destination", row_text, nullable=False),
        sa.Column("subject", row_text, nullable=False),
        sa.Column("kind", row_text, nullable=False),
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("created_at", row_text, nullable=False),
        sa.Column("state", row_text, nullable=False),
        sa.Column("content", row_text),
        sa.Column("payload", row_text),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("due_at", row_text, nullable=False),
        sa.Column("holder", row_text),
        sa.Column("fence", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("attempted_at", row_text),
        sa.Column("failure", row_text),
        sa.Column("done_at", row_text),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name="fk_delivery_message_id_message"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.UniqueConstraint("key", name="uq_delivery_key"),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'parked', 'superseded', 'discarded')",
            name=op.f("ck_delivery_state"),
        ),
        sa.CheckConstraint(
            "(done_at IS NULL) = (state IN ('waiting', 'parked'))",
            name=op.f("ck_delivery_done"),
        ),
    )
    op.create_index("ix_delivery_open", "delivery", ["destination", "state", "due_at"], **_OPEN)
    op.create_index("ix_delivery_open_subject", "delivery", ["subject", "destination"], **_OPEN)
    op.create_table(
        "destination",
        sa.Column("name", row_text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("closed_until", row_text),
        sa.Column("paused_at", row_text),
        sa.PrimaryKeyConstraint("name", name="pk_destination"),
    )

"""What store agents ship, how far each has come, and the numbers that controls use up."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables.schema import row_text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "capture",
        sa.Column("capture", row_text, nullable=False),
        sa.Column("epoch", row_text, nullable=False),
        sa.Column("source", row_text, nullable=False),
        sa.Column("committed", sa.BigInteger, nullable=False),
        sa.Column("began_at", row_text, nullable=False),
        sa.Column("seen_at", row_text, nullable=False),
        sa.Column("pending", sa.BigInteger, nullable=False),
        sa.Column("oldest_at", row_text),
        sa.PrimaryKeyConstraint("capture", "epoch", name="pk_capture"),
    )
    for name in ("capture", "epoch"):
        op.add_column("record", sa.Column(name, row_text))
    op.add_column("record", sa.Column("seq", sa.BigInteger))
    for name in ("captured_at", "refused"):
        op.add_column("record", sa.Column(name, row_text))
    op.create_index(
        "uq_record_origin",
        "record",
        ["capture", "epoch", "seq"],
        unique=True,
        sqlite_where=sa.text("capture IS NOT NULL"),
        postgresql_where=sa.text("capture IS NOT NULL"),
    )
    op.create_table(
        "control_index",
        sa.Column("fact", row_text, nullable=False),
        sa.Column("system", row_text, nullable=False),
        sa.Column("store", row_text, nullable=False),
        sa.Column("workstation", row_text, nullable=False),
        sa.Column("business_date", row_text, nullable=False),
        sa.Column("sequence_number", sa.BigInteger),
        sa.Column("kind", row_text, nullable=False),
        sa.ForeignKeyConstraint(["fact"], ["document.fact"], name="fk_control_index_fact_document"),
        sa.PrimaryKeyConstraint("fact", name="pk_control_index"),
    )
    op.create_index(
        "ix_control_index_system_store_workstation_business_date",
        "control_index",
        ["system", "store", "workstation", "business_date"],
    )

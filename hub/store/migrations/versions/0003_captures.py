"""What store agents ship, how far each has come, and the numbers that controls use up."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "capture",
        sa.Column("capture", sa.Text, nullable=False),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("committed", sa.BigInteger, nullable=False),
        sa.Column("began_at", sa.Text, nullable=False),
        sa.Column("seen_at", sa.Text, nullable=False),
        sa.Column("pending", sa.BigInteger, nullable=False),
        sa.Column("oldest_at", sa.Text),
        sa.PrimaryKeyConstraint("capture", "epoch", name="pk_capture"),
    )
    for name in ("capture", "epoch"):
        op.add_column("record", sa.Column(name, sa.Text))
    op.add_column("record", sa.Column("seq", sa.BigInteger))
    for name in ("captured_at", "refused"):
        op.add_column("record", sa.Column(name, sa.Text))
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
        sa.Column("fact", sa.Text, nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("store", sa.Text, nullable=False),
        sa.Column("workstation", sa.Text, nullable=False),
        sa.Column("business_date", sa.Text, nullable=False),
        sa.Column("sequence_number", sa.BigInteger),
        sa.Column("kind", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["fact"], ["document.fact"], name="fk_control_index_fact_document"),
        sa.PrimaryKeyConstraint("fact", name="pk_control_index"),
    )
    op.create_index(
        "ix_control_index_system_store_workstation_business_date",
        "control_index",
        ["system", "store", "workstation", "business_date"],
    )

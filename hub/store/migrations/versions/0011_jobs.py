"""Jobs."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables.schema import row_text

revision = "0011"
down_revision = "0010"

_COUNTS = ("done", "failed", "remade", "unchanged", "added", "left_over", "told")


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text("0"))


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", row_text, nullable=False),
        sa.Column("asked", row_text, nullable=False),
        sa.Column("actor", row_text, nullable=False),
        sa.Column("reason", row_text, nullable=False),
        sa.Column("state", row_text, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
        *map(_count, _COUNTS),
        sa.Column("last_id", sa.BigInteger, nullable=False),
        _count("position"),
        sa.Column("problems", row_text, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("problem", row_text),
        sa.Column("created_at", row_text, nullable=False),
        sa.Column("started_at", row_text),
        sa.Column("ended_at", row_text),
        sa.Column("holder", row_text),
        _count("until_ms"),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sa.CheckConstraint(
            "state IN ('planned', 'running', 'paused', 'cancelled', 'done', 'failed')",
            name=op.f("ck_job_state"),
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state IN ('planned', 'running', 'paused'))",
            name=op.f("ck_job_ended"),
        ),
    )
    op.create_index(
        "ix_job_open",
        "job",
        ["state"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )

"""What a held message waits behind."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("hold", sa.Column("waits_on", sa.BigInteger))
    op.create_index(
        "ix_hold_waits_on",
        "hold",
        ["waits_on"],
        sqlite_where=sa.text("waits_on IS NOT NULL"),
        postgresql_where=sa.text("waits_on IS NOT NULL"),
    )

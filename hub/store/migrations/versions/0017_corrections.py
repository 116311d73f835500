"""When a destination was first told something, and what takes it back."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables.schema import row_text

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("delivery", sa.Column("told_at", row_text))
    op.add_column("delivery", sa.Column("reverses", row_text))
    op.execute("UPDATE delivery SET told_at = done_at WHERE state = 'delivered'")
    op.drop_index("ix_delivery_open_subject", "delivery")
    op.create_index("ix_delivery_subject", "delivery", ["subject", "destination"])

"""How many a destination may have."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables.schema import row_text

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("destination", sa.Column("free_at", row_text))

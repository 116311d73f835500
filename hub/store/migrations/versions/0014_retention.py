"""When what a message said was removed."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables.schema import row_text

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("message", sa.Column("removed_at", row_text))

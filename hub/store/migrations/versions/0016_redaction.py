"""When a message and its documents lost who they are of."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables.schema import row_text

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("message", sa.Column("redacted_at", row_text))
    op.add_column("document", sa.Column("redacted_at", row_text))

"""Keys of receivers, each for the feed of its destinations."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables.schema import row_text

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    added = sa.Column("destinations", row_text, nullable=False, server_default=sa.text("'[]'"))
    op.add_column("api_key", added)

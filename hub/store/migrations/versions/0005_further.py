"""Which documents are further ones of a message, by the name that their mapping has for them."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables.schema import row_text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("document", sa.Column("further", row_text))

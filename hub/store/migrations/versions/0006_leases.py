"""Who settles what, where several hubs share a database."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables.schema import row_text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("key", row_text, nullable=False),
        sa.Column("holder", row_text, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_lease"),
    )

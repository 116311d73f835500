"""What senders of webhooks stamp on them, and the stores that a sender is limited to."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables.schema import row_text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for name in ("stamp", "stamped_at", "stores"):
        op.add_column("record", sa.Column(name, row_text))
    op.create_index(
        "uq_record_stamp",
        "record",
        ["source", "stamp", "sha256"],
        unique=True,
        sqlite_where=sa.text("stamp IS NOT NULL"),
        postgresql_where=sa.text("stamp IS NOT NULL"),
    )
    op.add_column("document", sa.Column("stamped_at", row_text))

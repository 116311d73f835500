"""What came in, of messages that a person edited."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables.schema import row_text

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "edit",
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("digest", row_text, nullable=False),
        sa.Column("edited_at", row_text, nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_edit_message_id_message"),
        sa.PrimaryKeyConstraint("message_id", name="pk_edit"),
    )

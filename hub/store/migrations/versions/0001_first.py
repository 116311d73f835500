"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _journal()
    _documents()
    _reference()
    _audit()
    _keys()


def _journal() -> None:
    """How data came in, and by which rules it was read."""
    op.create_table(
        "record",
        sa.Column("id", _ID, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("connector", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("context", sa.LargeBinary, nullable=False),
        sa.Column("received_at", sa.Text, nullable=False),
        sa.Column("messages", sa.Integer, nullable=False),
        sa.Column("rest_offset", sa.BigInteger),
        sa.Column("rest_payload", sa.LargeBinary),
        sa.Column("rest_context", sa.LargeBinary),
        sa.Column("rest_closed", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_record"),
    )
    op.create_index(
        "ix_record_rest",
        "record",
        ["source"],
        sqlite_where=sa.text("rest_offset IS NOT NULL"),
        postgresql_where=sa.text("rest_offset IS NOT NULL"),
    )
    op.create_table(
        "mapping_version",
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("published_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_mapping_version"),
    )
    op.create_table(
        "message",
        sa.Column("id", _ID, nullable=False),
        sa.Column("record_id", sa.BigInteger, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("length", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("context", sa.LargeBinary),
        sa.Column("joined", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("kind", sa.Text),
        sa.Column("fact", sa.Text),
        sa.Column("mapping", sa.Text),
        sa.Column("flags", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.Column("first_id", sa.BigInteger),
        sa.Column("settled_at", sa.Text),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (state IN ('pending', 'held'))", name=op.f("ck_message_settled")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'applied', 'duplicate', 'stale', 'held', 'discarded', 'joined')",
            name=op.f("ck_message_state"),
        ),
        sa.ForeignKeyConstraint(["first_id"], ["message.id"], name="fk_message_first_id_message"),
        sa.ForeignKeyConstraint(
            ["mapping"], ["mapping_version.hash"], name="fk_message_mapping_mapping_version"
        ),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name="fk_message_record_id_record"),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.UniqueConstraint("record_id", "position", name="uq_message_record_id_position"),
    )
    op.create_index("ix_message_fact", "message", ["fact"])
    op.create_index(
        "ix_message_open",
        "message",
        ["state"],
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_index(
        "ix_message_open_digest",
        "message",
        ["digest"],
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_table(
        "hold",
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("held_at", sa.Text, nullable=False),
        sa.Column("released_at", sa.Text),
        sa.Column("outcome", sa.Text),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_hold_message_id_message"),
        sa.PrimaryKeyConstraint("message_id", name="pk_hold"),
    )


def _documents() -> None:
    """What it came to mean, and how it is found."""
    op.create_table(
        "document",
        sa.Column("fact", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("business_hash", sa.Text, nullable=False),
        sa.Column("content_version", sa.Integer, nullable=False),
        sa.Column("version", sa.Text),
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Text, server_default=sa.text("''"), nullable=False),
        sa.Column("mapping", sa.Text, nullable=False),
        sa.Column("flags", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("revenue", sa.Text),
        sa.Column("currency", sa.Text),
        sa.CheckConstraint(
            "(revenue IS NULL) = (currency IS NULL)", name=op.f("ck_document_revenue")
        ),
        sa.ForeignKeyConstraint(
            ["mapping"], ["mapping_version.hash"], name="fk_document_mapping_mapping_version"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name="fk_document_message_id_message"
        ),
        sa.PrimaryKeyConstraint("fact", name="pk_document"),
    )
    op.create_index("ix_document_message_id", "document", ["message_id"])
    op.create_table(
        "transaction_index",
        sa.Column("fact", sa.Text, nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("store", sa.Text, nullable=False),
        sa.Column("workstation", sa.Text, nullable=False),
        sa.Column("business_date", sa.Text, nullable=False),
        sa.Column("sequence", sa.Text, nullable=False),
        sa.Column("sequence_number", sa.BigInteger),
        sa.Column("occurred_utc", sa.Text),
        sa.Column("receipt", sa.Text),
        sa.Column("native_id", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("voided_by", sa.Text),
        sa.ForeignKeyConstraint(
            ["fact"], ["document.fact"], name="fk_transaction_index_fact_document"
        ),
        sa.PrimaryKeyConstraint("fact", name="pk_transaction_index"),
    )
    op.create_index(
        "ix_transaction_index_native_id",
        "transaction_index",
        ["native_id"],
        sqlite_where=sa.text("native_id IS NOT NULL"),
        postgresql_where=sa.text("native_id IS NOT NULL"),
    )
    op.create_index(
        "ix_transaction_index_receipt",
        "transaction_index",
        ["receipt"],
        sqlite_where=sa.text("receipt IS NOT NULL"),
        postgresql_where=sa.text("receipt IS NOT NULL"),
    )
    op.create_index(
        "ix_transaction_index_system_store_workstation_business_date",
        "transaction_index",
        ["system", "store", "workstation", "business_date"],
    )
    op.create_table(
        "order_index",
        sa.Column("fact", sa.Text, nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("native_id", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("placed_utc", sa.Text),
        sa.Column("life", sa.Text, nullable=False),
        sa.Column("payment", sa.Text, nullable=False),
        sa.Column("fulfilment", sa.Text, nullable=False),
        sa.Column("store", sa.Text),
        sa.ForeignKeyConstraint(["fact"], ["document.fact"], name="fk_order_index_fact_document"),
        sa.PrimaryKeyConstraint("fact", name="pk_order_index"),
    )
    op.create_index("ix_order_index_number", "order_index", ["number"])
    op.create_index("ix_order_index_placed_utc", "order_index", ["placed_utc"])
    op.create_table(
        "link",
        sa.Column("from_fact", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("line", sa.Text),
        sa.Column("to_fact", sa.Text),
        sa.Column("to_ref", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["from_fact"], ["document.fact"], name="fk_link_from_fact_document"
        ),
        sa.PrimaryKeyConstraint("from_fact", "position", name="pk_link"),
    )
    op.create_index(
        "ix_link_to_fact",
        "link",
        ["to_fact"],
        sqlite_where=sa.text("to_fact IS NOT NULL"),
        postgresql_where=sa.text("to_fact IS NOT NULL"),
    )
    op.create_table(
        "claim",
        sa.Column("fact", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["fact"], ["document.fact"], name="fk_claim_fact_document"),
        sa.PrimaryKeyConstraint("fact", "kind", "issuer", "value", name="pk_claim"),
    )
    op.create_index("ix_claim_kind_value", "claim", ["kind", "value"])


def _reference() -> None:
    """What the retailer told us about itself."""
    op.create_table(
        "location",
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("store", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("banner", sa.Text),
        sa.Column("country", sa.Text),
        sa.Column("phones", sa.Text, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("mail_domains", sa.Text, server_default=sa.text("'[]'"), nullable=False),
        sa.PrimaryKeyConstraint("system", "store", name="pk_location"),
    )
    op.create_table(
        "workstation",
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("store", sa.Text, nullable=False),
        sa.Column("workstation", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("kind", sa.Text),
        sa.Column("authoritative", sa.Text),
        sa.ForeignKeyConstraint(
            ["system", "store"],
            ["location.system", "location.store"],
            name="fk_workstation_system_store_location",
        ),
        sa.PrimaryKeyConstraint("system", "store", "workstation", name="pk_workstation"),
    )
    op.create_table(
        "item",
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("category", sa.Text),
        sa.PrimaryKeyConstraint("item", name="pk_item"),
    )
    op.create_table(
        "item_identifier",
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["item"], ["item.item"], name="fk_item_identifier_item_item"),
        sa.PrimaryKeyConstraint("issuer", "kind", "value", name="pk_item_identifier"),
    )
    op.create_index("ix_item_identifier_item", "item_identifier", ["item"])


def _audit() -> None:
    """Who did what."""
    op.create_table(
        "audit",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_subject", "audit", ["subject"])


def _keys() -> None:
    """Who may call."""
    op.create_table(
        "api_key",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("sources", sa.Text, nullable=False),
        sa.Column("stores", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("revoked_at", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
    )

"""The first tables."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables.schema import row_text

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
        sa.Column("source", row_text, nullable=False),
        sa.Column("system", row_text, nullable=False),
        sa.Column("connector", row_text, nullable=False),
        sa.Column("name", row_text),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", row_text, nullable=False),
        sa.Column("context", sa.LargeBinary, nullable=False),
        sa.Column("received_at", row_text, nullable=False),
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
        sa.Column("hash", row_text, nullable=False),
        sa.Column("name", row_text, nullable=False),
        sa.Column("text", row_text, nullable=False),
        sa.Column("published_at", row_text, nullable=False),
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
        sa.Column("digest", row_text, nullable=False),
        sa.Column("context", sa.LargeBinary),
        sa.Column("joined", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("state", row_text, nullable=False),
        sa.Column("kind", row_text),
        sa.Column("fact", row_text),
        sa.Column("mapping", row_text),
        sa.Column("flags", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.Column("first_id", sa.BigInteger),
        sa.Column("settled_at", row_text),
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
        sa.Column("code", row_text, nullable=False),
        sa.Column("problem", row_text, nullable=False),
        sa.Column("held_at", row_text, nullable=False),
        sa.Column("released_at", row_text),
        sa.Column("outcome", row_text),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_hold_message_id_message"),
        sa.PrimaryKeyConstraint("message_id", name="pk_hold"),
    )


def _documents() -> None:
    """What it came to mean, and how it is found."""
    op.create_table(
        "document",
        sa.Column("fact", row_text, nullable=False),
        sa.Column("kind", row_text, nullable=False),
        sa.Column("model", row_text, nullable=False),
        sa.Column("business_hash", row_text, nullable=False),
        sa.Column("content_version", sa.Integer, nullable=False),
        sa.Column("version", row_text),
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sa.Column("at", row_text, server_default=sa.text("''"), nullable=False),
        sa.Column("mapping", row_text, nullable=False),
        sa.Column("flags", row_text),
        sa.Column("body", row_text, nullable=False),
        sa.Column("revenue", row_text),
        sa.Column("currency", row_text),
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
        sa.Column("fact", row_text, nullable=False),
        sa.Column("system", row_text, nullable=False),
        sa.Column("store", row_text, nullable=False),
        sa.Column("workstation", row_text, nullable=False),
        sa.Column("business_date", row_text, nullable=False),
        sa.Column("sequence", row_text, nullable=False),
        sa.Column("sequence_number", sa.BigInteger),
        sa.Column("occurred_utc", row_text),
        sa.Column("receipt", row_text),
        sa.Column("native_id", row_text),
        sa.Column("status", row_text, nullable=False),
        sa.Column("voided_by", row_text),
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
        sa.Column("fact", row_text, nullable=False),
        sa.Column("system", row_text, nullable=False),
        sa.Column("native_id", row_text, nullable=False),
        sa.Column("number", row_text, nullable=False),
        sa.Column("channel", row_text, nullable=False),
        sa.Column("placed_utc", row_text),
        sa.Column("life", row_text, nullable=False),
        sa.Column("payment", row_text, nullable=False),
        sa.Column("fulfilment", row_text, nullable=False),
        sa.Column("store", row_text),
        sa.ForeignKeyConstraint(["fact"], ["document.fact"], name="fk_order_index_fact_document"),
        sa.PrimaryKeyConstraint("fact", name="pk_order_index"),
    )
    op.create_index("ix_order_index_number", "order_index", ["number"])
    op.create_index("ix_order_index_placed_utc", "order_index", ["placed_utc"])
    op.create_table(
        "link",
        sa.Column("from_fact", row_text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("kind", row_text, nullable=False),
        sa.Column("line", row_text),
        sa.Column("to_fact", row_text),
        sa.Column("to_ref", row_text, nullable=False),
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
        sa.Column("fact", row_text, nullable=False),
        sa.Column("kind", row_text, nullable=False),
        sa.Column("issuer", row_text, nullable=False),
        sa.Column("value", row_text, nullable=False),
        sa.ForeignKeyConstraint(["fact"], ["document.fact"], name="fk_claim_fact_document"),
        sa.PrimaryKeyConstraint("fact", "kind", "issuer", "value", name="pk_claim"),
    )
    op.create_index("ix_claim_kind_value", "claim", ["kind", "value"])


def _reference() -> None:
    """What the retailer told us about itself."""
    op.create_table(
        "location",
        sa.Column("system", row_text, nullable=False),
        sa.Column("store", row_text, nullable=False),
        sa.Column("name", row_text),
        sa.Column("zone", row_text, nullable=False),
        sa.Column("currency", row_text, nullable=False),
        sa.Column("banner", row_text),
        sa.Column("country", row_text),
        sa.Column("phones", row_text, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("mail_domains", row_text, server_default=sa.text("'[]'"), nullable=False),
        sa.PrimaryKeyConstraint("system", "store", name="pk_location"),
    )
    op.create_table(
        "workstation",
        sa.Column("system", row_text, nullable=False),
        sa.Column("store", row_text, nullable=False),
        sa.Column("workstation", row_text, nullable=False),
        sa.Column("name", row_text),
        sa.Column("kind", row_text),
        sa.Column("authoritative", row_text),
        sa.ForeignKeyConstraint(
            ["system", "store"],
            ["location.system", "location.store"],
            name="fk_workstation_system_store_location",
        ),
        sa.PrimaryKeyConstraint("system", "store", "workstation", name="pk_workstation"),
    )
    op.create_table(
        "item",
        sa.Column("item", row_text, nullable=False),
        sa.Column("name", row_text),
        sa.Column("category", row_text),
        sa.PrimaryKeyConstraint("item", name="pk_item"),
    )
    op.create_table(
        "item_identifier",
        sa.Column("issuer", row_text, nullable=False),
        sa.Column("kind", row_text, nullable=False),
        sa.Column("value", row_text, nullable=False),
        sa.Column("item", row_text, nullable=False),
        sa.ForeignKeyConstraint(["item"], ["item.item"], name="fk_item_identifier_item_item"),
        sa.PrimaryKeyConstraint("issuer", "kind", "value", name="pk_item_identifier"),
    )
    op.create_index("ix_item_identifier_item", "item_identifier", ["item"])


def _audit() -> None:
    """Who did what."""
    op.create_table(
        "audit",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", row_text, nullable=False),
        sa.Column("actor", row_text, nullable=False),
        sa.Column("act", row_text, nullable=False),
        sa.Column("subject", row_text, nullable=False),
        sa.Column("detail", row_text),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_subject", "audit", ["subject"])


def _keys() -> None:
    """Who may call."""
    op.create_table(
        "api_key",
        sa.Column("id", row_text, nullable=False),
        sa.Column("name", row_text, nullable=False),
        sa.Column("role", row_text, nullable=False),
        sa.Column("sources", row_text, nullable=False),
        sa.Column("stores", row_text, nullable=False),
        sa.Column("hash", row_text, nullable=False),
        sa.Column("created_at", row_text, nullable=False),
        sa.Column("revoked_at", row_text),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
    )

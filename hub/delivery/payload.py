"""What is sent: an envelope as Standard Webhooks wraps it, with its people masked or not."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from hub.delivery.correcting import reversal
from hub.delivery.outbox import envelope
from hub.people import masking
from hub.store.tables import document

__all__ = ["payload", "said"]


def payload(connection: Connection, row: RowMapping, *, personal: bool) -> str:
    """The body of a delivery, from what was kept of its version, else as its subject is now."""
    data = said(connection, row, personal=personal)
    body = {"type": data["model"], "timestamp": row["created_at"], "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def said(connection: Connection, row: RowMapping, *, personal: bool) -> dict[str, Any]:
    """What a delivery says: a reversal, else an envelope as its destination may see it, as it was
    where that was kept, or as its subject is now.
    """
    if row["reverses"] is not None:
        return reversal(row)
    content = row["content"]
    if content is None:
        found = select(document).where(document.c.fact == row["subject"])
        content = envelope(dict(connection.execute(found).mappings().one()))
    data: dict[str, Any] = json.loads(content)
    if not personal:
        data["document"] = masking.body(data["kind"], data["document"])
    return data

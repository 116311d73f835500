"""What is sent: an envelope as Standard Webhooks wraps it, with its people masked or not."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from hub.delivery.outbox import envelope
from hub.people import masking
from hub.store.tables import document

__all__ = ["payload", "said"]


def payload(connection: Connection, row: RowMapping, *, personal: bool) -> str:
    """The body of a delivery, from what was kept of its version, else as its subject is now."""
    data = said(connection, row["subject"], row["content"], personal=personal)
    body = {"type": data["model"], "timestamp": row["created_at"], "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def said(
    connection: Connection, subject: str, content: str | None, *, personal: bool
) -> dict[str, Any]:
    """An envelope as a destination may see it; without ``content``, as its subject is now."""
    if content is None:
        found = select(document).where(document.c.fact == subject)
        content = envelope(dict(connection.execute(found).mappings().one()))
    data: dict[str, Any] = json.loads(content)
    if not personal:
        data["document"] = masking.body(data["kind"], data["document"])
    return data

"""The audit: who did what to what, written before it is done or shown."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, insert

from hub.store.tables import audit

__all__ = ["write"]


def write(
    connection: Connection,
    *,
    actor: str,
    act: str,
    subject: str,
    detail: dict[str, Any] | None = None,
    now: str,
) -> None:
    """Keep a line in the transaction of the caller, so that there is no act without its line.

    ``subject`` and ``detail`` name documents, messages and keys, never anybody's data: the audit
    is kept longer than what it is about.
    """
    text = None if detail is None else json.dumps(detail, sort_keys=True)
    line = {"at": now, "actor": actor, "act": act, "subject": subject, "detail": text}
    connection.execute(insert(audit).values(line))

"""What makes two events the same: their type, time, subject, and the data that are mapped."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["VERSION", "written"]

VERSION = 1
"""Goes up with every change of the list below: hashes of two versions are never compared."""

_DATA = (
    *("visitor", "email", "phone", "loyalty", "landing", "referrer", "campaign", "link"),
    *("subject", "survey", "score", "outcome", "store", "order"),
)


def written(event: dict[str, Any]) -> bytes:
    """Give the content of an event: equal bytes exactly where every field means the same."""
    data = event["data"]
    customer = data.get("customer")
    who = [customer.get(field) for field in ("id", "system")] if isinstance(customer, dict) else []
    envelope = [event.get(field) for field in ("type", "time", "subject")]
    rows = [*envelope, *who, *(data.get(field) for field in _DATA)]
    # Ids come as numbers and as text, so that a number and its text are the same.
    return json.dumps([None if row is None else _text(row) for row in rows]).encode()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)

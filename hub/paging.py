"""Paging by key: a page ends at a row, and the next one begins behind that row.

Nothing is counted from the start, so a page deep in a list costs what the first one does, and what
arrives in between moves no row onto another page.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from schemas.problem import Cause, Refused

__all__ = ["CURSOR", "CURSOR_EXAMPLE", "Key", "cursor", "cut", "key_of"]

CURSOR = Cause(
    "LP-PEOPLE-001",
    "The cursor is none of this list.",
    "Take the cursor from `next` of the page before, with the same call; or begin without one.",
)

CURSOR_EXAMPLE = "WyIyMDMxLTA1LTA2VDEwOjAwOjAwIiwic2hvcDpvcmRlci8xMDAxIl0"

Key = tuple[str | int | None, ...]
"""What a list is sorted by, of one row: no two rows have the same."""

Row = TypeVar("Row")


def cursor(key: Key) -> str:
    """The key as text for a caller, who passes it on as it is."""
    text = json.dumps(key, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def key_of(text: str | None, *kinds: type) -> Key | None:
    """The key that a cursor stands for; ``None`` where the list begins.

    ``kinds`` are the types of its parts. Raises ``Refused`` for what is no cursor of such a list.
    """
    if text is None:
        return None
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        raise Refused(CURSOR.at()) from None
    if not isinstance(found, list) or [type(part) for part in found] != list(kinds):
        raise Refused(CURSOR.at())
    if any(type(part) is int and abs(part) >= 2**63 for part in found):
        raise Refused(CURSOR.at())
    return tuple(found)


def cut(rows: Sequence[Row], limit: int, key: Callable[[Row], Key]) -> tuple[list[Row], str | None]:
    """The first ``limit`` of rows that were asked for one more, and the cursor behind them."""
    page: list[Any] = list(rows[:limit])
    return page, cursor(key(page[-1])) if len(rows) > limit else None

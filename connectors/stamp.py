"""Stamps: what senders write into the headers of a webhook, read as far as it makes sense.

Mostly these headers are not signed. They only ever save work, or decide between two snapshots that
claim the same time of modification: who makes one up gains nothing by it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from connectors.api import Request, Stamp

__all__ = ["stamped"]

_LENGTH_MAX = 200


def stamped(request: Request, *, number: str, at: str | None = None) -> Stamp:
    """Read the stamp from the headers of these names; what is no id or no time is left out."""
    return Stamp(_number(request.header(number)), _moment(request.header(at)) if at else None)


def _number(text: str | None) -> str | None:
    return text if text and len(text) <= _LENGTH_MAX and text.isprintable() else None


def _moment(text: str | None) -> str | None:
    try:
        moment = datetime.fromisoformat(text or "")
        if moment.tzinfo is None:
            return None
        utc = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return utc.isoformat(timespec="microseconds") + "Z"

"""When what failed is tried again: later each time, and never at the same moment as the rest.

There is no last attempt. What a destination refuses waits for a person; what it does not answer
waits for the destination.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import Random
from typing import Literal

from hub.delivery.post import Answer

__all__ = ["FAILURES", "Verdict", "asked", "at_once", "closed_for", "later", "verdict", "wait"]

Verdict = Literal["delivered", "gone", "refused", "failed"]

FAILURES = 5
"""So many attempts in a row that fail close a destination, but for one attempt now and then."""

_FIRST_SECONDS = 5.0
_CAP_SECONDS = 3600.0
_CLOSED_SECONDS = 10.0
_CLOSED_CAP_SECONDS = 300.0
_ASKED_CAP_SECONDS = 86_400.0
_DOUBLINGS_MAX = 20
# It may well take the same later.
_PATIENT = (408, 425, 429)


def verdict(answer: Answer) -> Verdict:
    """What an answer means: 2xx alone is success, and a redirect is none."""
    status = answer.status
    if status is None:
        return "failed"
    if 200 <= status < 300:
        return "delivered"
    if status == 410:
        return "gone"
    return "refused" if 400 <= status < 500 and status not in _PATIENT else "failed"


def wait(attempts: int, dice: Random) -> float:
    """Seconds until the next attempt, anywhere between none and a limit that doubles (full
    jitter).
    """
    doublings = min(attempts - 1, _DOUBLINGS_MAX)
    return dice.uniform(0, min(_FIRST_SECONDS * 2**doublings, _CAP_SECONDS))


def closed_for(failures: int, dice: Random) -> float:
    """Seconds for which a destination gets nothing, after so many failures in a row."""
    if failures < FAILURES:
        return 0
    doublings = min(failures - FAILURES, _DOUBLINGS_MAX)
    limit = min(_CLOSED_SECONDS * 2**doublings, _CLOSED_CAP_SECONDS)
    return dice.uniform(limit / 2, limit)


def at_once(per_second: float | None, limit: int) -> int:
    """How many may be sent one after the other: what a second permits, and one at least."""
    return limit if per_second is None else max(1, min(limit, int(per_second)))


def asked(answer: Answer, now: str) -> float:
    """Seconds for which the destination asks to be left alone, a day at most."""
    text = (answer.retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _ASKED_CAP_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - datetime.fromisoformat(now)).total_seconds()
    return min(max(seconds, 0), _ASKED_CAP_SECONDS)


def later(now: str, seconds: float) -> str:
    """A moment after this one, in the fixed width that sorts as text."""
    moment = datetime.fromisoformat(now) + timedelta(seconds=seconds)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

"""Since when: how people say where a window of time begins."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from schemas.problem import Cause, Refused

__all__ = ["NO_TIME", "moment"]

NO_TIME = Cause(
    "LP-HUB-007",
    "This says no time from which on to look.",
    "Write how long before now, as in 30m, 12h, 7d or 2w; or from when on, as in 2031-05-01 or "
    "2031-05-01T20:15:00Z.",
)

_AGO = re.compile(r"([1-9][0-9]{0,4})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})?)?")


def moment(text: str, now: str) -> str:
    """The moment that a text means, as UTC in the fixed width of the hub's clock.

    It is a time before ``now``, or a date or moment, which is UTC unless it says otherwise. Raises
    ``Refused``.
    """
    try:
        if match := _AGO.fullmatch(text):
            ago = timedelta(**{_UNITS[match[2]]: int(match[1])})
            return _written(datetime.fromisoformat(now) - ago)
        if _MOMENT.fullmatch(text):
            said = datetime.fromisoformat(text)
            return _written(said if said.tzinfo else said.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise Refused(NO_TIME.at()) from None
    raise Refused(NO_TIME.at())


def _written(then: datetime) -> str:
    # Not strftime, which writes early years with fewer digits, and so out of their order as text.
    return then.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

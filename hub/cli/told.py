"""What a hub that runs says went wrong, as it would have been raised in this process."""

from __future__ import annotations

import httpx2

from hub.causes import UNKNOWN_SOURCE
from schemas.problem import (
    Cause,
    Denied,
    LynchpinError,
    Problem,
    Refused,
    Rejected,
    Unavailable,
)

__all__ = ["error_of"]

KEY_ENDED = Cause(
    "LP-CLI-003",
    "The hub that runs does not take the key of its own command line any more.",
    "Start `lynchpin up` again; somebody has ended its key.",
)
STRANGE = Cause(
    "LP-CLI-004",
    "The hub that runs gives an answer that this command does not understand.",
    "Start `lynchpin up` again, so that both are of the same version.",
)

_BY_STATUS: dict[int, type[LynchpinError]] = {
    403: Denied,
    404: Rejected,
    409: Rejected,
    429: Unavailable,
}


def error_of(response: httpx2.Response) -> LynchpinError:
    """What the hub says went wrong, as it would have been raised in this process."""
    try:
        said = response.json()
        problem = Problem(**{name: said[name] for name in Problem.model_fields if name in said})
    except (ValueError, TypeError):
        return Unavailable(STRANGE.at(f"status {response.status_code}"))
    if response.status_code == 401:
        return Denied(KEY_ENDED.at())
    if problem.code == UNKNOWN_SOURCE.code:
        return Refused(problem)
    otherwise = Unavailable if response.is_server_error else Refused
    return _BY_STATUS.get(response.status_code, otherwise)(problem)

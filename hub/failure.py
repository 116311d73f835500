"""What may be said of a failure that nobody foresaw: its text may hold somebody's data."""

from __future__ import annotations

import traceback

from sqlalchemy.exc import OperationalError

from schemas.problem import Cause, LynchpinError, Problem

__all__ = ["UNFORESEEN", "place_of", "problem_of"]

UNFORESEEN = Cause(
    "LP-HUB-030",
    "Lynchpin itself failed on this message.",
    "Report it with the place named here; release the message after an update.",
)


def problem_of(error: Exception) -> Problem:
    """What a message fails with: what was foreseen, or that Lynchpin itself failed, and where.

    Trouble of the database is none of a message, and raised again.
    """
    if isinstance(error, OperationalError):
        raise error
    return error.problem if isinstance(error, LynchpinError) else UNFORESEEN.at(place_of(error))


def place_of(error: BaseException) -> str:
    """Where it happened and what kind it was."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name}, line {frame.lineno}"

"""A problem: what went wrong, where, and what to do next, without showing anyone's data.

The exceptions are chosen by recovery, not by cause. Whoever catches one knows what to do with the
message without reading its text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from schemas.model import Canonical

__all__ = [
    "Cause",
    "ConfigError",
    "Conflict",
    "Denied",
    "LynchpinError",
    "Problem",
    "Refused",
    "Rejected",
    "shape",
]

_SHAPE_LENGTH_MAX = 32


@dataclass(frozen=True, slots=True)
class Cause:
    """A kind of problem with its stable code; ``next_step`` tells the reader what to do."""

    code: str
    summary: str
    next_step: str

    def at(self, detail: str = "", *, value: Any = None, **where: Any) -> Problem:
        """Build the problem of this cause; ``value`` is reduced to its shape before it is kept."""
        return Problem(
            code=self.code,
            summary=self.summary,
            detail=detail or None,
            next_step=self.next_step,
            value=None if value is None else shape(value),
            **where,
        )


class Problem(Canonical):
    """One problem as people and programs read it."""

    code: str
    summary: str
    detail: str | None = None
    next_step: str
    file: str | None = None
    byte: int | None = None
    """Offset in the file as received, counted from 0."""
    path: str | None = None
    """Where in the source document."""
    target: str | None = None
    """Which canonical field was to be filled."""
    rule: str | None = None
    """Mapping file and line."""
    value: str | None = None
    """Shape of the offending value: letters as ``a``, digits as ``9``."""

    def line(self) -> str:
        """One line for a terminal or a log."""
        where = [
            self.file,
            f"byte {self.byte}" if self.byte is not None else None,
            self.path,
            f"for {self.target}" if self.target else None,
            f"rule {self.rule}" if self.rule else None,
            f"value like {self.value!r}" if self.value is not None else None,
        ]
        text = self.detail or self.summary
        return f"{self.code}: {text} [{', '.join(w for w in where if w)}] {self.next_step}"


_LETTER = re.compile(r"[^\W\d_]")


def shape(value: Any) -> str:
    """Show the form of a value and nothing of its content.

    >>> shape("Ann-Marie 0664")
    'aaa-aaaaa 9999'
    """
    text = str(value)
    cut = text[:_SHAPE_LENGTH_MAX]
    masked = "".join("9" if c.isdigit() else "a" if _LETTER.match(c) else c for c in cut)
    masked = "".join(c if c.isprintable() else "?" for c in masked)
    return masked if len(text) <= _SHAPE_LENGTH_MAX else f"{masked}... ({len(text)} characters)"


class LynchpinError(Exception):
    """Root of everything raised on purpose; carries its problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.line())
        self.problem = problem


class Refused(LynchpinError):
    """The record was turned away at the door. Nothing of it was kept: mend it and send it again."""


class Denied(LynchpinError):
    """The sender could not show who it is. Nothing was read or kept: mend the secret or the clock.

    The problem never says what was expected or which part of the signature is wrong.
    """


class Unavailable(LynchpinError):
    """Nothing was kept, and not for the sender's fault: the same again later will do."""


class Rejected(LynchpinError):
    """The message is held with its reason. Mend the cause, then release or discard it."""


class Conflict(LynchpinError):
    """A fact came again with other content. A person decides which one holds."""


class ConfigError(LynchpinError):
    """Lynchpin refuses to start or to act until its configuration is mended."""

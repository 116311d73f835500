"""Fingerprints: what is held for one and the same thing is told, mended and released together."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hub.apply import CONFLICT
from schemas.problem import Problem

__all__ = ["Group", "fingerprint", "grouped"]

_DIGITS = 8
_PLACE_IN_LIST = re.compile(r"\[\d+\]")
_NUMBER = re.compile(r"\d+")


def fingerprint(problem: Problem, connector: str) -> str:
    """Name what is wrong, 8 hex digits: the same for every document of which the same is wrong.

    It is made of the cause, the connector, the field wherever it lies in a list, and the detail
    without its numbers; so neither of the message nor of the version of a mapping.
    """
    path = _field(problem) or ""
    detail = _NUMBER.sub("0", problem.detail or "")
    said = f"{problem.code}\n{connector}\n{path}\n{detail}"
    return hashlib.sha256(said.encode()).hexdigest()[:_DIGITS]


def _field(problem: Problem) -> str | None:
    # Of a conflict the path names the fact, which is another one each time.
    if problem.path is None or problem.code == CONFLICT.code:
        return None
    return _PLACE_IN_LIST.sub("[]", problem.path)


@dataclass(frozen=True, slots=True)
class Group:
    """Messages that are held for one thing; ``rows`` are those of ``holds.held``."""

    fingerprint: str
    rows: tuple[dict[str, Any], ...]

    @property
    def problem(self) -> Problem:
        """That of the first of them."""
        found: Problem = self.rows[0]["problem"]
        return found

    @property
    def path(self) -> str | None:
        """The field that it is about, ``[]`` standing for any place in a list."""
        return _field(self.problem)

    @property
    def sources(self) -> tuple[str, ...]:
        """Where they came from."""
        return tuple(sorted({str(row["source"]) for row in self.rows}))

    @property
    def first_at(self) -> str:
        """Since when the first of them has been held."""
        return min(str(row["held_at"]) for row in self.rows)

    @property
    def last_at(self) -> str:
        """Since when the last of them has been held."""
        return max(str(row["held_at"]) for row in self.rows)


def grouped(held: Iterable[dict[str, Any]]) -> tuple[Group, ...]:
    """The groups, the largest first; each row has its ``fingerprint``."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for row in held:
        by_name.setdefault(row["fingerprint"], []).append(row)
    groups = (Group(name, tuple(rows)) for name, rows in by_name.items())
    return tuple(sorted(groups, key=lambda group: (-len(group.rows), group.rows[0]["message_id"])))

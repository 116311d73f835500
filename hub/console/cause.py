"""Held messages by their cause: what is mended once, is mended for all of a group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from schemas.problem import Problem

__all__ = ["Group", "grouped"]


@dataclass(frozen=True, slots=True)
class Group:
    """Messages that are held for one cause; ``rows`` are those of ``holds.held``."""

    code: str
    summary: str
    next_step: str
    rows: tuple[dict[str, Any], ...]

    @property
    def first_at(self) -> str:
        """Since when the first of them has been held."""
        return min(str(row["held_at"]) for row in self.rows)


def grouped(held: Iterable[dict[str, Any]]) -> tuple[Group, ...]:
    """The groups, the largest first."""
    by_code: dict[str, list[dict[str, Any]]] = {}
    for row in held:
        by_code.setdefault(row["code"], []).append(row)
    groups = (_group(code, rows) for code, rows in by_code.items())
    return tuple(sorted(groups, key=lambda group: (-len(group.rows), group.code)))


def _group(code: str, rows: list[dict[str, Any]]) -> Group:
    problem: Problem = rows[0]["problem"]
    return Group(code, problem.summary, problem.next_step, tuple(rows))

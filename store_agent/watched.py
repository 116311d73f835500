"""A watched file: what it looked like last, how far it was taken, and what is wrong with it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from schemas.problem import Problem
from store_agent.cut import Mark

__all__ = ["COLUMNS", "Look", "Watched"]

COLUMNS = (
    *("key", "name", "size", "mtime_ns", "inode"),
    *("end", "anchor", "context", "digest", "whole", "settled", "problem", "gone_at"),
)


@dataclass(frozen=True, slots=True)
class Look:
    """What tells without reading whether a file has changed."""

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> Look:
        """From what the file system says."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ino)


@dataclass(frozen=True, slots=True)
class Watched:
    """A file as the spool knows it.

    ``key`` stands for its name, which might hold a card number; ``name`` is scrubbed. ``digest`` is
    of the ``mark.end`` bytes that were taken. ``whole``: nothing was open there. ``settled``:
    nothing is left to do until it changes. ``gone_at``: since when it is not in the folder.
    """

    key: bytes
    name: str
    look: Look
    mark: Mark
    digest: bytes
    whole: bool = False
    settled: bool = False
    problem: Problem | None = None
    gone_at: str | None = None

    def values(self) -> tuple[Any, ...]:
        """In the order of ``COLUMNS``."""
        look, mark = self.look, self.mark
        problem = self.problem.model_dump_json(exclude_none=True) if self.problem else None
        return (
            *(self.key, self.name, look.size, look.mtime_ns, look.inode),
            *(mark.end, mark.anchor, mark.context, self.digest),
            *(self.whole, self.settled, problem, self.gone_at),
        )

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> Watched:
        """From what ``values`` wrote."""
        key, name, size, mtime_ns, inode, end, anchor, context, digest, *state = row
        whole, settled, text, gone_at = state
        problem = Problem.model_validate_json(text) if text else None
        look, mark = Look(size, mtime_ns, inode), Mark(end, anchor, context)
        return cls(key, name, look, mark, digest, bool(whole), bool(settled), problem, gone_at)

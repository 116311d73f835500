"""The status: what waits in the spool, what is wrong, and what to do, while the agent runs or not.

Read from the spool alone, through a connection that cannot write.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from schemas.problem import ConfigError, Problem
from store_agent.causes import HOME_MISSING, SPOOL_UNSAFE
from store_agent.home import Home, is_held
from store_agent.settings import Settings

__all__ = ["CaptureStatus", "Status", "read", "table"]

_SHOWN = 5
"""Files in trouble that the table names; the JSON has a hundred."""
_FILES_MAX = 100

_LANES = """
SELECT l.capture, l.epoch, l.number - l.base AS seq, l.committed - l.base AS committed,
    count(r.number) AS waiting, coalesce(sum(r.length), 0) AS waiting_bytes,
    min(r.captured_at) AS oldest, l.captured_at, l.shipped_at,
    l.capture_problem, l.ship_problem, l.forgotten,
    (SELECT count(*) FROM damaged d WHERE d.capture = l.capture) AS damaged,
    (SELECT count(*) FROM file f WHERE f.capture = l.capture AND f.problem IS NOT NULL
        AND f.gone_at IS NULL) AS files_in_trouble
FROM lane l LEFT JOIN record r ON r.capture = l.capture
GROUP BY l.capture ORDER BY l.capture
"""
_TROUBLE = """
SELECT name, problem FROM file
WHERE capture = ? AND problem IS NOT NULL AND gone_at IS NULL ORDER BY mtime_ns DESC LIMIT ?
"""
_DAMAGED = "SELECT name, problem FROM damaged WHERE capture = ? ORDER BY id DESC LIMIT ?"


@dataclass(frozen=True, slots=True)
class CaptureStatus:
    """One capture: ``waiting`` records of ``waiting_bytes``, the ``oldest`` captured then (UTC).

    ``problems`` say what keeps it from going on, the worst first; ``files`` what is wrong with
    single files, which does not keep the others back.
    """

    capture: str
    configured: bool
    epoch: str
    seq: int
    committed: int
    waiting: int
    waiting_bytes: int
    oldest: str | None
    captured_at: str | None
    shipped_at: str | None
    damaged: int
    files_in_trouble: int
    problems: tuple[Problem, ...]
    files: tuple[Problem, ...]

    @property
    def word(self) -> str:
        """The state in a word or two."""
        if self.problems or self.damaged or self.files_in_trouble:
            return "needs help"
        return "waiting" if self.waiting else "sent"


@dataclass(frozen=True, slots=True)
class Status:
    """The agent: whether it runs, and each of its captures."""

    agent: str
    hub: str
    running: bool
    captures: tuple[CaptureStatus, ...]

    def json(self) -> str:
        """For programs."""
        captures = [
            {
                **{name: getattr(one, name) for name in CaptureStatus.__slots__},
                "state": one.word,
                "problems": [_plain(problem) for problem in one.problems],
                "files": [_plain(problem) for problem in one.files],
            }
            for one in self.captures
        ]
        whole = {"agent": self.agent, "hub": self.hub, "running": self.running}
        return json.dumps({**whole, "captures": captures}, indent=2)


def read(home: Home, settings: Settings) -> Status:
    """Read the status of a home. Raises ``ConfigError`` if there is none, or no spool to read."""
    if not home.path.exists():
        raise ConfigError(HOME_MISSING.at(file=str(home.path)))
    captures = _captures(home, settings) if home.spool.exists() else ()
    return Status(settings.name, settings.hub, is_held(home), captures)


def _captures(home: Home, settings: Settings) -> tuple[CaptureStatus, ...]:
    try:
        with closing(sqlite3.connect(f"{home.spool.as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            lanes = connection.execute(_LANES).fetchall()
            return tuple(_capture(connection, dict(lane), settings) for lane in lanes)
    except sqlite3.Error as error:
        raise ConfigError(SPOOL_UNSAFE.at(str(error), file=home.spool.name)) from error


def _capture(
    connection: sqlite3.Connection, lane: dict[str, Any], settings: Settings
) -> CaptureStatus:
    name = lane["capture"]
    texts = [lane.pop(one) for one in ("capture_problem", "ship_problem", "forgotten")]
    files = [
        Problem.model_validate_json(row["problem"]).model_copy(update={"file": row["name"]})
        for query in (_DAMAGED, _TROUBLE)
        for row in connection.execute(query, (name, _FILES_MAX))
    ]
    return CaptureStatus(
        **lane,
        configured=name in settings.captures,
        problems=tuple(Problem.model_validate_json(text) for text in texts if text),
        files=tuple(files),
    )


def table(status: Status) -> str:
    """For people: a line for each capture, then what is wrong and what to do about it."""
    running = "runs" if status.running else "does not run"
    lines = [f"{status.agent} {running}, hub {status.hub}", ""]
    head = ("capture", "state", "waiting", "bytes", "oldest", "last shipped", "epoch", "seq")
    rows = [head, *(_row(one) for one in status.captures)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines += [
        "  ".join(text.ljust(n) for text, n in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    for one in status.captures:
        lines += _said(one)
    return "\n".join(lines)


def _row(one: CaptureStatus) -> tuple[str, ...]:
    return (
        *(one.capture, one.word, str(one.waiting), str(one.waiting_bytes)),
        *(_second(one.oldest), _second(one.shipped_at), one.epoch, str(one.seq)),
    )


def _said(one: CaptureStatus) -> list[str]:
    lines = [f"{one.capture}: {problem.line()}" for problem in one.problems]
    if one.waiting and not one.configured:
        lines.append(f"{one.capture}: no longer in agent.toml; put it back to have these shipped")
    lines += [f"{one.capture}: {problem.line()}" for problem in one.files[:_SHOWN]]
    if len(one.files) > _SHOWN:
        lines.append(f"{one.capture}: {len(one.files) - _SHOWN} more, shown by --json")
    return ["", *lines] if lines else []


def _second(moment: str | None) -> str:
    return f"{moment[:19]}Z" if moment else "-"


def _plain(problem: Problem) -> dict[str, Any]:
    return problem.model_dump(mode="json", exclude_none=True)

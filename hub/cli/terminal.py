"""Speaking to people at a terminal: results to stdout, complaints to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from connectors.scrub import scrub_text
from schemas.problem import LynchpinError, Problem

__all__ = [
    "Reveal",
    "complain",
    "errors",
    "out",
    "print_json",
    "print_problem",
    "reason_of",
    "scrubbed",
    "table",
]

_REASON_MAX = 500


def reason_of(text: str | None) -> str | None:
    """What stands in the audit as the reason of somebody. Raises ``BadParameter`` if it is none."""
    if text is not None and not 0 < len(text.strip()) <= _REASON_MAX:
        raise typer.BadParameter(f"a reason has 1 to {_REASON_MAX} characters")
    return text


Reveal = Annotated[
    str | None,
    typer.Option(
        metavar="REASON", help="Show what is masked; the audit keeps why.", callback=reason_of
    ),
]

# Without a terminal there is no width to fit: whoever reads a pipe wants whole names.
_WIDTH = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160
out = Console(highlight=False, width=_WIDTH)
errors = Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """One JSON value, for programs: no colour, no wrapping."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> Table:
    """A table of plain cells; nothing in a cell is taken for markup."""
    made = Table(title=title or None, title_justify="left", header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    return made


def print_problem(problem: Problem, console: Console = out) -> None:
    """A problem in three lines: what, where, and what to do."""
    console.print(f"[bold red]{problem.code}[/] {escape(problem.summary)}")
    where = {
        "detail": problem.detail,
        "file": problem.file,
        "byte": problem.byte,
        "path": problem.path,
        "field": problem.target,
        "rule": problem.rule,
        "value like": problem.value,
    }
    parts = [f"{name} {value}" for name, value in where.items() if value is not None]
    if parts:
        console.print(f"  {escape(', '.join(parts))}", soft_wrap=True)
    console.print(f"  [bold]Next:[/] {escape(problem.next_step)}", soft_wrap=True)


def complain(error: LynchpinError) -> None:
    """Say on stderr why a command could not do its work."""
    print_problem(scrubbed(error.problem), errors)


def scrubbed(problem: Problem) -> Problem:
    """A problem that may repeat what was typed, without the card numbers in it."""
    safe = {k: scrub_text(v) for k, v in problem if isinstance(v, str)}
    return problem.model_copy(update=safe)

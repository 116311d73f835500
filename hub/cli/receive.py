"""``lynchpin receive``: files through the door."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from hub.cli.terminal import errors, out, print_json, print_problem, scrubbed, table
from hub.cli.way import way
from hub.receive import Report
from schemas.money import plain
from schemas.problem import Refused

__all__ = ["print_report", "receive"]


def receive(
    source: Annotated[str, typer.Argument(help="A source of lynchpin.toml, such as `poslog`.")],
    files: Annotated[list[Path], typer.Argument(help="Files as the source sent them.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Report as one JSON object.")] = False,
) -> None:
    """Take in files: journal them, then apply, answer as duplicate, or hold every message.

    Once it reports, what it took in is on the disk. The exit status is 1 if a file was refused;
    a held message is kept and waits for `lynchpin hold`.
    """
    with way() as hub, _progress() as progress:
        task = progress.add_task("settling", total=None)
        try:
            report = hub.receive(source, files, lambda count: progress.advance(task, count))
        except Refused as refusal:
            report = Report(refused=len(files), problems=[scrubbed(refusal.problem)])
    if as_json:
        print_json(report.as_json())
    else:
        print_report(report)
    if report.refused:
        raise typer.Exit(1)


def _progress() -> Progress:
    """Shown on a terminal only, and gone when the work is done."""
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:.0f} messages"))
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)


def print_report(report: Report) -> None:
    """The report for people."""
    counts = {
        "messages": report.messages,
        "applied": report.applied,
        "duplicates": report.duplicates,
        "stale": report.stale,
        "held": report.held,
        "flagged": report.flagged,
        "refused files": report.refused,
        "recovered": report.recovered,
    }
    always = ("messages", "applied", "duplicates", "held")
    shown = {name: count for name, count in counts.items() if count or name in always}
    totals = {
        f"revenue {currency}": plain(amount) for currency, amount in sorted(report.totals.items())
    }
    out.print(table([*shown, *totals], [[*shown.values(), *totals.values()]]))
    for problem in report.problems:
        print_problem(problem)

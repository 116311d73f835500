"""``lynchpin hold``: messages that wait for a person."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import click
import typer

from hub import finding, holds
from hub.causes import FILE_MISSING, NO_GROUP, NOT_HELD
from hub.cli.message import NUMBER_MAX, AsJson
from hub.cli.open import reading
from hub.cli.terminal import out, print_json, print_problem, reason_of, table
from hub.cli.way import way
from hub.fingerprint import Group as Held
from hub.fingerprint import grouped
from hub.settle import Settled
from schemas.problem import Problem, Refused, Rejected

app = typer.Typer(no_args_is_help=True)

Numbers = Annotated[
    list[int] | None, typer.Argument(help="Numbers of held messages.", min=1, max=NUMBER_MAX)
]
Group = Annotated[
    str | None, typer.Option("--group", help="All that is held under this fingerprint.")
]
_AT_ONCE = 5000
"""As many as a hub that is up takes in one request."""


@app.command("list")
def list_held(
    *,
    code: Annotated[str | None, typer.Option(help="Only this cause, such as LP-DOC-001.")] = None,
    groups: Annotated[
        bool, typer.Option("--groups", help="What is held for the same thing as one line.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List what is held, the oldest first."""
    with reading() as (_, connection):
        rows = holds.held(connection, code=code)
    if groups:
        _print_groups(grouped(rows), as_json=as_json)
        return
    if as_json:
        problems = ({**r, "problem": r["problem"].model_dump(exclude_none=True)} for r in rows)
        print_json(list(problems))
        return
    cells = (
        (
            r["message_id"],
            r["code"],
            r["file"],
            r["offset"],
            r["problem"].path,
            _reason(r["problem"]),
        )
        for r in rows
    )
    out.print(table(("message", "code", "file", "byte", "path", "reason"), cells))


def _print_groups(groups: Iterable[Held], *, as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {
            "group": each.fingerprint,
            "messages": len(each.rows),
            "code": each.problem.code,
            "path": each.path,
            "sources": ", ".join(each.sources),
            "since": each.first_at,
            "latest": each.last_at,
            "summary": each.problem.summary,
            "next_step": each.problem.next_step,
        }
        for each in groups
    ]
    if as_json:
        print_json(rows)
        return
    columns = ("group", "messages", "code", "path", "sources", "since", "summary")
    out.print(table(columns, ([row[name] for name in columns] for row in rows)))


def _chosen(numbers: list[int] | None, group: str | None) -> list[list[int]]:
    """The numbers of what is meant, in the order in which it came, as many as go at once.

    Raises ``typer.BadParameter`` unless either numbers or a group are given.
    """
    if bool(numbers) == (group is not None):
        raise typer.BadParameter("give numbers of messages, or --group, and not both")
    if group is None:
        chosen = sorted({*(numbers or ())})
    else:
        with reading() as (_, connection):
            chosen = holds.group(connection, group)
        if not chosen:
            raise Rejected(NO_GROUP.at(group))
    return [chosen[start : start + _AT_ONCE] for start in range(0, len(chosen), _AT_ONCE)]


def _reason(problem: Problem) -> str:
    return problem.detail or problem.summary


@app.command("show")
def show(number: int, *, as_json: AsJson = False) -> None:
    """Show why a message is held and what to do about it."""
    with reading() as (_, connection):
        problem = finding.problem(connection, number)
    if problem is None:
        raise Rejected(NOT_HELD.at(f"message {number} is not held"))
    if as_json:
        print_json(problem.model_dump(mode="json", exclude_none=True))
    else:
        print_problem(problem)


@app.command("release")
def release(
    numbers: Numbers = None,
    *,
    group: Group = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let it stand instead of the fact that came before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send held messages through the mapping in force again; what fails again is held again."""
    settled = Settled()
    with way() as hub:
        for some in _chosen(numbers, group):
            settled.add(hub.release(some, replace=replace))
    if as_json:
        print_json({"states": settled.states})
    else:
        out.print(table(("message", "state"), sorted(settled.states.items())))
        for _, problem in sorted(settled.problems.items()):
            print_problem(problem)
    if settled.problems:
        raise typer.Exit(1)


@app.command("edit")
def edit(
    number: Annotated[int, typer.Argument(help="Number of a held message.", min=1, max=NUMBER_MAX)],
    *,
    file: Annotated[
        Path | None,
        typer.Option(help="What it should have said; without it your editor opens."),
    ] = None,
    reason: Annotated[
        str, typer.Option(help="Why, for the audit.", prompt=True, callback=reason_of)
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would come of it, and keep nothing.")
    ] = False,
) -> None:
    """Mend what a held message says, and release it. What came in is kept beside it."""
    with way() as hub:
        if file is not None:
            try:
                payload = file.read_bytes()
            except OSError as error:
                raise Refused(FILE_MISSING.at(str(error), file=file.name)) from None
        else:
            text = click.edit(hub.payload(number, reveal=reason), extension=".txt")
            if text is None:
                raise typer.Abort
            payload = text.encode()
        settled = hub.edit(number, payload, reason=reason, dry_run=dry_run)
    title = "nothing is kept; it would be" if dry_run else ""
    out.print(table(("message", "state"), sorted(settled.states.items()), title=title))
    for _, problem in sorted(settled.problems.items()):
        print_problem(problem)
    if settled.problems:
        raise typer.Exit(1)


@app.command("discard")
def discard(
    numbers: Numbers = None,
    *,
    group: Group = None,
    reason: Annotated[
        str, typer.Option(help="Why, for the audit.", prompt=True, callback=reason_of)
    ],
) -> None:
    """Give held messages up. They stay in the journal, and what waits behind them goes on."""
    settled, count = Settled(), 0
    with way() as hub:
        for some in _chosen(numbers, group):
            settled.add(hub.discard(some, reason=reason))
            count += len(some)
    out.print(f"discarded {count}")
    followed = sorted(item for item in settled.states.items() if item[1] != "discarded")
    if followed:
        out.print(table(("message", "state"), followed))

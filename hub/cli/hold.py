"""``lynchpin hold``: messages that wait for a person."""

from __future__ import annotations

from typing import Annotated

import typer

from hub import finding, holds
from hub.causes import NOT_HELD
from hub.cli.message import NUMBER_MAX, AsJson
from hub.cli.open import reading
from hub.cli.terminal import out, print_json, print_problem, reason_of, table
from hub.cli.way import way
from schemas.problem import Problem, Rejected

app = typer.Typer(no_args_is_help=True)

Numbers = Annotated[
    list[int], typer.Argument(help="Numbers of held messages.", min=1, max=NUMBER_MAX)
]


@app.command("list")
def list_held(
    *,
    code: Annotated[str | None, typer.Option(help="Only this cause, such as LP-DOC-001.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what is held, the oldest first."""
    with reading() as (_, connection):
        rows = holds.held(connection, code=code)
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
    numbers: Numbers,
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let it stand instead of the fact that came before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send held messages through the mapping in force again; what fails again is held again."""
    with way() as hub:
        settled = hub.release(sorted({*numbers}), replace=replace)
    if as_json:
        print_json({"states": settled.states})
    else:
        out.print(table(("message", "state"), sorted(settled.states.items())))
        for _, problem in sorted(settled.problems.items()):
            print_problem(problem)
    if settled.problems:
        raise typer.Exit(1)


@app.command("discard")
def discard(
    numbers: Numbers,
    *,
    reason: Annotated[
        str, typer.Option(help="Why, for the audit.", prompt=True, callback=reason_of)
    ],
) -> None:
    """Give held messages up. They stay in the journal."""
    with way() as hub:
        count = hub.discard(sorted({*numbers}), reason=reason)
    out.print(f"discarded {count}")

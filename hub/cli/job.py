"""``lynchpin job``: what was asked for and takes long, how far it is, and deciding about it."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import Progress

from hub.cli.message import NUMBER_MAX, AsJson, Limit
from hub.cli.open import reading
from hub.cli.terminal import errors, out, print_json, print_problem, reason_of, table
from hub.cli.way import way
from hub.jobs import record
from hub.jobs.record import RUNNING, Act
from hub.store.tables import JOB_STATES
from schemas.problem import Problem

__all__ = ["app", "followed", "print_job"]

app = typer.Typer(no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="Number of the job.", min=1, max=NUMBER_MAX)]
Reason = Annotated[str | None, typer.Option(help="Why, for the audit.", callback=reason_of)]
_LISTED = 50


@app.command("list")
def list_jobs(
    *,
    state: Annotated[
        str | None, typer.Option(help=f"Only those in this one of {', '.join(JOB_STATES)}.")
    ] = None,
    limit: Limit = _LISTED,
    as_json: AsJson = False,
) -> None:
    """List jobs, the newest first."""
    if state is not None and state not in JOB_STATES:
        raise typer.BadParameter(f"a state is one of {', '.join(JOB_STATES)}")
    with reading() as (_, connection):
        found = [each.as_json() for each in record.listed(connection, state=state, limit=limit)]
    if as_json:
        print_json(found)
        return
    columns = ("id", "kind", "state", "done", "total", "failed", "remade", "created_at", "actor")
    out.print(table(columns, ([row[name] for name in columns] for row in found)))


@app.command("show")
def show(number: Number, *, as_json: AsJson = False) -> None:
    """Show a job: what was asked for, how far it is, and what came of it."""
    with reading() as (_, connection):
        found = record.entry(connection, number).as_json()
    print_job(found, as_json=as_json)


@app.command("run")
def run(*, as_json: AsJson = False) -> None:
    """Do the jobs that wait, one after the other; a hub that is up does them by itself.

    Exit status 1 says that some messages failed, or that a job could not go on.
    """
    ended = []
    while (number := _next()) is not None:
        ended.append(followed(number))
    if as_json:
        print_json(ended)
    else:
        for each in ended:
            print_job(each, as_json=False)
        if not ended:
            out.print("no job waits")
    if any(each["failed"] or each["state"] == "failed" for each in ended):
        raise typer.Exit(1)


def _next() -> int | None:
    """The job that was asked for first, of those that wait."""
    with reading() as (_, connection):
        waiting = [each.id for each in record.open_ones(connection) if each.state in RUNNING]
    return waiting[0] if waiting else None


def followed(number: int) -> dict[str, Any]:
    """A job that is done, or waited for, with its progress shown meanwhile."""
    with Progress(console=errors, transient=True) as progress, way() as hub:
        task = progress.add_task(f"job {number}", total=None)
        return hub.follow(
            number, lambda done, total: progress.update(task, completed=done, total=total)
        )


@app.command("pause")
def pause(number: Number, *, reason: Reason = None, as_json: AsJson = False) -> None:
    """Have a job rest from its next batch on."""
    _decide(number, "pause", reason, as_json=as_json)


@app.command("resume")
def resume(number: Number, *, reason: Reason = None, as_json: AsJson = False) -> None:
    """Go on with a job that was paused, or that could not go on."""
    _decide(number, "resume", reason, as_json=as_json)


@app.command("cancel")
def cancel(number: Number, *, reason: Reason = None, as_json: AsJson = False) -> None:
    """End a job for good; what it has done stays."""
    _decide(number, "cancel", reason, as_json=as_json)


def _decide(number: int, act: Act, reason: str | None, *, as_json: bool) -> None:
    with way() as hub:
        found = hub.decide_job(number, act, reason=reason or "")
    print_job(found, as_json=as_json)


def print_job(found: dict[str, Any], *, as_json: bool) -> None:
    """A job for people, or for programs."""
    if as_json:
        print_json(found)
        return
    asked = ", ".join(f"{name} {value}" for name, value in found["asked"].items()) or "everything"
    made = f"{found['remade']} otherwise than before, {found['unchanged']} unchanged"
    other = f"{found['added']} new, {found['left_over']} not made any more"
    told = f", {found['told']} corrections told" if found["effects"] == "corrections" else ""
    said = (
        f"job {found['id']}, {found['kind']} of {asked}: {found['state']}",
        f"  messages: {found['done']} of {found['total']} done, {found['failed']} failed",
        f"  documents: {made}, {other}{told}",
        f"  asked for by {found['actor']}: {found['reason']}",
    )
    for line in said:
        out.print(escape(line), soft_wrap=True)
    for message, problem in found["problems"].items():
        out.print(f"message {message} fails, and its documents stay as they were:")
        print_problem(Problem(**problem))
    if found["problem"]:
        out.print("it could not go on:")
        print_problem(Problem(**found["problem"]))

"""Making documents again by the version in force: never by itself, and as often as one likes."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from hub import publication
from hub.cli.job import followed
from hub.cli.map.named import Name, Since
from hub.cli.message import AsJson
from hub.cli.open import reading
from hub.cli.terminal import out, print_json, print_problem
from hub.cli.way import way
from hub.jobs.ask import Ask
from hub.jobs.plan import plan as planned
from hub.messages import Sought
from hub.since import moment
from schemas.problem import Problem

__all__ = ["replay"]

_EFFECTS = "Nothing is sent to any destination for it."


def replay(
    name: Name,
    *,
    plan: Annotated[
        str | None, typer.Option(metavar="ID", help="Only what this plan found made otherwise.")
    ] = None,
    since: Since = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many it would be, and do nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the documents that another version made again, by the version in force, as a job.

    What fails in it stays as it was, and exit status 1 says so. A second time changes nothing.
    """
    target = publication.target(name)
    with reading() as (hub, connection):
        sought = Sought(since=since and moment(since, hub.now()))
        ask = Ask(sought, target=target, plan=plan)
        found = planned(hub, connection, ask)
    if dry_run:
        if as_json:
            seen = {"affected": found.documents, "removed": found.removed}
            print_json({"mapping": str(target), **seen, "destinations": []})
        else:
            text = f"{found.documents} documents of {target} would be made again. {_EFFECTS}"
            out.print(escape(text), soft_wrap=True)
            _say_removed(found.removed)
        return
    with way() as opened:
        number = opened.start_job(ask, reason=f"map replay {target}")["id"]
    done = followed(number)
    done["left"] = done["left_over"]
    if as_json:
        counts = ("remade", "failed", "added", "left", "problems", "state")
        print_json({"mapping": str(target), "job": number, **{n: done[n] for n in counts}})
    else:
        _print(str(target), done, removed=found.removed)
    if done["failed"] or done["state"] != "done":
        raise typer.Exit(1)


def _say_removed(count: int) -> None:
    if count:
        text = f"{count} more stay as they are: what they were made of was removed after its days."
        out.print(text, soft_wrap=True)


def _print(target: str, done: dict[str, Any], *, removed: int) -> None:
    text = f"{done['remade']} documents of {target} were made again. {_EFFECTS}"
    out.print(escape(text), soft_wrap=True)
    _say_removed(removed)
    if done["added"]:
        out.print(f"{done['added']} further documents came that were not there before.")
    if done["left"]:
        text = (
            f"{done['left']} further documents stay as they were: it does not make them any more."
        )
        out.print(text, soft_wrap=True)
    for number, problem in done["problems"].items():
        out.print(f"message {number} fails, and its documents stay as they were:")
        print_problem(Problem(**problem))
    if done["state"] != "done":
        text = f"The job is {done['state']}: `lynchpin job show {done['id']}`."
        out.print(escape(text), soft_wrap=True)

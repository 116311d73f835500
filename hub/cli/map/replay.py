"""Making documents again by the version in force: never by itself, and as often as one likes."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress

from hub import publication
from hub.cli.map.named import Name, Since
from hub.cli.message import AsJson
from hub.cli.open import reading
from hub.cli.terminal import errors, out, print_json, print_problem
from hub.cli.way import way
from hub.publication import Target
from hub.replay import Part, Replayed, affected, unseen
from hub.since import moment

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
    """Make the documents that another version made again, by the version in force.

    What fails in it stays as it was, and exit status 1 says so. A second time changes nothing.
    """
    target = publication.target(name)
    with reading() as (hub, connection):
        part = Part(since and moment(since, hub.now()), plan)
        count = affected(hub, connection, target, part)
        gone = unseen(connection, target, part)
    if dry_run:
        if as_json:
            seen = {"affected": count, "removed": gone}
            print_json({"mapping": str(target), **seen, "destinations": []})
        else:
            text = f"{count} documents of {target} would be made again. {_EFFECTS}"
            out.print(escape(text), soft_wrap=True)
            _say_unseen(gone)
        return
    done = _replayed(target, part, count)
    if as_json:
        problems = {n: p.model_dump(mode="json") for n, p in done.problems.items()}
        names = ("remade", "failed", "added", "left")
        said = {**{name: getattr(done, name) for name in names}, "problems": problems}
        print_json({"mapping": str(target), **said})
    else:
        text = f"{done.remade} documents of {target} were made again. {_EFFECTS}"
        out.print(escape(text), soft_wrap=True)
        _say_unseen(gone)
        if done.added:
            out.print(f"{done.added} further documents came that were not there before.")
        if done.left:
            text = (
                f"{done.left} further documents stay as they were: it does not make them any more."
            )
            out.print(text, soft_wrap=True)
        for number, problem in done.problems.items():
            out.print(f"message {number} fails, and its documents stay as they were:")
            print_problem(problem)
    if done.failed:
        raise typer.Exit(1)


def _say_unseen(gone: int) -> None:
    if gone:
        text = f"{gone} more stay as they are: what they were made of was removed after its days."
        out.print(text, soft_wrap=True)


def _replayed(target: Target, part: Part, count: int) -> Replayed:
    with Progress(console=errors, transient=True) as progress, way() as hub:
        task = progress.add_task("replay", total=count)
        return hub.replay(target, part, lambda remade: progress.advance(task, remade))

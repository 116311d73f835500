"""Putting a mapping in force, and going back: without a restart, and never in part."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from hub import publication
from hub.authoring import comparison, publishing
from hub.cli.map.look import print_changes
from hub.cli.map.named import File, Name, draft_of, mapping_of
from hub.cli.message import AsJson
from hub.cli.open import reading
from hub.cli.terminal import out, print_json
from hub.cli.way import way
from hub.publication import Publication

__all__ = ["publish", "rollback"]

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


def publish(file: File, *, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Put a mapping in force from the next message on; what does not compile or breaks an example
    is refused. `lynchpin map rollback` undoes it.
    """
    draft = draft_of(file)
    publishing.check(draft)
    if dry_run:
        with reading() as (_, connection):
            old = mapping_of(connection, str(draft.target))
        changes = comparison.targets(old, draft.mapping)
        if as_json:
            print_json({"version": draft.mapping.version, "instead_of": old.version})
            return
        _say("would publish", str(draft.target), draft.mapping.version, f"instead of {old.version}")
        print_changes(changes)
        return
    with way() as hub:
        line = hub.publish(draft)
    _print("published", line, as_json=as_json)


def rollback(
    name: Name,
    *,
    to: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="A version of the log or `shipped`; else one back."),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Put the version before in force again; doing it again goes back further."""
    target = publication.target(name)
    if dry_run:
        with reading() as (_, connection):
            version = publication.destination(connection, target, to)
            old = mapping_of(connection, str(target))
        if as_json:
            print_json({"version": version, "instead_of": old.version})
            return
        _say("would go back to", str(target), version, f"instead of {old.version}")
        return
    with way() as hub:
        line = hub.rollback(target, to)
    _print("back to", line, as_json=as_json)


def _print(done: str, line: Publication, *, as_json: bool) -> None:
    if as_json:
        said: dict[str, Any] = {"mapping": f"{line.connector}.{line.kind}", "version": line.hash}
        print_json({**said, "own": line.own, "act": line.act, "at": line.at})
        return
    whose = "" if line.own else "which is what Lynchpin ships"
    _say(done, f"{line.connector}.{line.kind}", line.hash, whose)


def _say(done: str, name: str, version: str, more: str) -> None:
    text = " ".join(filter(None, (done, name, version)))
    out.print(escape(f"{text}, {more}" if more else text), soft_wrap=True)

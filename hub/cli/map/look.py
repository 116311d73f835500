"""Looking at mappings: what is in force, since when, and in what versions differ."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape

from hub import publication
from hub.authoring import comparison
from hub.authoring.comparison import Change
from hub.authoring.inventory import RECENT, Standing, inventory
from hub.cli.map.named import Name, draft_of, mapping_of
from hub.cli.message import AsJson
from hub.cli.open import reading
from hub.cli.terminal import out, print_json, table
from hub.publication import Publication
from mappings.mapping import Mapping

__all__ = ["diff", "list_mappings", "log", "print_changes", "show"]

Either = Annotated[
    str, typer.Argument(help="A file, NAME, NAME@VERSION or NAME@shipped.", metavar="A")
]
Other = Annotated[
    str | None,
    typer.Argument(help="The same; without it A is compared with what is in force.", metavar="B"),
]


def list_mappings(*, as_json: AsJson = False) -> None:
    """List the mapping in force for every kind of message of every source."""
    with reading() as (hub, connection):
        connectors = {source.connector for source in hub.settings.sources.values()}
        found = inventory(connection, connectors)
    if as_json:
        print_json([_standing(each) for each in found])
        return
    columns = ("mapping", "version", "whose", "since (UTC)", "by", f"of the last {RECENT}", "")
    rows = (
        (
            each.target,
            each.version,
            "own" if each.own else "shipped",
            each.line and each.line.at,
            each.line and each.line.actor,
            each.recent,
            "the shipped one has changed since" if each.shipped_changed else "",
        )
        for each in found
    )
    out.print(table(columns, rows))


def _standing(each: Standing) -> dict[str, Any]:
    line = each.line
    return {
        "mapping": str(each.target),
        "connector": each.target.connector,
        "kind": each.target.kind,
        "version": each.version,
        "own": each.own,
        "since": line.at if line else None,
        "by": line.actor if line else None,
        "shipped": each.shipped,
        "shipped_changed": each.shipped_changed,
        "recent": each.recent,
    }


def show(
    name: Annotated[str, typer.Argument(help="NAME, NAME@VERSION, NAME@shipped or a file.")],
) -> None:
    """Print the text of a mapping: what is in force, or one of its versions."""
    with reading() as (_, connection):
        text = mapping_of(connection, name).spec.text
    sys.stdout.write(text)


def log(name: Name, *, as_json: AsJson = False) -> None:
    """Show what was in force since when, who did it, and what the plan had said."""
    target = publication.target(name)
    with reading() as (_, connection):
        lines = publication.log(connection, target)
    if as_json:
        print_json([_line(line) for line in lines])
        return
    columns = ("when (UTC)", "act", "version", "whose", "by", "plan")
    rows = (
        (
            line.at,
            line.act,
            line.hash,
            "own" if line.own else "shipped",
            line.actor,
            _summary(line.report),
        )
        for line in lines
    )
    out.print(table(columns, rows))


def _line(line: Publication) -> dict[str, Any]:
    return {
        "id": line.id,
        "act": line.act,
        "version": line.hash,
        "own": line.own,
        "by": line.actor,
        "at": line.at,
        "report": None if line.report is None else json.loads(line.report),
    }


def _summary(report: str | None) -> str:
    """The counts of a report that are not zero."""
    counts = {} if report is None else json.loads(report).get("counts", {})
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in counts.items() if value)


def diff(a: Either, b: Other = None, *, as_json: AsJson = False) -> None:
    """Compare two mappings line by line and target by target. Exit status 1 where they differ."""
    with reading() as (_, connection):
        if b is None:
            new = draft_of(a)
            pair = (mapping_of(connection, str(new.target)), new.mapping)
        else:
            pair = (mapping_of(connection, a), mapping_of(connection, b))
    changes, lines = comparison.targets(*pair), comparison.lines(*pair)
    if as_json:
        print_json({"old": _head(pair[0]), "new": _head(pair[1]), **_differ(changes, lines)})
    else:
        for line in lines:
            out.print(escape(line), style=_STYLES.get(line[:1]), soft_wrap=True)
        print_changes(changes)
    if lines:
        raise typer.Exit(1)


_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def _head(mapping: Mapping) -> dict[str, str]:
    return {"file": mapping.spec.file, "version": mapping.version}


def _differ(changes: Sequence[Change], lines: list[str]) -> dict[str, Any]:
    said = [{"what": c.what, "kind": c.kind, "old": c.old, "new": c.new} for c in changes]
    return {"changes": said, "lines": lines}


def print_changes(changes: Sequence[Change]) -> None:
    """What differs, target by target."""
    if changes:
        rows = ((change.kind, change.what, change.old, change.new) for change in changes)
        out.print(table(("", "target", "old", "new"), rows))
    else:
        out.print("no target differs")

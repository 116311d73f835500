"""Commands about the data as a whole: init, explain, export, load, doctor."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from hub import bootstrap, finding, home, running
from hub import doctor as doctoring
from hub.cli.message import AsJson
from hub.cli.open import reading
from hub.cli.terminal import Reveal, out, print_json, table
from hub.cli.way import way
from hub.explain import Explained

load = typer.Typer(no_args_is_help=True)

CsvFile = Annotated[Path, typer.Argument(help="CSV in UTF-8 with a line of column names.")]


def init() -> None:
    """Make a home in LYNCHPIN_HOME, or bring the one that is there up to date."""
    place = home.locate()
    # A home that a hub runs on is up to date: the hub saw to it when it started.
    new = running.find(place) is None and bootstrap.create(place)
    out.print(f"{'made' if new else 'ready'}: {place.path}", soft_wrap=True)


def explain(
    name: Annotated[str, typer.Argument(help="An order or transaction, as for `show`.")],
    path: Annotated[str, typer.Argument(help="Canonical path, such as lines[0].amount.")] = "",
    *,
    reveal: Reveal = None,
    as_json: AsJson = False,
) -> None:
    """Say which message, source path, rule and mapping version a value came from."""
    with reading() as (opened, connection):
        fact = finding.resolve(connection, name, systems=opened.systems)
    with way() as hub:
        rows = hub.origins(fact, path, reveal=reveal)
    if as_json:
        print_json([dataclasses.asdict(row) for row in rows])
        return
    print_values(rows)
    first = rows[0]
    where = f"message {first.message_id}, file {first.file}, byte {first.byte}"
    out.print(f"{where}; mapping {first.mapping}, version {first.version}", soft_wrap=True)


def print_values(rows: Iterable[Explained]) -> None:
    """Values, each with its source and the rule that took it from there."""
    for row in rows:
        out.print(f"[bold]{escape(row.path)}[/] = {escape(str(row.value))}", soft_wrap=True)
        sent = "" if row.sent is None else f", sent as {row.sent!r}"
        out.print(f"  from {escape(row.source)}{escape(sent)}", soft_wrap=True)
        if row.line is not None:
            rule = escape(" ".join(row.rule.split()))
            out.print(f"  by   {rule}  ({row.mapping}:{row.line})", soft_wrap=True)


def export(
    kinds: Annotated[
        list[str] | None, typer.Argument(help="Only these, such as Transaction; else all.")
    ] = None,
) -> None:
    """Write every canonical document as a line of JSON, always in the same order."""
    with way() as hub:
        for piece in hub.export(tuple(kinds or ())):
            sys.stdout.write(piece)


@load.command("locations")
def load_locations(file: CsvFile) -> None:
    """Load stores: system, store, zone, currency and what else is known of them."""
    _load("locations", file)


@load.command("workstations")
def load_workstations(file: CsvFile) -> None:
    """Load tills: system, store, workstation. Their stores come first."""
    _load("workstations", file)


@load.command("items")
def load_items(file: CsvFile) -> None:
    """Load merchandise and the numbers it goes by in each system."""
    _load("items", file)


def _load(noun: str, file: Path) -> None:
    with way() as hub:
        loaded = hub.load(noun, file)
    out.print(f"added {loaded.added}, changed {loaded.changed}, unchanged {loaded.unchanged}")


def doctor(*, as_json: AsJson = False) -> None:
    """Look whether all is well. The exit status is 1 where somebody should act."""
    findings = list(doctoring.examine(home.locate()))
    if as_json:
        print_json([dataclasses.asdict(finding_) for finding_ in findings])
    else:
        marks = {True: "ok", False: "!!"}
        out.print(
            table(("", "what", "detail"), ((marks[f.well], f.what, f.detail) for f in findings))
        )
    if not all(f.well for f in findings):
        raise typer.Exit(1)

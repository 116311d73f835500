"""``lynchpin store``: what the stores have sent, and what is missing."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from hub import capture
from hub.cli.message import AsJson
from hub.cli.open import reading
from hub.cli.terminal import out, print_json, table
from hub.gaps import gaps

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_captures(*, as_json: AsJson = False) -> None:
    """List what store agents ship, how far each has come, and when it was last seen."""
    with reading() as (_, connection):
        rows = capture.listed(connection)
    if as_json:
        print_json(rows)
        return
    names = ("capture", "source", "committed", "pending", "oldest_at", "refused", "epochs")
    cells = ([row[name] for name in (*names, "seen_at")] for row in rows)
    out.print(table((*names, "last seen"), cells))


@app.command("gaps")
def list_gaps(
    *,
    store: Annotated[str | None, typer.Option(help="Store as the till writes it.")] = None,
    since: Annotated[str, typer.Option(help="First business date, such as 2031-05-01.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the numbers that tills must have used and of which the hub knows nothing."""
    with reading() as (_, connection):
        found = list(gaps(connection, since=since, store=store))
    if as_json:
        print_json([{**dataclasses.asdict(gap), "missing": gap.missing} for gap in found])
        return
    names = ("system", "store", "workstation", "business_date", "first", "last", "missing")
    out.print(table(names, ([getattr(gap, name) for name in names] for gap in found)))

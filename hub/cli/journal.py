"""``lynchpin journal``: what the journal keeps."""

from __future__ import annotations

import dataclasses

import typer

from hub.cli.message import AsJson
from hub.cli.open import reading
from hub.cli.terminal import out, print_json, table
from hub.weight import weights

app = typer.Typer(no_args_is_help=True)


@app.callback()
def journal() -> None:
    """What came in, and what it takes on the disk."""


@app.command("stats")
def stats(*, as_json: AsJson = False) -> None:
    """Say for each source how many messages it sent and how many bytes they were and are."""
    with reading() as (_, connection):
        rows = [{**dataclasses.asdict(each), "ratio": each.ratio} for each in weights(connection)]
    if as_json:
        print_json(rows)
        return
    names = ("source", "messages", "raw_bytes", "stored_bytes", "ratio", "oldest_at")
    out.print(table(names, ([row[name] for name in names] for row in rows)))

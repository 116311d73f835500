"""``lynchpin journal``: what the journal keeps."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from hub.cli.message import AsJson
from hub.cli.open import reading
from hub.cli.terminal import out, print_json, table
from hub.cli.way import way
from hub.dictionaries import learned, trial
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
    names = ("source", "messages", "raw_bytes", "stored_bytes", "ratio", "oldest_at", "gain")
    out.print(table(names, ([row[name] for name in names] for row in rows)))


@app.command("train")
def train(
    *,
    source: Annotated[
        list[str] | None, typer.Option(help="Only this source; may be said more than once.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure, and keep nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Learn what the messages of each source have in common, and pack new ones with it if it pays.

    A hub that runs does this by itself at a quiet time.
    """
    with reading() as (hub, connection):
        for name in source or ():
            hub.settings.source(name)
        sources = source or sorted(hub.settings.sources)
        found = [learned(name, trial(connection, name)) for name in sources] if dry_run else []
    if not dry_run:
        with way() as hub_there:
            found = hub_there.train(sources)
    rows = [dataclasses.asdict(each) for each in found]
    if as_json:
        print_json(rows)
        return
    names = ("source", "samples", "gain", "used")
    out.print(table(names, ([row[name] for name in names] for row in rows)))

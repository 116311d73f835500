"""``lynchpin journal``: what the journal keeps."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer
from rich.progress import Progress

from hub import redaction, retention
from hub.cli.message import NUMBER_MAX, AsJson
from hub.cli.open import reading
from hub.cli.terminal import errors, out, print_json, reason_of, table
from hub.cli.way import way
from hub.dictionaries import learned, trial
from hub.weight import weights

app = typer.Typer(no_args_is_help=True)


@app.callback()
def journal() -> None:
    """What came in, and what it takes on the disk."""


@app.command("stats")
def stats(*, as_json: AsJson = False) -> None:
    """Say for each source and kind what came in, what it takes on the disk, and until when."""
    with reading() as (hub, connection):
        found = weights(connection, hub.settings.journal)
    rows = [
        {**dataclasses.asdict(each), "ratio": each.ratio, "expires_at": each.expires_at}
        for each in found
    ]
    if as_json:
        print_json(rows)
        return
    names = ["source", "messages", "removed", "redacted", "raw_bytes", "stored_bytes", "ratio"]
    names += ["gain", "oldest_at"]
    out.print(table(names, ([row[name] for name in names] for row in rows)))
    columns = ("source", "kind", "messages", "removed", "stored_bytes", "keep_days", "expires_at")
    kinds = (
        [each.source, *(getattr(kind, name) for name in columns[1:])]
        for each in found
        for kind in each.kinds
    )
    out.print(table(columns, kinds, title="expiring next"))


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


@app.command("sweep")
def sweep(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many it would be, and remove nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to go on.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what messages said whose days are over: see `[journal]` in the settings.

    That they came, and what came of them, stays. A hub that runs does this by itself once a day.
    """
    due, after = 0, 0
    with reading() as (hub, connection):
        kept, now = hub.settings.journal, hub.now()
        while True:
            numbers, last = retention.sweepable(connection, kept, after=after, now=now)
            due += len(numbers)
            if last is None:
                break
            after = last
    removed = 0
    if due and not dry_run:
        if not yes:
            text = f"Remove what {due} messages said? It cannot be brought back."
            typer.confirm(text, abort=True, err=True)
        with Progress(console=errors, transient=True) as progress, way() as hub_there:
            task = progress.add_task("sweep", total=due)
            removed = hub_there.sweep(lambda count: progress.advance(task, count))
    if as_json:
        print_json({"due": due, "removed": removed})
    else:
        out.print(f"{due} due, {removed} removed")


@app.command("redact")
def redact(
    *,
    message: Annotated[
        int | None, typer.Option(help="Number of a message.", min=1, max=NUMBER_MAX)
    ] = None,
    person: Annotated[
        str | None, typer.Option(help="Fact id of a document of theirs: all that is of them.")
    ] = None,
    reason: Annotated[
        str, typer.Option(help="Why, for the audit.", prompt=True, callback=reason_of)
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to go on.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take out who a person is, from messages and documents, for good.

    Names of facts and what they were worth stay, and what comes again is still known.
    """
    if (message is None) == (person is None):
        raise typer.BadParameter("give --message or --person, and not both")
    with reading() as (hub, connection):
        if person is not None:
            reach = redaction.of_person(hub, connection, person)
        else:
            reach = redaction.of_message(connection, message or 0)
    if not yes:
        count = len(reach.made_from) + len(reach.others)
        text = f"Redact {len(reach.facts)} documents and {count} messages? It cannot be undone."
        typer.confirm(text, abort=True, err=True)
    with way() as hub_there:
        done = hub_there.redact(message=message, person=person, reason=reason)
    if as_json:
        print_json(dataclasses.asdict(done))
    else:
        told = f"redacted {done.documents} documents; messages: {done.rewritten} rewritten"
        out.print(f"{told}, {done.removed} removed")

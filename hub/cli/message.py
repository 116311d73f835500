"""``lynchpin message``: what came in, as it came in."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from hub import edit, finding, journal, messages
from hub.causes import NOT_FOUND
from hub.cli.open import reading
from hub.cli.terminal import Reveal, out, print_json, print_problem, table
from hub.cli.way import way
from hub.messages import Sought
from hub.since import moment
from schemas.problem import Rejected

app = typer.Typer(no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON value, for programs.")]
NUMBER_MAX = 2**63 - 1
Limit = Annotated[int, typer.Option(help="At most so many.", min=1, max=10_000)]


@app.command("find")
def find(  # noqa: PLR0913, an option each
    fact: Annotated[str | None, typer.Argument(help="Part of a fact id.")] = None,
    *,
    state: Annotated[str | None, typer.Option(help="pending, applied, duplicate, held...")] = None,
    source: Annotated[str | None, typer.Option(help="Name of a source.")] = None,
    file: Annotated[str | None, typer.Option(help="Part of a file name.")] = None,
    code: Annotated[str | None, typer.Option(help="Why it is held, such as LP-DOC-001.")] = None,
    group: Annotated[str | None, typer.Option(help="Fingerprint of `hold list --groups`.")] = None,
    order: Annotated[str | None, typer.Option(help="Number or native id of an order.")] = None,
    receipt: Annotated[str | None, typer.Option(help="Number of a receipt.")] = None,
    store: Annotated[str | None, typer.Option(help="Of a receipt.")] = None,
    workstation: Annotated[str | None, typer.Option(help="Of a receipt.")] = None,
    date: Annotated[str | None, typer.Option(help="Business date of a receipt.")] = None,
    sequence: Annotated[str | None, typer.Option(help="Sequence number of a receipt.")] = None,
    person: Annotated[str | None, typer.Option(help="Fact id of a document of theirs.")] = None,
    since: Annotated[
        str | None, typer.Option(help="From when on: 7d, 12h, 30m, or a date or moment.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Before when, as --since.")] = None,
    limit: Limit = messages.LIMIT,
    as_json: AsJson = False,
) -> None:
    """Find messages that fit everything that is given, the newest first."""
    with reading() as (hub, connection):
        now = hub.now()
        sought = Sought(
            fact=fact,
            state=state,
            source=source,
            file=file,
            code=code,
            group=group,
            order=order,
            receipt=receipt,
            store=store,
            workstation=workstation,
            business_date=date,
            sequence=sequence,
            person=person,
            since=since and moment(since, now),
            until=until and moment(until, now),
        )
        rows = messages.found(hub, connection, sought, limit=limit)
    if as_json:
        print_json(rows)
        return
    columns = ("id", "state", "kind", "fact", "source", "file", "offset", "code")
    out.print(table(columns, ([row[name] for name in columns] for row in rows)))


@app.command("show")
def show(
    number: Annotated[int, typer.Argument(help="Number of the message.", min=1, max=NUMBER_MAX)],
    *,
    reveal: Reveal = None,
    as_json: AsJson = False,
) -> None:
    """Show a message: where it came from and what became of it; revealed, also what it says."""
    with reading() as (_, connection):
        stored = journal.entry(connection, number)
        if stored is None:
            raise Rejected(NOT_FOUND.at(f"there is no message {number}"))
        problem = finding.problem(connection, number)
        edited = edit.edited_at(connection, number)
    text = None
    if reveal is not None:
        with way() as hub:
            text = hub.payload(number, reveal=reveal)
    head = {
        "id": stored.id,
        "state": stored.state,
        "source": stored.source,
        "system": stored.system,
        "file": stored.file,
        "byte": stored.offset,
        "length": len(stored.payload),
        "edited_at": edited,
    }
    if as_json:
        found = problem and problem.model_dump(mode="json", exclude_none=True)
        said = {} if text is None else {"payload": text}
        print_json({**head, "problem": found, **said})
        return
    out.print(table(list(head), [list(head.values())]))
    if problem is not None:
        print_problem(problem)
    if text is not None:
        out.print(escape(text), soft_wrap=True)

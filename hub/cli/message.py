"""``lynchpin message``: what came in, as it came in."""

from __future__ import annotations

import base64
import sys
from typing import Annotated

import typer
from rich.markup import escape

from hub import edit, finding, journal, messages
from hub.causes import NOT_FOUND
from hub.cli.open import reading
from hub.cli.sieve import Sieve, sieving
from hub.cli.terminal import Reveal, errors, out, print_json, print_problem, table
from hub.cli.way import way
from hub.original import redacted_at
from schemas.problem import Rejected

app = typer.Typer(no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON value, for programs.")]
NUMBER_MAX = 2**63 - 1
Limit = Annotated[int, typer.Option(help="At most so many.", min=1, max=10_000)]


@app.command("find")
@sieving
def find(sieve: Sieve, *, limit: Limit = messages.LIMIT, as_json: AsJson = False) -> None:
    """Find messages that fit everything that is given, the newest first."""
    with reading() as (hub, connection):
        rows = messages.found(hub, connection, sieve(hub.now()), limit=limit)
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
    original: Annotated[
        bool, typer.Option("--original", help="What came in and nothing else, byte for byte.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show a message: where it came from and what became of it; revealed, also what it says.

    With --original, standard output is what came in before anybody edited it, to be kept in a file.
    """
    if original:
        if reveal is None:
            raise typer.BadParameter("what came in is shown for a reason: --reveal REASON")
        _print_original(number, reveal, as_json=as_json)
        return
    with reading() as (_, connection):
        stored = journal.entry(connection, number)
        if stored is None:
            raise Rejected(NOT_FOUND.at(f"there is no message {number}"))
        problem = finding.problem(connection, number)
        edited = edit.edited_at(connection, number)
        redacted = redacted_at(connection, number)
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
        "removed_at": stored.removed_at,
        "redacted_at": redacted,
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


def _print_original(number: int, reveal: str, *, as_json: bool) -> None:
    with way() as hub:
        found = hub.original(number, reveal=reveal)
    if as_json:
        payload = base64.b64encode(found.payload).decode()
        said = {"edited_at": found.edited_at, "redacted_at": found.redacted_at}
        print_json({"id": number, **said, "payload": payload})
        return
    for note in found.said:
        errors.print(note, soft_wrap=True)
    sys.stdout.flush()
    sys.stdout.buffer.write(found.payload)
    sys.stdout.buffer.flush()

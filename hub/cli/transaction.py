"""``lynchpin transaction``: receipts of the tills."""

from __future__ import annotations

from typing import Annotated

import typer

from hub import finding
from hub.cli import document
from hub.cli.message import AsJson, Limit
from hub.cli.open import reading
from hub.cli.terminal import Reveal, out, print_json, table

app = typer.Typer(no_args_is_help=True)


@app.command("find")
def find(
    *,
    store: Annotated[str | None, typer.Option(help="Store as the till writes it.")] = None,
    workstation: Annotated[str | None, typer.Option(help="Till.")] = None,
    date: Annotated[str | None, typer.Option(help="Business date, 2026-03-01.")] = None,
    receipt: Annotated[str | None, typer.Option(help="Receipt number.")] = None,
    status: Annotated[str | None, typer.Option(help="completed, suspended, cancelled...")] = None,
    limit: Limit = finding.LIMIT,
    as_json: AsJson = False,
) -> None:
    """Find Transactions, in the order of day, till and sequence."""
    with reading() as (_, connection):
        rows = finding.transactions(
            connection,
            limit=limit,
            store=store,
            workstation=workstation,
            business_date=date,
            receipt=receipt,
            status=status,
        )
    if as_json:
        print_json(rows)
        return
    names = ("fact", "occurred_utc", "status", "receipt", "revenue", "currency", "voided_by")
    out.print(table(names, ([row[name] for name in names] for row in rows)))


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="Fact id, STORE/TILL/DATE/SEQUENCE, or receipt.")],
    *,
    reveal: Reveal = None,
    as_json: AsJson = False,
) -> None:
    """Show a Transaction, what it names and what names it; its people are masked."""
    document.show("transactions", name, reveal=reveal, as_json=as_json)

"""``lynchpin order``: orders of every channel."""

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
    number: Annotated[str | None, typer.Argument(help="Order number, such as #1001.")] = None,
    *,
    channel: Annotated[str | None, typer.Option(help="web, store, phone...")] = None,
    life: Annotated[str | None, typer.Option(help="open, closed, cancelled.")] = None,
    payment: Annotated[str | None, typer.Option(help="due, paid, refunded...")] = None,
    fulfilment: Annotated[str | None, typer.Option(help="none, part, done...")] = None,
    limit: Limit = finding.LIMIT,
    as_json: AsJson = False,
) -> None:
    """Find Orders, the newest first."""
    with reading() as (_, connection):
        rows = finding.orders(
            connection,
            limit=limit,
            number=number,
            channel=channel,
            life=life,
            payment=payment,
            fulfilment=fulfilment,
        )
    if as_json:
        print_json(rows)
        return
    names = ("fact", "number", "channel", "placed_utc", "life", "payment", "fulfilment")
    out.print(table(names, ([row[name] for name in names] for row in rows)))


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="Fact id, order number, or the shop's own id.")],
    *,
    reveal: Reveal = None,
    as_json: AsJson = False,
) -> None:
    """Show an Order and the reversals that name it; its people are masked."""
    document.show("orders", name, reveal=reveal, as_json=as_json)

"""The program: its commands, and what happens when one of them fails."""

from __future__ import annotations

import sys

import typer

from hub.cli import (
    console,
    customer,
    data,
    db,
    delivery,
    demo,
    hold,
    job,
    journal,
    key,
    message,
    order,
    poll,
    receive,
    replay,
    store,
    transaction,
    up,
)
from hub.cli.map import app as mappings
from hub.cli.terminal import complain
from schemas.problem import LynchpinError

__all__ = ["app", "main"]

app = typer.Typer(
    name="lynchpin",
    help="The hub that joins a retailer's tills, web shop and call centre.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command()(data.init)
app.command()(receive.receive)
app.command()(up.up)
app.command()(console.console)
app.add_typer(key.app, name="key", help="Who may call the hub.")
app.add_typer(message.app, name="message", help="What came in, as it came in.")
app.add_typer(journal.app, name="journal", help="What the journal keeps.")
app.add_typer(hold.app, name="hold", help="Messages that wait for a person.")
app.add_typer(replay.app, name="replay", help="Documents made again, chosen by what they carry.")
app.add_typer(job.app, name="job", help="What was asked for and takes long.")
app.add_typer(mappings, name="map", help="Mappings, from a working copy to what is in force.")
app.add_typer(transaction.app, name="transaction", help="Receipts of the tills.")
app.add_typer(order.app, name="order", help="Orders of every channel.")
app.add_typer(customer.app, name="customer", help="People, and what happened to them.")
app.add_typer(db.app, name="db", help="The database: its revision, health, backup and restore.")
app.add_typer(delivery.app, name="delivery", help="What other systems are told.")
app.add_typer(poll.app, name="poll", help="Systems that are asked for what they have.")
app.add_typer(store.app, name="store", help="What stores have sent, and what is missing.")
app.command()(data.explain)
app.command()(data.export)
app.add_typer(data.load, name="load", help="Reference data from CSV files.")
app.command()(data.doctor)
app.add_typer(demo.app, name="demo")


def main() -> None:
    """Run a command. Exit status: 0 done, 1 something was refused or is unwell, 2 cannot act."""
    try:
        app()
    except LynchpinError as error:
        complain(error)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)

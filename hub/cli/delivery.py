"""``lynchpin delivery``: what other systems are told, and what of it is not done."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.bootstrap import utc_now
from hub.cli.message import NUMBER_MAX, AsJson
from hub.cli.open import reading
from hub.cli.terminal import out, print_json, reason_of, table
from hub.cli.way import way
from hub.delivery import deciding
from hub.delivery.status import destinations
from hub.since import moment
from hub.store.tables import DELIVERY_STATES

app = typer.Typer(no_args_is_help=True)

Numbers = Annotated[list[int], typer.Argument(help="Numbers.", min=1, max=NUMBER_MAX)]
Destination = Annotated[str | None, typer.Option("--destination", help="Only for this one.")]


@app.command("status")
def status(*, as_json: AsJson = False) -> None:
    """How many deliveries wait for each destination, and whether it is sent to."""
    with reading() as (hub, connection):
        found = destinations(connection, hub)
    if as_json:
        print_json([each.model_dump() for each in found])
        return
    columns = ("destination", "waiting", "parked", "oldest", "failures", "sent to")
    cells = (
        (
            each.name,
            each.waiting,
            each.parked,
            f"{each.oldest_seconds:.0f} s",
            each.failures,
            _said(known=each.known, paused=each.paused, until=each.closed_until, now=each.closed),
        )
        for each in found
    )
    out.print(table(columns, cells))


def _said(*, known: bool, paused: bool, until: str | None, now: bool) -> str:
    if not known:
        return "no, the settings do not name it"
    if paused:
        return "no, it said that it is gone; `retry --destination` sends to it again"
    return f"not before {until}" if now else "yes"


@app.command("list")
def list_deliveries(
    *,
    destination: Destination = None,
    state: Annotated[
        str | None, typer.Option(help=f"One of {', '.join(DELIVERY_STATES)}; else what is open.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List deliveries in the order in which they are told: those that are not done."""
    if state is not None and state not in DELIVERY_STATES:
        raise typer.BadParameter(f"a state is one of {', '.join(DELIVERY_STATES)}")
    with reading() as (_, connection):
        rows = deciding.listed(connection, to=destination, state=state)
    if as_json:
        print_json(rows)
        return
    columns = ("id", "destination", "subject", "state", "attempts", "due_at", "failure", "reverses")
    out.print(table(columns, ([row[name] for name in columns] for row in rows)))


@app.command("retry")
def retry(
    numbers: Annotated[
        list[int] | None, typer.Argument(help="Numbers of open ones.", min=1, max=NUMBER_MAX)
    ] = None,
    *,
    destination: Annotated[
        str | None, typer.Option("--destination", help="All that is open for this one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try deliveries again now, parked ones too; a paused destination is sent to again."""
    if bool(numbers) == (destination is not None):
        raise typer.BadParameter("give numbers of deliveries, or --destination, and not both")
    with way() as hub:
        count = hub.retry_deliveries(numbers or [], destination=destination)
    _print_count("tried again", count, as_json=as_json)


@app.command("resend")
def resend(
    numbers: Annotated[
        list[int] | None, typer.Argument(help="Numbers of made ones.", min=1, max=NUMBER_MAX)
    ] = None,
    *,
    destination: Annotated[
        str | None, typer.Option("--destination", help="All that this one was told.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="From then on: 7d ago, or a moment.")] = None,
    until: Annotated[str | None, typer.Option(help="Told before then; the same forms.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell a destination again what it was told, under the same ids, each thing as it is now."""
    if bool(numbers) == (destination is not None) or (numbers and (since or until)):
        raise typer.BadParameter("give numbers of deliveries, or --destination and a window")
    now = utc_now()
    window = {"since": since and moment(since, now), "until": until and moment(until, now)}
    with way() as hub:
        count = hub.resend_deliveries(numbers or [], destination=destination, **window)
    _print_count("told again", count, as_json=as_json)


@app.command("discard")
def discard(
    numbers: Numbers,
    *,
    reason: Annotated[
        str, typer.Option(help="Why, for the audit.", prompt=True, callback=reason_of)
    ],
    as_json: AsJson = False,
) -> None:
    """Give deliveries up; what comes after them of their subject goes on."""
    with way() as hub:
        count = hub.discard_deliveries(numbers, reason=reason)
    _print_count("discarded", count, as_json=as_json)


def _print_count(done: str, count: int, *, as_json: bool) -> None:
    said: dict[str, Any] = {"count": count}
    if as_json:
        print_json(said)
    else:
        out.print(f"{done}: {count}")

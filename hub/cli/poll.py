"""``lynchpin poll``: systems that are asked for what they have, and how far that has come."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.message import AsJson
from hub.cli.open import reading
from hub.cli.terminal import out, print_json, table
from hub.cli.way import way
from hub.polling.page import utc_text
from hub.polling.status import Status, polls

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A poll of the settings.")]


@app.command("status")
def status(*, as_json: AsJson = False) -> None:
    """How far each poll has come, and why it does not where it does not. Exit 1 if one fails."""
    with reading() as (hub, connection):
        found = polls(connection, hub.settings.polls, hub.now())
    _show(found, as_json=as_json)


@app.command("now")
def now(name: Name, *, as_json: AsJson = False) -> None:
    """Poll at once, whatever was to be waited for, and wait for what comes. Exit 1 if it fails."""
    with way() as hub:
        found = hub.poll_now(name)
    _show(found, as_json=as_json)


@app.command("rewind")
def rewind(
    name: Name,
    *,
    to: Annotated[
        str,
        typer.Option(help="What changed from then on is read again, such as 2031-05-06T10:00Z."),
    ],
    stream: Annotated[str | None, typer.Option(help="Only this stream.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read again what changed from a moment on; what is here as it is costs no message."""
    moment = utc_text(to)
    if moment is None:
        raise typer.BadParameter("a time is written as 2031-05-06T10:00:00Z")
    with way() as hub:
        found = hub.rewind_poll(name, to=moment, stream=stream)
    _show(found, as_json=as_json)


def _show(found: list[Status], *, as_json: bool) -> None:
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
    else:
        columns = ("poll", "stream", "read up to", "last read", "taken", "failures", "")
        cells = (
            (
                each.name,
                each.stream,
                each.cursor or "nothing yet",
                each.polled_at or "never",
                f"{each.taken} of {each.seen}",
                each.failures,
                each.problem.line() if each.problem else "more to come" if each.under_way else "",
            )
            for each in found
        )
        out.print(table(columns, cells))
    if any(each.failures for each in found):
        raise typer.Exit(1)

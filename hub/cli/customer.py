"""``lynchpin customer``: people, and what happened to them in every channel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from hub import finding
from hub.causes import NOT_FOUND, SEVERAL
from hub.cli.message import AsJson
from hub.cli.terminal import Reveal, out, print_json, table
from hub.cli.way import way
from schemas.problem import Rejected

if TYPE_CHECKING:
    from hub.people.view import Person

app = typer.Typer(no_args_is_help=True)

_TEXT_MAX = 200


def _text(text: str) -> str:
    if not 0 < len(text.strip()) <= _TEXT_MAX:
        raise typer.BadParameter(f"it has 1 to {_TEXT_MAX} characters")
    return text


def _region(region: str | None) -> str | None:
    if region is not None and not re.fullmatch("[A-Z]{2}", region):
        raise typer.BadParameter("a country has two capital letters")
    return region


Text = Annotated[
    str,
    typer.Argument(
        help="Phone, e-mail, card, account, name, order or receipt number.", callback=_text
    ),
]
Region = Annotated[
    str | None,
    typer.Option(
        help="Country of a phone number without country code, such as AT; else the sources'.",
        callback=_region,
    ),
]


@app.command("find")
def find(text: Text, *, region: Region = None, as_json: AsJson = False) -> None:
    """Find people, masked, each with the reason of the hit."""
    with way() as hub:
        found = hub.find_people(text, region=region)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    rows = ((p.person, p.reason, ", ".join(p.names), p.documents) for p in found.items)
    out.print(table(("person", "found by", "names", "documents"), rows))
    if found.more:
        out.print("[yellow]There are others beside these: ask for something rarer.[/]")


@app.command("show")
def show(
    text: Text,
    *,
    region: Region = None,
    limit: Annotated[int, typer.Option(help="So much of the story.", min=1, max=1000)] = (
        finding.LIMIT
    ),
    cursor: Annotated[str | None, typer.Option(help="Go on from there: `next` of a page.")] = None,
    reveal: Reveal = None,
    as_json: AsJson = False,
) -> None:
    """Show one person: identifiers, and what happened to them, the newest first."""
    with way() as hub:
        found = hub.find_people(text, region=region)
        if not found.items:
            raise Rejected(NOT_FOUND.at("nobody is found by this"))
        if found.more or len(found.items) > 1:
            raise Rejected(SEVERAL.at(f"{len(found.items)} people are found by this"))
        fact = found.items[0].person
        person = hub.person(fact, limit=limit, cursor=cursor, reveal=reveal)
    if as_json:
        print_json(person.model_dump(mode="json"))
    else:
        _print(person)


def _print(person: Person) -> None:
    out.print(f"[bold]{escape(person.person)}[/] {escape(', '.join(person.names))}")
    for each in person.identifiers:
        issuer = f" of {escape(each.issuer)}" if each.issuer else ""
        mark = " [yellow](shared with others: joins nothing)[/]" if each.shared else ""
        out.print(f"  {escape(each.kind)} {escape(each.value)}{issuer}{mark}")
    rows = ((e.utc, e.system, e.kind, e.fact, e.summary) for e in person.story)
    out.print(table(("when (UTC)", "system", "what", "name", "in short"), rows))
    if person.next is not None:
        out.print(f"More happened before: --cursor {escape(person.next)}", soft_wrap=True)
    if not person.whole:
        out.print("[yellow]These are too many documents to be one person's.[/]")

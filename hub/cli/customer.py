"""``lynchpin customer``: people, and what happened to them in every channel."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy import Connection

from hub.bootstrap import Hub
from hub.causes import NOT_FOUND, SEVERAL
from hub.cli.message import AsJson
from hub.cli.open import reading
from hub.cli.terminal import out, print_json, table
from hub.people.profile import Profile
from hub.people.search import Hit, search, story
from schemas.problem import Rejected

app = typer.Typer(no_args_is_help=True)

Text = Annotated[
    str,
    typer.Argument(help="Phone, e-mail, card, account, name, order or receipt number."),
]
Region = Annotated[
    str | None, typer.Option(help="Country of a phone number without country code, such as AT.")
]


@app.command("find")
def find(text: Text, *, region: Region = None, as_json: AsJson = False) -> None:
    """Find people, each with the reason of the hit."""
    with reading() as (hub, connection):
        hits = _hits(hub, connection, text, region)
    if as_json:
        print_json([{"reason": hit.reason, **_written(hit.profile)} for hit in hits])
        return
    rows = ((h.profile.handle, h.reason, _names(h.profile), len(h.profile.facts)) for h in hits)
    out.print(table(("person", "found by", "names", "documents"), rows))


@app.command("show")
def show(text: Text, *, region: Region = None, as_json: AsJson = False) -> None:
    """Show one person: identifiers, and everything that happened, in order."""
    with reading() as (hub, connection):
        hits = _hits(hub, connection, text, region)
        if not hits:
            raise Rejected(NOT_FOUND.at("nobody is found by this"))
        if len(hits) > 1:
            raise Rejected(SEVERAL.at(f"{len(hits)} people are found by this"))
        profile = hits[0].profile
        events = story(connection, profile)
    if as_json:
        print_json({**_written(profile), "story": [dataclasses.asdict(e) for e in events]})
        return
    out.print(f"[bold]{escape(profile.handle)}[/] {escape(_names(profile))}")
    for claim in profile.claims:
        if claim.kind != "name":
            mark = " [yellow](shared with others: joins nothing)[/]"
            out.print(f"  {escape(str(claim))}{mark if claim in profile.shared else ''}")
    rows = ((e.utc, e.system, e.kind, e.fact, e.summary) for e in events)
    out.print(table(("when (UTC)", "system", "what", "name", "in short"), rows))


def _hits(hub: Hub, connection: Connection, text: str, region: str | None) -> list[Hit]:
    nobody = hub.nobody(connection)
    return search(connection, text, systems=hub.systems, nobody=nobody, region=region)


def _names(profile: Profile) -> str:
    return ", ".join(c.value for c in profile.claims if c.kind == "name")


def _written(profile: Profile) -> dict[str, object]:
    return {
        "person": profile.handle,
        "claims": [dataclasses.asdict(claim) for claim in profile.claims],
        "shared": [str(claim) for claim in profile.shared],
        "documents": list(profile.facts),
        "whole": profile.whole,
    }

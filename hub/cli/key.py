"""``lynchpin key``: who may call the hub."""

from __future__ import annotations

import dataclasses
import getpass
from typing import Annotated

import typer
from rich.markup import escape

from hub import keys
from hub.cli.message import AsJson
from hub.cli.open import reading, writing
from hub.cli.terminal import errors, out, print_json, table

app = typer.Typer(no_args_is_help=True)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Who it is for, for people.")],
    *,
    role: Annotated[
        keys.Role,
        typer.Option(help="source: sends its records. reader, agent: read. operator: all else."),
    ],
    source: Annotated[
        list[str] | None, typer.Option(help="A source that a source key may send to.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it, this once: the hub keeps only what it takes to know it again."""
    with writing() as hub, hub.engine.begin() as connection:
        for each in source or ():
            hub.settings.source(each)
        key, text = keys.create(
            connection, name, role, source or (), actor=getpass.getuser(), now=hub.now()
        )
    if as_json:
        print_json({"id": key.id, "key": text})
        return
    errors.print(f"key {key.id} for {escape(name)}; it is not shown again", style="dim")
    out.print(text, soft_wrap=True)


@app.command("list")
def list_keys(*, as_json: AsJson = False) -> None:
    """List all keys there ever were, without their secrets."""
    with reading() as (_, connection):
        found = keys.listed(connection)
    if as_json:
        print_json([dataclasses.asdict(key) for key in found])
        return
    rows = ((k.id, k.name, k.role, ", ".join(k.sources), k.created_at, k.revoked_at) for k in found)
    out.print(table(("id", "name", "role", "sources", "created", "revoked"), rows))


@app.command("revoke")
def revoke(number: Annotated[str, typer.Argument(metavar="ID", help="Id of the key.")]) -> None:
    """End a key from now on. While the hub is up, `POST /keys/ID/revoke` does the same."""
    with writing() as hub, hub.engine.begin() as connection:
        keys.revoke(connection, number, actor=getpass.getuser(), now=hub.now())
    out.print(f"revoked {escape(number)}")

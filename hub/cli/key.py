"""``lynchpin key``: who may call the hub."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer
from rich.markup import escape

from hub import keys
from hub.cli.message import AsJson
from hub.cli.open import reading
from hub.cli.terminal import errors, out, print_json, table
from hub.cli.way import way

app = typer.Typer(no_args_is_help=True)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Who it is for, for people.")],
    *,
    role: Annotated[
        keys.Role,
        typer.Option(
            help=(
                "source: sends its records. receiver: reads what its destination was told. "
                "reader, agent: read. operator: all else."
            )
        ),
    ],
    source: Annotated[
        list[str] | None, typer.Option(help="A source that a source key may send to.")
    ] = None,
    store: Annotated[
        list[str] | None,
        typer.Option(help="A store that the key is limited to; without any it is not limited."),
    ] = None,
    destination: Annotated[
        list[str] | None, typer.Option(help="A destination whose feed a receiver's key may read.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it, this once: the hub keeps only what it takes to know it again."""
    with way() as hub:
        limits = {"sources": source, "stores": store, "destinations": destination}
        number, text = hub.create_key(
            name, role, **{what: given or [] for what, given in limits.items()}
        )
    if as_json:
        print_json({"id": number, "key": text})
        return
    errors.print(f"key {number} for {escape(name)}; it is not shown again", style="dim")
    out.print(text, soft_wrap=True)


@app.command("list")
def list_keys(*, as_json: AsJson = False) -> None:
    """List all keys there ever were, without their secrets."""
    with reading() as (_, connection):
        found = keys.listed(connection)
    if as_json:
        print_json([dataclasses.asdict(key) for key in found])
        return
    rows = (
        (
            key.id,
            key.name,
            key.role,
            ", ".join(key.sources),
            ", ".join(key.stores),
            ", ".join(key.destinations),
            key.created_at,
            key.revoked_at,
        )
        for key in found
    )
    columns = ("id", "name", "role", "sources", "stores", "destinations", "created", "revoked")
    out.print(table(columns, rows))


@app.command("revoke")
def revoke(number: Annotated[str, typer.Argument(metavar="ID", help="Id of the key.")]) -> None:
    """End a key from now on."""
    with way() as hub:
        hub.revoke_key(number)
    out.print(f"revoked {escape(number)}")

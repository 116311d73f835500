"""``lynchpin replay``: documents made again by the versions in force, chosen by what they carry."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from hub.cli.job import followed, print_job
from hub.cli.message import AsJson
from hub.cli.open import reading
from hub.cli.sieve import Sieve, sieving
from hub.cli.terminal import out, print_json, reason_of, table
from hub.cli.way import way
from hub.jobs.ask import Ask, Effects
from hub.jobs.plan import plan as planned

__all__ = ["app", "print_plan"]

app = typer.Typer(no_args_is_help=True)

All = Annotated[bool, typer.Option("--all", help="All messages, where nothing else is given.")]
Told = Annotated[
    Effects, typer.Option(help="Whether who is told the latest of things hears of corrections.")
]


@app.command("plan")
@sieving
def plan(
    sieve: Sieve, *, every: All = False, effects: Told = "none", as_json: AsJson = False
) -> None:
    """Say how many messages and documents it would be, which, and who hears of it; do nothing."""
    with reading() as (hub, connection):
        ask = Ask(sieve(hub.now()), all=every, effects=effects)
        found = planned(hub, connection, ask).as_json()
    print_plan(found, as_json=as_json)


@app.command("start")
@sieving
def start(
    sieve: Sieve,
    *,
    reason: Annotated[
        str, typer.Option(help="Why, for the audit.", prompt=True, callback=reason_of)
    ],
    every: All = False,
    effects: Told = "none",
    wait: Annotated[bool, typer.Option("--wait", help="Do it now, or wait for it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Have the documents of messages made again; a hub that is up does it by and by.

    Without one `lynchpin job run` does it. With --wait, exit status 1 says that some failed.
    """
    with reading() as (hub, _):
        ask = Ask(sieve(hub.now()), all=every, effects=effects)
    with way() as hub_:
        found = hub_.start_job(ask, reason=reason)
    if wait:
        found = followed(found["id"])
    print_job(found, as_json=as_json)
    if found["failed"] or found["state"] == "failed":
        raise typer.Exit(1)


def print_plan(found: dict[str, Any], *, as_json: bool) -> None:
    """A plan for people, or for programs."""
    if as_json:
        print_json(found)
        return
    text = (
        f"{found['messages']} messages, {found['documents']} documents, of which another version "
        f"than the one in force made {found['outdated']}"
    )
    out.print(escape(text), soft_wrap=True)
    if found["removed"]:
        text = f"{found['removed']} more stay: what they were made of was removed after its days"
        out.print(text, soft_wrap=True)
    text = "Which of them come out otherwise, or fail, is not worked out here: the job says so."
    out.print(text, soft_wrap=True)
    if found["parts"]:
        columns = ("source", "message", "kind", "documents", "outdated")
        out.print(table(columns, ([row[name] for name in columns] for row in found["parts"])))
    for each in found["sample"]:
        line = f"for example message {each['id']} of {each['source']}: {each['fact'] or ''}"
        out.print(escape(line), soft_wrap=True)
    for each in found["destinations"]:
        told = f"hears of at most {each['deliveries']} corrections"
        if each["corrections"] == "append":
            told = f"is told at most {each['deliveries']} things: reversals, and what is new"
        hears = told if each["effects"] == "corrections" else "hears nothing of it"
        line = f"{each['destination']} ({each['mode']}, {each['corrections']}) {hears}"
        out.print(escape(line), soft_wrap=True)
    if not found["destinations"]:
        out.print("There is no destination that could hear of it.")

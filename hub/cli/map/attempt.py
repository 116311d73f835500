"""Trying a mapping file on a document, value by value. Nothing is kept."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from hub.authoring import attempt
from hub.authoring.attempt import Attempt
from hub.causes import NOT_FOUND
from hub.cli.data import print_values
from hub.cli.map.named import File, draft_of
from hub.cli.message import NUMBER_MAX, AsJson
from hub.cli.open import reading
from hub.cli.terminal import Reveal, out, print_json, print_problem
from hub.cli.way import way
from schemas.problem import Rejected

__all__ = ["try_"]


def try_(
    file: File,
    document: Annotated[
        str, typer.Argument(help="A file of the source, or the number of a message.")
    ],
    *,
    message: Annotated[
        int | None,
        typer.Option(help="Only this message of the file, counted from 1.", min=1),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Whose options and zone hold; else the first that fits.")
    ] = None,
    reveal: Reveal = None,
    as_json: AsJson = False,
) -> None:
    """Show what a mapping makes of a document, and where each value comes from.

    Exit status 1 where the message would be held.
    """
    draft = draft_of(file)
    number = _number(document)
    if number is not None and reveal is not None:
        with way() as hub:
            # Asked for the line in the audit that it leaves.
            hub.payload(number, reveal=reveal)
    with reading() as (opened, connection):
        if number is None:
            stored = attempt.of_file(opened, Path(document), draft.target, source)
            stored = [each for each in stored if message in (None, each.id)]
        else:
            stored = attempt.of_message(connection, number)
        found = list(
            attempt.attempted(opened, connection, draft, stored, reveal=reveal is not None)
        )
    if not found:
        raise Rejected(NOT_FOUND.at(f"there is no message of the kind {draft.target} in it"))
    if as_json:
        print_json([_attempt(each) for each in found])
    else:
        for each in found:
            _print(each)
    if any(each.problem for each in found):
        raise typer.Exit(1)


def _number(document: str) -> int | None:
    """The message that is meant, where it is not a file that goes by a number."""
    if document.isascii() and document.isdigit() and not Path(document).exists():
        return int(document) if 0 < int(document) <= NUMBER_MAX else None
    return None


def _attempt(each: Attempt) -> dict[str, Any]:
    return {
        "message": each.message,
        "fact": each.fact,
        "values": [_value(dataclasses.asdict(value)) for value in each.values],
        "flags": [flag.model_dump(mode="json") for flag in each.flags],
        "problem": each.problem and each.problem.model_dump(mode="json", exclude_none=True),
    }


def _value(row: dict[str, Any]) -> dict[str, Any]:
    names = ("path", "value", "source", "sent", "rule", "line")
    return {name: row[name] for name in names}


def _print(each: Attempt) -> None:
    out.print(f"[bold]message {each.message}[/] {escape(each.fact or '')}", soft_wrap=True)
    print_values(each.values)
    for flag in each.flags:
        out.print(f"[yellow]{flag.code}[/] {escape(flag.detail)} ({escape(flag.path)})")
    if each.problem is not None:
        out.print("[bold red]it would be held[/]")
        print_problem(each.problem)

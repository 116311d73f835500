"""Trying a mapping file on a document, value by value. Nothing is kept."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from lxml import etree
from rich.markup import escape

from hub.authoring import attempt
from hub.authoring.attempt import Attempt
from hub.authoring.draft import Draft
from hub.causes import NOT_FOUND
from hub.cli.data import print_values
from hub.cli.map.named import File, draft_of
from hub.cli.message import NUMBER_MAX, AsJson
from hub.cli.open import reading
from hub.cli.terminal import Reveal, out, print_json, print_problem
from hub.cli.way import way
from mappings import inverse
from mappings.inverse import Written
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
    back: Annotated[
        bool,
        typer.Option("--back", help="Write it as a document of the source again, and compare."),
    ] = False,
    reveal: Reveal = None,
    as_json: AsJson = False,
) -> None:
    """Show what a mapping makes of a document, and where each value comes from.

    Exit status 1 where the message would be held.
    """
    draft = draft_of(file)
    number = _number(document)
    if number is not None:
        with way() as hub:
            # Asked for the line in the audit that it leaves.
            hub.look(number) if reveal is None else hub.payload(number, reveal=reveal)
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
    written = [_written(draft, each) if back else None for each in found]
    pairs = list(zip(found, written, strict=True))
    if as_json:
        shown = ({**_attempt(each), **_back(way_back, reveal)} for each, way_back in pairs)
        print_json(list(shown))
    else:
        for each, way_back in pairs:
            _print(each)
            _print_back(way_back, reveal)
    if any(each.problem for each in found):
        raise typer.Exit(1)


def _written(draft: Draft, each: Attempt) -> Written | None:
    """The way back of what a document became. Raises ``ConfigError`` if the mapping has none."""
    if each.model is None or each.further is not None:
        # Further documents go one way.
        return None
    return inverse.write(draft.mapping, each.model)


def _back(written: Written | None, reveal: str | None) -> dict[str, Any]:
    if written is None:
        return {}
    lost = [
        {"declared": each.declared, **each.problem.model_dump(mode="json", exclude_none=True)}
        for each in written.findings
    ]
    said = {} if reveal is None else {"document": _source_text(written.body)}
    return {"back": {"lost": lost, **said}}


def _print_back(written: Written | None, reveal: str | None) -> None:
    """What the source cannot say; the document itself only to who has said why, for it is no
    canonical one and so cannot be masked.
    """
    if written is None:
        return
    for each in written.findings:
        mark = "as declared" if each.declared else "[bold red]not declared[/]"
        out.print(f"  back: {escape(each.problem.line())} ({mark})", soft_wrap=True)
    if not written.findings:
        out.print("  back: everything arrives as it is")
    if reveal is not None:
        out.print(escape(_source_text(written.body)), soft_wrap=True)


def _source_text(body: Any) -> str:
    if isinstance(body, dict):
        return json.dumps(body, indent=2, ensure_ascii=False, default=str)
    return etree.tostring(body, encoding="unicode", pretty_print=True)


def _number(document: str) -> int | None:
    """The message that is meant, where it is not a file that goes by a number."""
    if document.isascii() and document.isdigit() and not Path(document).exists():
        return int(document) if 0 < int(document) <= NUMBER_MAX else None
    return None


def _attempt(each: Attempt) -> dict[str, Any]:
    return {
        "message": each.message,
        "fact": each.fact,
        "further": each.further,
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

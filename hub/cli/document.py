"""Showing a canonical document and what stands around it, for the commands of every kind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.syntax import Syntax

from hub import finding
from hub.cli.open import reading
from hub.cli.terminal import out, print_json
from hub.cli.way import KINDS, Noun, way

if TYPE_CHECKING:
    from hub.returns import Returned

__all__ = ["show"]


def show(noun: Noun, name: str, *, reveal: str | None, as_json: bool) -> None:
    """Print the document that goes by a name. Raises ``Rejected`` if none or several do."""
    with reading() as (opened, connection):
        fact = finding.resolve(connection, name, systems=opened.systems, kinds=KINDS[noun])
    with way() as hub:
        shown = hub.document(noun, fact, reveal=reveal)
    if as_json:
        print_json(shown.model_dump(mode="json"))
        return
    out.print(f"[bold]{escape(shown.fact)}[/] {shown.kind}, from message {shown.message_id}")
    if shown.voided_by:
        out.print(f"[yellow]voided by[/] {escape(shown.voided_by)}")
    for flag in shown.flags:
        out.print(f"[yellow]{flag.code}[/] {escape(flag.detail)}")
    for link in shown.to:
        state = "" if link.arrived else " [yellow](open: it has not arrived)[/]"
        line = f" line {link.line}" if link.line else ""
        out.print(f"{link.kind} of{line} {escape(link.other)}{state}")
    for link in shown.by:
        out.print(f"named by {escape(link.other)} as {link.kind}")
    for returned_line in shown.returned:
        out.print(f"line {returned_line.number} {escape(_undoes(returned_line))}")
    body = json.dumps(shown.body, indent=2, ensure_ascii=False)
    out.print(Syntax(body, "json", background_color="default", word_wrap=True))


def _undoes(line: Returned) -> str:
    if line.sale is None:
        return "returns something without naming its sale"
    if not line.arrived:
        return f"waits for its sale {line.sale}"
    if line.line is None:
        return f"returns something of {line.sale}, which line of it cannot be told"
    return f"returns line {line.line} of {line.sale}"

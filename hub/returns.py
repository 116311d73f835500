"""Returns: which line of which sale a return line undoes.

A source may name the line, the receipt, or nothing. Within a receipt the line is found by the
numbers the article carries, or by the Item they belong to. What is not found is said, never
guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from hub import finding, reference
from hub.store.tables import document
from schemas.identifier import Identifier
from schemas.transaction import ItemLine, Transaction

__all__ = ["Returned", "returned"]


@dataclass(frozen=True, slots=True)
class Returned:
    """One return line. ``sale`` is empty where the source names none; ``line`` where none fits."""

    number: str
    sale: str | None
    arrived: bool
    line: str | None


def returned(connection: Connection, fact: str) -> list[Returned]:
    """The return lines of a Transaction and the sale lines they undo."""
    this = _transaction(connection, fact)
    if this is None:
        return []
    to, _ = finding.links(connection, fact)
    whole = next((link for link in to if link.kind == "return" and link.line is None), None)
    by_line = {link.line: link for link in to if link.kind == "return" and link.line is not None}
    found = []
    for line in this.lines:
        if not isinstance(line, ItemLine) or line.kind != "return":
            continue
        link = by_line.get(line.number, whole)
        if link is None:
            found.append(Returned(line.number, None, arrived=False, line=None))
            continue
        sale = _transaction(connection, link.other) if link.arrived else None
        sold = None if sale is None else _sold(connection, sale, line)
        found.append(Returned(line.number, link.other, arrived=link.arrived, line=sold))
    return found


def _transaction(connection: Connection, fact: str) -> Transaction | None:
    body = connection.scalar(
        select(document.c.body).where(document.c.fact == fact, document.c.kind == "Transaction")
    )
    return None if body is None else Transaction.model_validate_json(body)


def _sold(connection: Connection, sale: Transaction, line: ItemLine) -> str | None:
    """The one sale line that a return line can mean; several are as good as none."""
    lines = [s for s in sale.lines if isinstance(s, ItemLine) and s.kind == "sale" and s.counts]
    if line.origin is not None and line.origin.line is not None:
        named = [s.number for s in lines if s.number == line.origin.line]
        return named[0] if named else None
    numbers = {(i.kind, i.value) for i in line.item}
    same = [s for s in lines if numbers & {(i.kind, i.value) for i in s.item}]
    if not same:
        item = _item(connection, line.item, sale.system)
        same = [s for s in lines if item and _item(connection, s.item, sale.system) == item]
    return same[0].number if len(same) == 1 else None


def _item(connection: Connection, numbers: tuple[Identifier, ...], system: str) -> str | None:
    return reference.item_of(connection, numbers, system=system)

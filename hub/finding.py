"""Finding things by the names people have for them: a receipt, an order number, a till's day."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select, tuple_

from hub import paging
from hub.causes import NOT_FOUND, SEVERAL
from hub.naming import fact_id
from hub.store.tables import document, hold, link, order_index, transaction_index
from hub.whereabouts import at_stores
from schemas.problem import Problem, Rejected

__all__ = [
    "LIMIT",
    "Link",
    "Shown",
    "links",
    "named",
    "orders",
    "resolve",
    "show",
    "transactions",
]

LIMIT = 50
_NAMED_MAX = 5
_LOOKED_AT_MAX = 500
"""How many things of one name are looked at for those of some stores."""


def resolve(
    connection: Connection,
    text: str,
    *,
    systems: Iterable[str],
    kinds: tuple[str, ...] = (),
    stores: Collection[str] = (),
) -> str:
    """Give the fact id of what a person named: by fact id, by its part after the system, by
    receipt, native id or order number. ``stores`` limit it to what happened at them or at none.

    Raises ``Rejected`` if nothing or more than one thing goes by that name.
    """
    facts = named(connection, text, systems=systems, kinds=kinds, stores=stores, most=_NAMED_MAX)
    if not facts:
        raise Rejected(NOT_FOUND.at("nothing goes by this name"))
    if len(facts) > 1:
        raise Rejected(SEVERAL.at(f"several go by this name: {', '.join(facts)}"))
    return facts[0]


def named(
    connection: Connection,
    text: str,
    *,
    systems: Iterable[str],
    kinds: tuple[str, ...] = (),
    stores: Collection[str] = (),
    most: int,
) -> tuple[str, ...]:
    """The fact ids of up to ``most`` things that go by a name in the most exact way that any do."""
    wanted = [document.c.kind.in_(kinds)] if kinds else []
    # Whole names, so that the index answers; a search for an ending would read every name.
    systems = tuple(systems)
    whole = [f"{s}:{text}" for s in systems] + [fact_id(s, ("order", text)) for s in systems]
    ways: tuple[Select[Any], ...] = (
        select(document.c.fact).where(document.c.fact == text, *wanted),
        select(document.c.fact).where(document.c.fact.in_(whole), *wanted),
        _index_of(transaction_index, "receipt", text, wanted),
        _index_of(transaction_index, "native_id", text, wanted),
        _index_of(order_index, "number", text, wanted),
    )
    for way in ways:
        ordered = way.order_by(document.c.fact).limit(_LOOKED_AT_MAX if stores else most)
        found = connection.scalars(ordered).all()
        if facts := at_stores(connection, found, stores):
            return facts[:most]
    return ()


def _index_of(table: Any, column: str, text: str, wanted: list[Any]) -> Select[Any]:
    joined = select(document.c.fact).join(table, table.c.fact == document.c.fact)
    return joined.where(table.c[column] == text, *wanted)


def transactions(
    connection: Connection,
    *,
    limit: int = LIMIT,
    after: str | None = None,
    stores: Collection[str] = (),
    **filters: str | None,
) -> list[dict[str, Any]]:
    """Transactions by store, workstation, business_date, receipt, status; in order of sequence.

    ``stores`` limit them to these; ``after`` is a cursor made of ``transaction_key``. Raises
    ``Refused`` for one of another list.
    """
    table = transaction_index
    columns = (*table.c, document.c.revenue, document.c.currency, document.c.flags)
    found = select(*columns).join(document, document.c.fact == table.c.fact)
    found = found.where(*(table.c[name] == value for name, value in filters.items() if value))
    if stores:
        found = found.where(table.c.store.in_(stores))
    order = (
        table.c.business_date,
        table.c.store,
        table.c.workstation,
        # Nothing compares with what is absent.
        func.coalesce(table.c.sequence_number, -1),
        table.c.fact,
    )
    if key := paging.key_of(after, str, str, str, int, str):
        found = found.where(tuple_(*order) > key)
    return [dict(row) for row in connection.execute(found.order_by(*order).limit(limit)).mappings()]


def transaction_key(row: dict[str, Any]) -> paging.Key:
    """What ``transactions`` are sorted by."""
    number = -1 if row["sequence_number"] is None else row["sequence_number"]
    return row["business_date"], row["store"], row["workstation"], number, row["fact"]


def orders(
    connection: Connection,
    *,
    limit: int = LIMIT,
    after: str | None = None,
    stores: Collection[str] = (),
    **filters: str | None,
) -> list[dict[str, Any]]:
    """Orders by number, channel, life, payment, fulfilment; the newest first.

    ``stores`` limit them to these and to those that belong to none; ``after`` is a cursor made of
    ``order_key``. Raises ``Refused`` for one of another list.
    """
    table = order_index
    found = select(*table.c, document.c.flags).join(document, document.c.fact == table.c.fact)
    found = found.where(*(table.c[name] == value for name, value in filters.items() if value))
    if stores:
        found = found.where(table.c.store.in_(stores) | table.c.store.is_(None))
    if key := paging.key_of(after, str, str):
        placed, fact = key
        # Said twice, because the first half is what an index can answer.
        found = found.where(table.c.placed_utc <= placed)
        found = found.where((table.c.placed_utc < placed) | (table.c.fact > fact))
    order = (table.c.placed_utc.desc(), table.c.fact)
    return [dict(row) for row in connection.execute(found.order_by(*order).limit(limit)).mappings()]


def order_key(row: dict[str, Any]) -> paging.Key:
    """What ``orders`` are sorted by. The hub places every clock, so each has its instant."""
    return row["placed_utc"] or "", row["fact"]


@dataclass(frozen=True, slots=True)
class Link:
    """One end of a link. ``arrived`` is false while the hub has not seen the other end."""

    kind: str
    other: str
    arrived: bool
    line: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A document with what stands around it."""

    fact: str
    kind: str
    version: str | None
    message_id: int
    flags: list[dict[str, Any]]
    body: dict[str, Any]
    to: list[Link]
    by: list[Link]
    voided_by: str | None


def show(connection: Connection, fact: str) -> Shown:
    """A document, what it names, and what names it. Raises ``Rejected`` if there is none."""
    row = connection.execute(select(document).where(document.c.fact == fact)).mappings().first()
    if row is None:
        raise Rejected(NOT_FOUND.at("nothing goes by this name"))
    voided = select(transaction_index.c.voided_by).where(transaction_index.c.fact == fact)
    to, by = links(connection, fact)
    return Shown(
        fact=fact,
        kind=row["kind"],
        version=row["version"],
        message_id=row["message_id"],
        flags=json.loads(row["flags"] or "[]"),
        body=json.loads(row["body"]),
        to=to,
        by=by,
        voided_by=connection.scalar(voided),
    )


def links(connection: Connection, fact: str) -> tuple[list[Link], list[Link]]:
    """What a document names, and what names it."""
    outward = select(link).where(link.c.from_fact == fact).order_by(link.c.position)
    to = [_outward(connection, fact, row) for row in connection.execute(outward).mappings()]
    inward = select(link).where(link.c.to_fact == fact).order_by(link.c.from_fact, link.c.position)
    by = [
        Link(row["kind"], row["from_fact"], arrived=True, line=row["line"])
        for row in connection.execute(inward).mappings()
    ]
    return to, by


def _outward(connection: Connection, fact: str, row: Any) -> Link:
    """A link by place has its fact id; one by native id or receipt is looked up each time."""
    target = row["to_fact"] or _by_reference(connection, fact, json.loads(row["to_ref"]))
    known = select(document.c.fact).where(document.c.fact == target)
    arrived = target is not None and connection.scalar(known) is not None
    other = target or f"? {', '.join(f'{k} {v}' for k, v in json.loads(row['to_ref']).items())}"
    return Link(row["kind"], other, arrived=arrived, line=row["line"])


def _by_reference(connection: Connection, fact: str, ref: dict[str, str]) -> str | None:
    table = transaction_index
    system = fact.partition(":")[0]
    for column in ("native_id", "receipt"):
        if ref.get(column):
            found = select(table.c.fact).where(
                table.c.system == system, table.c[column] == ref[column]
            )
            facts = connection.scalars(found.limit(2)).all()
            if len(facts) == 1:
                return str(facts[0])
    return None


def problem(connection: Connection, number: int) -> Problem | None:
    """Why a message is held, if it is held now."""
    text = connection.scalar(select(hold.c.problem).where(_held_by(number)))
    return None if text is None else Problem.model_validate_json(text)


def _held_by(number: int) -> ColumnElement[bool]:
    return and_(hold.c.message_id == number, hold.c.released_at.is_(None))

"""Finding things by the names people have for them: a receipt, an order number, a till's day."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, select

from hub.causes import NOT_FOUND, SEVERAL
from hub.store.tables import document, hold, link, message, order_index, record, transaction_index
from schemas.problem import Problem, Rejected

__all__ = ["Link", "Shown", "links", "messages", "orders", "resolve", "show", "transactions"]

LIMIT = 50


def resolve(
    connection: Connection, text: str, *, systems: Iterable[str], kinds: tuple[str, ...] = ()
) -> str:
    """Give the fact id of what a person named: by fact id, by its part after the system, by
    receipt, native id or order number.

    Raises ``Rejected`` if nothing or more than one thing goes by that name.
    """
    wanted = [document.c.kind.in_(kinds)] if kinds else []
    # Whole names, so that the index answers; a search for an ending would read every name.
    whole = [f"{system}:{noun}{text}" for system in systems for noun in ("", "order/")]
    ways: tuple[Select[Any], ...] = (
        select(document.c.fact).where(document.c.fact == text, *wanted),
        select(document.c.fact).where(document.c.fact.in_(whole), *wanted),
        _index_of(transaction_index, "receipt", text, wanted),
        _index_of(transaction_index, "native_id", text, wanted),
        _index_of(order_index, "number", text, wanted),
        _index_of(order_index, "native_id", text, wanted),
    )
    for way in ways:
        facts = connection.scalars(way.distinct().limit(5)).all()
        if len(facts) == 1:
            return str(facts[0])
        if facts:
            raise Rejected(SEVERAL.at(f"several go by this name: {', '.join(facts)}"))
    raise Rejected(NOT_FOUND.at("nothing goes by this name"))


def _index_of(table: Any, column: str, text: str, wanted: list[Any]) -> Select[Any]:
    joined = select(document.c.fact).join(table, table.c.fact == document.c.fact)
    return joined.where(table.c[column] == text, *wanted)


def messages(
    connection: Connection,
    *,
    fact: str | None = None,
    state: str | None = None,
    source: str | None = None,
    file: str | None = None,
    limit: int = LIMIT,
) -> list[dict[str, Any]]:
    """Messages, the newest first, that match every filter given; ``fact`` matches a part of it."""
    columns = (
        message.c.id,
        message.c.state,
        message.c.kind,
        message.c.fact,
        record.c.source,
        record.c.name.label("file"),
        message.c.offset,
        message.c.length,
        message.c.flags,
        record.c.received_at,
        hold.c.code,
    )
    found = select(*columns).join_from(message, record).outerjoin(hold, _held(message.c.id))
    filters = [
        message.c.fact.contains(fact, autoescape=True) if fact else None,
        message.c.state == state if state else None,
        record.c.source == source if source else None,
        record.c.name.contains(file, autoescape=True) if file else None,
    ]
    found = found.where(*(f for f in filters if f is not None))
    rows = connection.execute(found.order_by(message.c.id.desc()).limit(limit)).mappings()
    return [dict(row) for row in rows]


def _held(number: ColumnElement[int]) -> ColumnElement[bool]:
    return and_(hold.c.message_id == number, hold.c.released_at.is_(None))


def transactions(
    connection: Connection, *, limit: int = LIMIT, **filters: str | None
) -> list[dict[str, Any]]:
    """Transactions by store, workstation, business_date, receipt, status; in order of sequence."""
    table = transaction_index
    columns = (*table.c, document.c.revenue, document.c.currency, document.c.flags)
    found = select(*columns).join(document, document.c.fact == table.c.fact)
    found = found.where(*(table.c[name] == value for name, value in filters.items() if value))
    order = (
        table.c.business_date,
        table.c.store,
        table.c.workstation,
        table.c.sequence_number,
        table.c.fact,
    )
    return [dict(row) for row in connection.execute(found.order_by(*order).limit(limit)).mappings()]


def orders(
    connection: Connection, *, limit: int = LIMIT, **filters: str | None
) -> list[dict[str, Any]]:
    """Orders by number, channel, life, payment, fulfilment; the newest first."""
    table = order_index
    found = select(*table.c, document.c.flags).join(document, document.c.fact == table.c.fact)
    found = found.where(*(table.c[name] == value for name, value in filters.items() if value))
    order = (table.c.placed_utc.desc(), table.c.fact)
    return [dict(row) for row in connection.execute(found.order_by(*order).limit(limit)).mappings()]


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

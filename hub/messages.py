"""Messages in the journal, found by the names that people have for what these carry."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from hub import holds, paging
from hub.bootstrap import Hub
from hub.naming import fact_id
from hub.people.profile import profile_of
from hub.store.tables import document, hold, message, order_index, record, transaction_index

__all__ = ["LIMIT", "Sought", "conditions", "first_at", "found", "received_at"]

LIMIT = 50
_FACTS_MAX = 2000
"""More things than these go by no name that anybody would look for."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; a message must fit everything that is given.

    ``fact`` and ``file`` are parts, all else is whole. ``since`` and ``until`` are moments in UTC,
    of fixed width; ``mapping`` is the version that it last went through; ``person`` is the fact id
    of a document of whom it is about.
    """

    fact: str | None = None
    state: str | None = None
    source: str | None = None
    kind: str | None = None
    mapping: str | None = None
    file: str | None = None
    code: str | None = None
    group: str | None = None
    order: str | None = None
    receipt: str | None = None
    store: str | None = None
    workstation: str | None = None
    business_date: str | None = None
    sequence: str | None = None
    since: str | None = None
    until: str | None = None
    person: str | None = None

    @property
    def till(self) -> dict[str, str]:
        """What is said of a receipt at a till, by column."""
        said = {name: getattr(self, name) for name in _TILL}
        return {name: value for name, value in said.items() if value is not None}


_TILL = ("store", "workstation", "business_date", "sequence", "receipt")


def found(
    hub: Hub,
    connection: Connection,
    sought: Sought,
    *,
    limit: int = LIMIT,
    after: str | None = None,
) -> list[dict[str, Any]]:
    """Messages, the newest first.

    ``after`` is a cursor; raises ``Refused`` for one of another list.
    """
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
    held = and_(hold.c.message_id == message.c.id, hold.c.released_at.is_(None))
    rows = select(*columns).join_from(message, record).outerjoin(hold, held)
    rows = rows.where(*_filters(hub, connection, sought))
    if key := paging.key_of(after, int):
        rows = rows.where(message.c.id < key[0])
    ordered = rows.order_by(message.c.id.desc()).limit(limit)
    return [dict(row) for row in connection.execute(ordered).mappings()]


def _filters(hub: Hub, connection: Connection, sought: Sought) -> list[ColumnElement[bool]]:
    filters = conditions(connection, sought)
    facts = _facts(hub, connection, sought)
    if facts is not None:
        # A document may lie in a message that is named for another one: a refund in its order.
        made_from = select(document.c.message_id).where(document.c.fact.in_(facts))
        filters.append(or_(message.c.fact.in_(facts), message.c.id.in_(made_from)))
    return filters


def conditions(connection: Connection, sought: Sought) -> list[ColumnElement[bool]]:
    """What a message must fit, but for the names of what it carries: order, receipt, person."""
    filters = [
        message.c.fact.contains(sought.fact, autoescape=True) if sought.fact else None,
        message.c.state == sought.state if sought.state else None,
        record.c.source == sought.source if sought.source else None,
        message.c.kind == sought.kind if sought.kind else None,
        message.c.mapping == sought.mapping if sought.mapping else None,
        record.c.name.contains(sought.file, autoescape=True) if sought.file else None,
        hold.c.code == sought.code if sought.code else None,
    ]
    if sought.group:
        filters.append(message.c.id.in_(holds.group(connection, sought.group)))
    if sought.since:
        filters.append(message.c.record_id >= first_at(connection, sought.since))
    if sought.until:
        filters.append(message.c.record_id < first_at(connection, sought.until))
    return [each for each in filters if each is not None]


def _facts(hub: Hub, connection: Connection, sought: Sought) -> set[str] | None:
    """The fact ids of what goes by the names that are given; ``None`` without any."""
    named = []
    if sought.person is not None:
        profile = profile_of(connection, sought.person, nobody=hub.nobody(connection))
        named.append(set(profile.facts))
    if sought.order is not None:
        named.append(_orders(connection, sought.order, hub.systems))
    if sought.till:
        named.append(_receipts(connection, sought.till, hub.systems))
    return set.intersection(*named) if named else None


def _orders(connection: Connection, name: str, systems: Collection[str]) -> set[str]:
    """By number or native id; also an order that was never understood, if it is named by this."""
    whole = {fact_id(system, ("order", name)) for system in systems}
    rows = select(order_index.c.fact).where(order_index.c.number == name)
    return whole.union(connection.scalars(rows.limit(_FACTS_MAX)))


def _receipts(connection: Connection, said: dict[str, str], systems: Collection[str]) -> set[str]:
    table = transaction_index
    rows = select(table.c.fact).where(*(table.c[name] == value for name, value in said.items()))
    if said.keys() != {"receipt"}:
        rows = rows.where(table.c.system.in_(systems))
    facts = {*connection.scalars(rows.order_by(table.c.fact).limit(_FACTS_MAX))}
    parts = tuple(said.get(name, "") for name in _TILL[:4])
    if all(parts) and "receipt" not in said:
        # What is held, or tells of no sale, stands in no index; but it has its name.
        facts |= {fact_id(system, parts) for system in systems}
    return facts


def first_at(connection: Connection, moment: str, *, low: int = 1) -> int:
    """The number of the first record, from ``low`` on, that came at a moment or later.

    Records are numbered as they come in, so a few looks at single rows find it.
    """
    high = (connection.scalar(select(func.max(record.c.id))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        at = received_at(connection, middle)
        if at is None or at < moment:
            low = middle + 1
        else:
            high = middle
    return low


def received_at(connection: Connection, number: int) -> str | None:
    """When the first record of this number or a higher one came."""
    rows = select(record.c.received_at).where(record.c.id >= number).order_by(record.c.id)
    return connection.scalar(rows.limit(1))

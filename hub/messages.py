"""Messages in the journal, found by the names that people have for what these carry."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Column, ColumnElement, Connection, Select, and_, func, or_, select

from hub import holds, paging, receipts
from hub.bootstrap import Hub
from hub.naming import fact_id
from hub.people.profile import profile_of
from hub.receipts import NAMES_MAX
from hub.store.tables import document, hold, message, order_index, record, transaction_index
from hub.stretch import (
    MESSAGES_MAX,
    MESSAGES_MAX_ASKED,
    Lead,
    Stretch,
    named,
    numbered,
    of_code,
    of_message,
    of_source,
    of_state,
    stretch,
)

__all__ = ["LIMIT", "Sought", "conditions", "first_at", "found", "look", "received_at"]

LIMIT = 50
_NUMBER_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; a message must fit everything that is given.

    ``fact`` and ``file`` are parts, all else is whole; a ``fact`` that begins with a system of this
    hub is the beginning. ``since`` and ``until`` are moments in UTC,
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
        said = {name: getattr(self, name) for name in receipts.PARTS}
        return {name: value for name, value in said.items() if value is not None}


def found(
    hub: Hub,
    connection: Connection,
    sought: Sought,
    *,
    limit: int = LIMIT,
) -> list[dict[str, Any]]:
    """The newest messages that fit, however far one has to look for them."""
    rows: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        left = limit - len(rows)
        some, cursor = look(hub, connection, sought, limit=left, after=cursor)
        rows += some
        if cursor is None or len(rows) >= limit:
            return rows


def look(
    hub: Hub, connection: Connection, sought: Sought, *, limit: int, after: str | None = None
) -> tuple[list[dict[str, Any]], str | None]:
    """Messages behind a cursor, the newest first, as far as one look goes.

    Beside them the cursor to look on with; ``None`` where nothing is left to look through. Raises
    ``Refused`` for a cursor of another list.
    """
    key = paging.key_of(after, int)
    above, below = _between(connection, sought, None if key is None else cast(int, key[0]))
    criteria = list(_criteria(hub, connection, sought))
    leads = [each.lead for each in criteria if each.lead is not None]
    most = MESSAGES_MAX_ASKED if any(each.asks for each in criteria) else MESSAGES_MAX
    found = stretch(connection, leads, above=above, below=below, most=most)
    if found is None:
        return [], None
    numbers = connection.scalars(_fitting(found, criteria).limit(limit + 1)).all()
    rows = _rows(connection, numbers[:limit])
    onward = numbers[limit - 1] if len(numbers) > limit else found.below
    return rows, None if onward is None else paging.cursor((onward,))


def _between(
    connection: Connection, sought: Sought, below: int | None
) -> tuple[int | None, int | None]:
    """The numbers between which the messages of the time that is given lie."""
    above = None
    if sought.since:
        first = first_of(connection, sought.since)
        # None came since: nothing is above the last one.
        above = first - 1 if first is not None else _NUMBER_MAX
    if sought.until:
        end = first_of(connection, sought.until)
        below = min(end or _NUMBER_MAX, below or _NUMBER_MAX)
    return above, below


@dataclass(frozen=True, slots=True)
class _Criterion:
    """What a message must fit. ``fits`` is said in a way that no index is chosen for.

    ``lead`` is the way along which all messages lie that do. Whatever is not chosen to lead must
    not tempt a database to follow it: it may lead through millions. ``asks`` says that other tables
    are asked about each message.
    """

    lead: Lead | None
    fits: ColumnElement[bool] | None = None
    table: str = "message"
    asks: bool = False


def _criteria(hub: Hub, connection: Connection, sought: Sought) -> Iterator[_Criterion]:
    if sought.state:
        lead = None if sought.state == "applied" else of_state(sought.state)
        yield _Criterion(lead, _same(message.c.state, sought.state))
    if sought.source:
        yield _Criterion(of_source(sought.source), _same(record.c.source, sought.source), "record")
    for column, value in ((message.c.kind, sought.kind), (message.c.mapping, sought.mapping)):
        if value:
            yield _Criterion(of_message(column, value), _same(column, value))
    if sought.code:
        held = and_(_same(hold.c.code, sought.code), hold.c.released_at.is_(None))
        yield _Criterion(of_code(sought.code), held, "hold")
    if sought.group:
        yield _Criterion(numbered(holds.group(connection, sought.group)))
    if sought.file:
        part = record.c.name.contains(sought.file, autoescape=True)
        yield _Criterion(None, part, "record")
    if sought.fact:
        yield _fact(hub, connection, sought.fact)
    yield from _named(hub, connection, sought)


def _same(column: Column[Any], value: str) -> ColumnElement[bool]:
    return func.coalesce(column, "") == value


def _fact(hub: Hub, connection: Connection, text: str) -> _Criterion:
    """By a part of a fact id, or by its beginning if that is a system of this hub."""
    system, colon, _ = text.partition(":")
    if not colon or system not in hub.systems:
        return _Criterion(None, message.c.fact.contains(text, autoescape=True))
    begins = message.c.fact.between(text, text + chr(0x10FFFF))
    few = select(message.c.id).where(begins).limit(NAMES_MAX + 1)
    numbers = connection.scalars(few).all()
    lead = numbered(numbers) if len(numbers) <= NAMES_MAX else None
    return _Criterion(lead, func.substr(message.c.fact, 1, len(text)) == text)


def _named(hub: Hub, connection: Connection, sought: Sought) -> Iterator[_Criterion]:
    """What goes by the names that are given: of an order, of a receipt, of whatever is somebody's.

    Several of them must be the names of one thing.
    """
    facts: list[set[str]] = []
    if sought.person is not None:
        profile = profile_of(connection, sought.person, nobody=hub.nobody(connection))
        facts.append(set(profile.facts))
    if sought.order is not None:
        facts.append(_orders(connection, sought.order, hub.systems))
    if sought.till:
        some = receipts.names(connection, sought.till, hub.systems)
        if some is not None:
            facts.append(some)
        else:
            yield _Criterion(None, _tells_of_receipt(sought.till), asks=True)
    if facts:
        yield _Criterion(named(set.intersection(*facts)))


def _orders(connection: Connection, name: str, systems: Collection[str]) -> set[str]:
    """By number or native id; also an order that was never understood, if it is named by this."""
    whole = {fact_id(system, ("order", name)) for system in systems}
    rows = select(order_index.c.fact).where(order_index.c.number == name)
    return whole.union(connection.scalars(rows.limit(NAMES_MAX)))


def _tells_of_receipt(said: dict[str, str]) -> ColumnElement[bool]:
    """Whether a message, or a document that was last made from it, is one of these receipts."""
    table, fits = transaction_index, receipts.fitting(said)
    mine = document.c.message_id == message.c.id
    goes = select(table.c.fact).where(table.c.fact == message.c.fact, fits)
    made = select(document.c.fact).join(table, table.c.fact == document.c.fact).where(mine, fits)
    # Asked of one message at a time: for EXISTS, PostgreSQL gathers all such receipts that there
    # are before it looks at the first message.
    one = (each.limit(1).scalar_subquery() for each in (goes, made))
    return or_(*(each.is_not(None) for each in one))


def _fitting(found: Stretch, criteria: list[_Criterion]) -> Select[Any]:
    """The numbers along a stretch whose messages fit everything else."""
    others = [each for each in criteria if each.lead is not found.lead]
    asked = {each.table for each in others} | {"message"} if others else set()
    rows, has = found.rows, found.lead.tables
    if asked and "message" not in has:
        rows = rows.join(message, message.c.id == found.lead.number)
    if "record" in asked - has:
        rows = rows.join(record, record.c.id == message.c.record_id)
    if "hold" in asked - has:
        rows = rows.join(hold, hold.c.message_id == message.c.id)
    for each in others:
        fits = each.fits if each.fits is not None else message.c.id.in_(_numbers(each))
        rows = rows.where(fits)
    return rows


def _numbers(criterion: _Criterion) -> Select[Any]:
    assert criterion.lead is not None
    return criterion.lead.rows


def _rows(connection: Connection, numbers: Sequence[int]) -> list[dict[str, Any]]:
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
    chosen = rows.where(message.c.id.in_(numbers)).order_by(message.c.id.desc())
    return [dict(row) for row in connection.execute(chosen).mappings()]


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


def first_of(connection: Connection, moment: str) -> int | None:
    """The number of the first message that came at a moment or later, if any did."""
    since = message.c.record_id >= first_at(connection, moment)
    rows = select(message.c.id).where(since).order_by(message.c.record_id, message.c.position)
    return connection.scalar(rows.limit(1))


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

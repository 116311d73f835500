"""A stretch: how far one look goes through the journal, from the newest message backwards.

What is looked for may be rare, or not be there at all, among millions. So a look goes through so
many messages at most and says where to go on. It follows whatever leads through the fewest of them:
the index of a source, a kind, a version, a state, a cause, or the names that something goes by.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, literal_column, select, union

from hub.store.tables import document, hold, message, record

__all__ = [
    "JOURNAL",
    "MESSAGES_MAX",
    "MESSAGES_MAX_ASKED",
    "Lead",
    "Stretch",
    "named",
    "numbered",
    "of_code",
    "of_message",
    "of_source",
    "of_state",
    "stretch",
]

MESSAGES_MAX = 10_000
"""So many messages are gone through at once: less than a tenth of a second's work."""
MESSAGES_MAX_ASKED = 2_000
"""So many where other tables are asked about each of them."""


@dataclass(frozen=True, slots=True)
class Lead:
    """A way through messages: their numbers, the newest first when sorted by ``order``.

    ``tables`` are those whose columns its rows have. ``few`` says that there are no more of them
    than names that were looked up, so that nobody need count them first.
    """

    rows: Select[Any]
    number: ColumnElement[int]
    order: tuple[ColumnElement[Any], ...]
    tables: frozenset[str] = field(default=frozenset({"message"}))
    few: bool = False

    def within(self, connection: Connection, above: int | None, below: int | None) -> Select[Any]:
        """Its rows with numbers between these two, neither of them among them."""
        rows = self.rows
        if above is not None:
            rows = rows.where(self.number > above)
        if below is not None:
            rows = rows.where(self.number < below)
        return self._of_records(connection, rows, above, below) if self._by_record else rows

    @property
    def _by_record(self) -> bool:
        return "record" in self.tables

    def _of_records(
        self, connection: Connection, rows: Select[Any], above: int | None, below: int | None
    ) -> Select[Any]:
        """Records are numbered as their messages are, so the same ends them."""
        numbers = select(message.c.record_id)
        if above is not None:
            first = numbers.where(message.c.id >= above).order_by(message.c.id).limit(1)
            rows = rows.where(record.c.id >= (connection.scalar(first) or 0))
        if below is not None:
            last = numbers.where(message.c.id < below).order_by(message.c.id.desc()).limit(1)
            rows = rows.where(record.c.id <= (connection.scalar(last) or 0))
        return rows


def of_message(column: Column[Any], value: str) -> Lead:
    """Messages with this in a column that has an index with their numbers."""
    return Lead(JOURNAL.rows.where(column == value), JOURNAL.number, JOURNAL.order)


JOURNAL = Lead(select(message.c.id), message.c.id, (message.c.id.desc(),))
"""All messages."""


def numbered(numbers: Collection[int]) -> Lead:
    """Messages of these numbers."""
    rows = JOURNAL.rows.where(message.c.id.in_(numbers))
    return Lead(rows, JOURNAL.number, JOURNAL.order, few=True)


def of_state(state: str) -> Lead:
    """Messages of a state; those that were applied are so many that they lead nowhere."""
    if state == "applied":
        return JOURNAL
    rows = JOURNAL.rows.where(message.c.state == state)
    if state in ("pending", "held"):
        rows = rows.where(message.c.settled_at.is_(None))
    else:
        # As the index says it, word for word, or it is not used.
        rows = rows.where(message.c.settled_at.is_not(None))
        rows = rows.where(message.c.state != literal_column("'applied'"))
    return Lead(rows, JOURNAL.number, JOURNAL.order)


def of_source(source: str) -> Lead:
    """Messages that came from a source."""
    rows = select(message.c.id).join_from(record, message).where(record.c.source == source)
    order = (record.c.id.desc(), message.c.position.desc())
    return Lead(rows, message.c.id, order, frozenset({"message", "record"}))


def of_code(code: str) -> Lead:
    """Messages that are held for this cause."""
    rows = select(hold.c.message_id).where(hold.c.code == code, hold.c.released_at.is_(None))
    return Lead(rows, hold.c.message_id, (hold.c.message_id.desc(),), frozenset({"hold"}))


def named(facts: Collection[str]) -> Lead:
    """Messages that go by these names, or from which what goes by them was last made."""
    either = union(
        select(message.c.id).where(message.c.fact.in_(facts)),
        # A document may lie in a message that is named for another one: a refund in its order.
        select(document.c.message_id).where(document.c.fact.in_(facts)),
    ).subquery("named")
    order = (either.c.id.desc(),)
    return Lead(select(either.c.id), either.c.id, order, frozenset(), few=True)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some of a way: the rows of its lead. ``below`` is where it goes on, if it does."""

    lead: Lead
    rows: Select[Any]
    below: int | None


def stretch(
    connection: Connection,
    leads: Sequence[Lead],
    *,
    above: int | None,
    below: int | None,
    most: int,
) -> Stretch | None:
    """The newest messages along the lead that goes through the fewest; ``None`` without any.

    A message that is looked for must lie on all of the leads, between the two numbers. The stretch
    has ``most`` messages at most.
    """
    for lead in leads:
        if lead.few:
            rows = lead.within(connection, above, below).order_by(*lead.order)
            return Stretch(lead, rows, None)
    best: tuple[int, int, Lead] | None = None
    for lead in leads or (JOURNAL,):
        rows = lead.within(connection, above, below).order_by(*lead.order)
        first = connection.scalar(rows.limit(1))
        if first is None:
            return None
        # The journal's own numbers have hardly a gap; counting would read whole messages.
        behind = (
            first - most if lead is JOURNAL else connection.scalar(rows.offset(most).limit(1)) or 0
        )
        if best is None or behind < best[0]:
            best = behind, first, lead
    assert best is not None
    behind, first, lead = best
    ends = max(behind, above or 0)
    rows = lead.within(connection, ends, first + 1).order_by(*lead.order)
    return Stretch(lead, rows, ends + 1 if ends > (above or 0) else None)

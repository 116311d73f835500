"""Where and when documents happened, asked for many at a time and without fetching their bodies."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, case, func, select

from hub.store.said import Said
from hub.store.tables import document, link, message, order_index, record, transaction_index

__all__ = ["Whereabouts", "at_stores", "pieces", "whereabouts"]

_AT_ONCE = 400
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """``utc`` is when the hub received it where its source does not date it."""

    fact: str
    kind: str
    store: str | None
    utc: str

    def within(self, stores: Collection[str]) -> bool:
        """Whether somebody limited to these stores may know of it; empty stands for no limit."""
        return not stores or self.store is None or self.store in stores

    @property
    def order(self) -> tuple[str, str]:
        """Sorts by time; a moment without a fraction comes before one with."""
        return self.utc.rstrip("Z"), self.fact


def whereabouts(connection: Connection, facts: Collection[str]) -> list[Whereabouts]:
    """Those of all these documents that the hub has, in the order of time."""
    found = [
        Whereabouts(*row)
        for some in pieces(sorted(facts))
        for row in connection.execute(_SELECTED.where(document.c.fact.in_(some)))
    ]
    return sorted(found, key=lambda each: each.order)


def at_stores(
    connection: Connection, facts: Sequence[str], stores: Collection[str]
) -> tuple[str, ...]:
    """Those of the documents that somebody limited to these stores may know of."""
    if not stores:
        return tuple(facts)
    mine = {each.fact for each in whereabouts(connection, facts) if each.within(stores)}
    return tuple(fact for fact in facts if fact in mine)


def pieces(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """What one statement can ask for at a time."""
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))


_order = order_index.alias("order_of_reversal")
_dated = (
    Said(document.c.body, name, "utc") for name in ("occurred_at", "created_at", "updated_at")
)
# The first that is there is taken, so a body is read only where no index knows.
_store = case(
    (document.c.kind.in_(("Control", "Interaction")), Said(document.c.body, "store")),
    else_=func.coalesce(transaction_index.c.store, order_index.c.store, _order.c.store),
)
_utc = func.coalesce(
    transaction_index.c.occurred_utc, order_index.c.placed_utc, *_dated, record.c.received_at
)
_SELECTED = (
    select(document.c.fact, document.c.kind, _store, _utc)
    .outerjoin(transaction_index, transaction_index.c.fact == document.c.fact)
    .outerjoin(order_index, order_index.c.fact == document.c.fact)
    .outerjoin(link, (link.c.from_fact == document.c.fact) & (link.c.kind == "reversal"))
    .outerjoin(_order, _order.c.fact == link.c.to_fact)
    .join(message, message.c.id == document.c.message_id)
    .join(record, record.c.id == message.c.record_id)
)

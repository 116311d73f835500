"""Standing: what has become of a record's messages so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from hub.store.tables import document, hold, link, message, transaction_index
from schemas.problem import Problem

__all__ = ["Standing", "standing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """``states`` counts messages by state; ``flagged`` ones are applied and worth a look.

    ``totals`` is what the record brought in revenue, per currency: its sales, without those that
    were voided by then, less the earlier sales that it voids. ``problems`` say why messages of it
    are held now, in their order.
    """

    states: Counter[str]
    flagged: int
    totals: dict[str, Decimal] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def standing(connection: Connection, record: int) -> Standing:
    """How the record of this number stands; empty if there is none."""
    mine = message.c.record_id == record
    counted = select(message.c.state, func.count(), func.count().filter(message.c.flags > 0))
    rows = connection.execute(counted.where(mine).group_by(message.c.state)).all()
    held = select(hold.c.problem).join(message, message.c.id == hold.c.message_id)
    held = held.where(mine, message.c.state == "held").order_by(message.c.position)
    return Standing(
        states=Counter({state: count for state, count, _ in rows}),
        flagged=sum(flagged for *_, flagged in rows),
        totals=_totals(connection, record),
        problems=tuple(map(Problem.model_validate_json, connection.scalars(held))),
    )


def _totals(connection: Connection, record: int) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for sign, found in ((1, _sold(record)), (-1, _undone(record))):
        for currency, revenue in connection.execute(found):
            totals[currency] = totals.get(currency, Decimal(0)) + sign * Decimal(revenue)
    return totals


_void, _voiding = document.alias("void"), message.alias("voiding")


def _sold(record: int) -> Select[Any]:
    """Sales of the record. One that a later record voids was sold all the same."""
    return (
        select(document.c.currency, document.c.revenue)
        .join_from(message, document, document.c.message_id == message.c.id)
        .join(transaction_index, transaction_index.c.fact == document.c.fact)
        .outerjoin(_void, _void.c.fact == transaction_index.c.voided_by)
        .outerjoin(_voiding, _voiding.c.id == _void.c.message_id)
        .where(message.c.record_id == record, document.c.revenue.is_not(None))
        .where(_voiding.c.record_id.is_(None) | (_voiding.c.record_id > record))
    )


def _undone(record: int) -> Select[Any]:
    """Sales of earlier records that the record voids."""
    names = and_(link.c.from_fact == _void.c.fact, link.c.kind == "void")
    voided = and_(
        transaction_index.c.fact == link.c.to_fact, transaction_index.c.voided_by == _void.c.fact
    )
    return (
        select(document.c.currency, document.c.revenue)
        .join_from(_voiding, _void, _void.c.message_id == _voiding.c.id)
        .join(link, names)
        .join(transaction_index, voided)
        .join(document, document.c.fact == transaction_index.c.fact)
        .join(message, message.c.id == document.c.message_id)
        .where(_voiding.c.record_id == record, message.c.record_id < record)
        .where(document.c.revenue.is_not(None))
    )

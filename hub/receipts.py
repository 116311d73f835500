"""The names of receipts, worked out from whatever somebody knows of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import Column, ColumnElement, Connection, and_, func, select

from hub.naming import fact_id
from hub.store.tables import transaction_index

__all__ = ["NAMES_MAX", "PARTS", "fitting", "names"]

PARTS = ("store", "workstation", "business_date", "sequence", "receipt")
"""What may be said of a receipt, by column."""

NAMES_MAX = 1000
"""More things than these go by no name that anybody would look for."""

_table = transaction_index.c


def names(
    connection: Connection, said: Mapping[str, str], systems: Collection[str]
) -> set[str] | None:
    """The facts of all receipts of which this is said; ``None`` where they are too many to name.

    Where a store and a sequence number are known, the names are, whether such sales were understood
    or not. However many sales there are, only some thousand rows are read.
    """
    if "receipt" in said:
        return _few(connection, [fitting(said)])
    if "store" not in said:
        return None
    facts: set[str] = set()
    for system in sorted(systems):
        for some in _of_store(connection, system, said):
            if some is None or len(facts) + len(some) > NAMES_MAX:
                return None
            facts |= some
    return facts


def fitting(said: Mapping[str, str]) -> ColumnElement[bool]:
    """What a row of ``transaction_index`` must fit."""
    return and_(*(_table[name] == value for name, value in said.items()))


def _of_store(
    connection: Connection, system: str, said: Mapping[str, str]
) -> Iterator[set[str] | None]:
    """Their facts piece by piece: store, till and day are the beginning of an index."""
    begins = [_table.system == system, _table.store == said["store"]]
    if said.keys() == {"store"}:
        yield _few(connection, begins)
        return
    for till in _said_or_known(connection, said, "workstation", begins):
        of_till = [*begins, _table.workstation == till]
        if "sequence" in said:
            days = _said_or_known(connection, said, "business_date", of_till)
            yield {fact_id(system, (said["store"], till, day, said["sequence"])) for day in days}
        elif "business_date" in said:
            yield _few(connection, [*of_till, _table.business_date == said["business_date"]])
        else:
            yield _few(connection, of_till)


def _few(connection: Connection, wanted: list[ColumnElement[bool]]) -> set[str] | None:
    found = select(_table.fact).where(*wanted).limit(NAMES_MAX + 1)
    facts = {*connection.scalars(found)}
    return facts if len(facts) <= NAMES_MAX else None


def _said_or_known(
    connection: Connection, said: Mapping[str, str], name: str, begins: list[ColumnElement[bool]]
) -> list[str]:
    """What is said, else every value that the column has among rows that begin so."""
    if name in said:
        return [said[name]]
    column: Column[str] = _table[name]
    # From each value to the next one, so that an index is not read but for where these begin.
    each = select(func.min(column).label("value")).where(*begins).cte("each", recursive=True)
    after = select(func.min(column)).where(*begins, column > each.c.value).scalar_subquery()
    all_of_them = each.union_all(select(after).where(each.c.value.is_not(None)))
    known = select(all_of_them.c.value).where(all_of_them.c.value.is_not(None))
    return list(connection.scalars(known.limit(NAMES_MAX + 1)))

"""The hour that a clock shows twice: which of its two readings a sale belongs to, by sequence.

A till counts on while its clock is set back. Of the sales it rang up in the doubled hour, those
up to the step backwards belong to the first reading and those after it to the second. Without a
step backwards nothing tells, and they stay flagged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from hub import placing
from hub.store.tables import document, transaction_index
from schemas.transaction import Transaction

__all__ = ["go_by_sequence"]


def go_by_sequence(connection: Connection, facts: Iterable[str]) -> None:
    """Place the sales of the doubled hour of every till that one of these Transactions is from."""
    table = transaction_index
    columns = (table.c.system, table.c.store, table.c.workstation, table.c.business_date)
    tills = select(*columns).where(table.c.fact.in_(list(facts))).distinct()
    for till in connection.execute(tills).all():
        mine = [column == value for column, value in zip(columns, till, strict=True)]
        rows = connection.execute(
            select(table.c.fact, document.c.flags, document.c.body)
            .join(document, document.c.fact == table.c.fact)
            .where(*mine, table.c.sequence_number.is_not(None))
            .order_by(table.c.sequence_number, table.c.fact)
        )
        changed = list(_changed(rows.all()))
        if changed:
            _write(connection, changed)


def _changed(rows: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """The rows of one till whose reading can be told, with what they become."""
    doubled = []
    for fact, flags, text in rows:
        body = json.loads(text)
        moment = body["occurred_at"]
        if "offset" not in moment and placing.is_doubled(moment["local"], moment["zone"]):
            doubled.append((fact, flags, body))
    locals_ = [body["occurred_at"]["local"] for _, _, body in doubled]
    step = next((i for i in range(1, len(locals_)) if locals_[i] < locals_[i - 1]), None)
    if step is None:
        return
    for position, (fact, flags, body) in enumerate(doubled):
        moment = body["occurred_at"]
        moment["utc"] = placing.reading(moment["local"], moment["zone"], late=position >= step)
        kept = [f for f in json.loads(flags or "[]") if not _is_doubt(f)]
        yield {
            "this": fact,
            "body": Transaction.model_validate(body).model_dump_json(exclude_none=True),
            "flags": json.dumps(kept) if kept else None,
            "utc": moment["utc"],
        }


def _is_doubt(flag: dict[str, str]) -> bool:
    return flag["code"] == placing.AMBIGUOUS.code and flag["path"] == "occurred_at"


def _write(connection: Connection, rows: list[dict[str, Any]]) -> None:
    body = update(document).where(document.c.fact == bindparam("this"))
    connection.execute(body.values(body=bindparam("body"), flags=bindparam("flags")), rows)
    index = update(transaction_index).where(transaction_index.c.fact == bindparam("this"))
    connection.execute(index.values(occurred_utc=bindparam("utc")), rows)

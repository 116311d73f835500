"""Placing documents again when their store's Location becomes known, or its zone changes.

The source's wall clock and offset are kept in every moment, so nothing has to be received again.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from hub import folds, placing, reference
from hub.naming import fact_id
from hub.reference import Loaded
from hub.sheet import File
from hub.store.tables import document, location, transaction_index
from mappings.times import as_moment
from schemas.envelope import DOCUMENTS, Flag

__all__ = ["load_locations"]

_TIME = frozenset(
    cause.code for cause in (placing.DISAGREES, placing.AMBIGUOUS, placing.NONEXISTENT)
)


def load_locations(connection: Connection, file: File) -> Loaded:
    """Load Locations from a CSV file and place what came from their stores before.

    Raises ``ConfigError`` naming file, line and column, with nothing loaded.
    """
    loaded = reference.load_locations(connection, file)
    if loaded.added or loaded.changed:
        places = select(location.c.system, location.c.store, location.c.zone)
        for system, store, zone in connection.execute(places).all():
            _place_store(connection, system, store, zone)
    return loaded


def _place_store(connection: Connection, system: str, store: str, zone: str) -> None:
    of_store = fact_id(system, (store,))
    found = (
        select(document.c.fact, document.c.kind, document.c.flags, document.c.body)
        # What begins with the store and a stroke; "0" is the character after the stroke. LIKE would
        # take a store "a1" for the store "A1" in one database and not in the other.
        .where(document.c.fact >= f"{of_store}/", document.c.fact < f"{of_store}0")
        .where(document.c.body.not_like(f'%"zone":"{zone}"%'))
    )
    rows = [_placed(*row, zone=zone) for row in connection.execute(found)]
    for start in range(0, len(rows), 500):
        _write(connection, rows[start : start + 500])
    doubled = [row["this"] for row in rows if placing.AMBIGUOUS.code in (row["flags"] or "")]
    for start in range(0, len(doubled), 500):
        folds.go_by_sequence(connection, doubled[start : start + 500])


def _write(connection: Connection, rows: list[dict[str, Any]]) -> None:
    body = update(document).where(document.c.fact == bindparam("this"))
    connection.execute(body.values(body=bindparam("body"), flags=bindparam("flags")), rows)
    index = update(transaction_index).where(transaction_index.c.fact == bindparam("this"))
    connection.execute(index.values(occurred_utc=bindparam("utc")), rows)


def _placed(fact: str, kind: str, flags: str | None, body: str, *, zone: str) -> dict[str, Any]:
    values = DOCUMENTS[kind].model_validate_json(body).model_dump(exclude_none=True)
    kept = [flag for flag in json.loads(flags or "[]") if flag["code"] not in _TIME]
    for name, moment in values.items():
        if isinstance(moment, dict) and "local" in moment:
            again = values[name] = as_moment(moment["local"] + moment.get("offset", ""))
            if moment.get("zone_origin") == "source" and "zone" in moment:
                # The mapping said so, whatever the Location says.
                again["zone"] = moment["zone"]
            found: list[Flag] = placing.place(again, zone=zone, located=True, path=name)
            kept += [flag.model_dump() for flag in found]
    model = DOCUMENTS[kind].model_validate(values)
    return {
        "this": fact,
        "body": model.model_dump_json(exclude_none=True),
        "flags": json.dumps(kept) if kept else None,
        "utc": values["occurred_at"].get("utc"),
    }

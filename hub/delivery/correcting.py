"""Corrections: what a destination hears of a thing that it was told of before.

Who keeps the state of things is told the new one, and that is all (``upsert``). Who only adds is
told first that what it was told does not hold, by its id, and then the new one (``append``). Who
needs to hear once hears nothing more (``never``).

Whether something was told is known once it was answered. What is still open may be given up, so a
reversal is written behind what it reverses, and looked at again when its turn comes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, select

from hub.store.tables import delivery
from schemas.envelope import model_name

if TYPE_CHECKING:
    from hub.delivery.outbox import News
    from hub.settings import Destination

__all__ = ["corrected", "needless", "reversal"]

NEVER_TOLD = "what it takes back was never told"
TOLD_ONCE = "the destination was told of it before, and hears of no corrections"

_AT_ONCE = 500
_SEEN = (
    "key",
    "destination",
    "subject",
    "state",
    "attempted_at",
    "done_at",
    "told_at",
    "reverses",
)

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Stands:
    """What a destination holds of a subject, or will once it was told what is open.

    ``key`` names the last of it, unless that is taken back already.
    """

    key: str | None
    told: bool


def corrected(
    connection: Connection, news: list[News], destinations: Mapping[str, Destination]
) -> list[News]:
    """The news as each destination is to hear them, in their order."""
    asks = {
        each.destination for each in news if destinations[each.destination].corrections != "upsert"
    }
    if not asks:
        return news
    subjects = {each.subject for each in news if each.destination in asks}
    stands = _standing(connection, subjects, {name: destinations[name] for name in asks})
    heard: list[News] = []
    for each in news:
        pair = (each.destination, each.subject)
        how, before = destinations[each.destination].corrections, stands.get(pair)
        if how == "never" and before is not None and before.told:
            continue
        if how == "append":
            if before is not None and before.key is not None:
                key = _key_of(before.key)
                heard.append(replace(each, key=key, content=None, reverses=before.key))
            stands[pair] = _Stands(each.key, told=False)
        heard.append(each)
    return heard


def _standing(
    connection: Connection, subjects: Iterable[str], destinations: Mapping[str, Destination]
) -> dict[Pair, _Stands]:
    wanted = sorted(subjects)
    found: dict[Pair, _Stands] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        rows = (
            select(*(delivery.c[name] for name in _SEEN))
            .where(delivery.c.subject.in_(wanted[start : start + _AT_ONCE]))
            .where(delivery.c.destination.in_(list(destinations)))
            .order_by(delivery.c.id)
        )
        for row in connection.execute(rows).mappings():
            pair = (row["destination"], row["subject"])
            before = found.get(pair, _Stands(None, told=False))
            if row["reverses"] is not None:
                back = before.key == row["reverses"]
                found[pair] = _Stands(None if back else before.key, before.told)
            elif _holds(row, destinations[row["destination"]]):
                told = before.told or row["told_at"] is not None
                found[pair] = _Stands(row["key"], told)
    return found


def _holds(row: RowMapping, to: Destination) -> bool:
    """Whether the destination was told this, or will be, whatever comes after it."""
    if row["told_at"] is not None:
        return True
    replaced = to.mode == "latest" and row["state"] == "waiting" and row["attempted_at"] is None
    return row["done_at"] is None and not replaced


def _key_of(reversed_key: str) -> str:
    """The name of a reversal, of which each delivery has one at most."""
    said = json.dumps(["reversal", reversed_key])
    return f"msg_{hashlib.sha256(said.encode()).hexdigest()[:40]}"


def needless(connection: Connection, row: RowMapping, to: Destination) -> str | None:
    """Why a delivery whose turn has come need not be made; ``None`` if it must be."""
    if row["reverses"] is not None:
        told = select(delivery.c.told_at).where(delivery.c.key == row["reverses"])
        return NEVER_TOLD if connection.scalar(told) is None else None
    if to.corrections != "never" or row["told_at"] is not None:
        return None
    before = (
        select(delivery.c.id)
        .where(delivery.c.subject == row["subject"])
        .where(delivery.c.destination == row["destination"])
        .where(delivery.c.told_at.is_not(None))
    )
    return TOLD_ONCE if connection.execute(before.limit(1)).first() else None


def reversal(row: RowMapping) -> dict[str, Any]:
    """What a reversal says: of which fact, and by its id what does not hold any more."""
    return {
        "kind": row["kind"],
        "model": f"{model_name(row['kind'])}.reversed",
        "fact": row["subject"],
        "reverses": row["reverses"],
    }

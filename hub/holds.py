"""Holds: parked messages with their reasons, and what a person decides about them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from hub import audit, journal, paging, waiting
from hub.bootstrap import Hub
from hub.causes import NOT_HELD
from hub.fingerprint import fingerprint
from hub.journal import Stored
from hub.settle import Settled, settle
from hub.store.tables import hold, message, record
from schemas.problem import Problem, Rejected

__all__ = ["discard", "group", "held", "held_message", "release", "release_group", "release_in"]


def held(
    connection: Connection,
    *,
    code: str | None = None,
    limit: int | None = None,
    after: str | None = None,
) -> list[dict[str, Any]]:
    """What is held now, the oldest first; ``after`` is a cursor.

    Each has its whole ``problem``, and the ``fingerprint`` that it shares with others.
    Raises ``Refused`` for a cursor of another list.
    """
    columns = (
        hold.c.message_id,
        hold.c.code,
        hold.c.problem,
        hold.c.held_at,
        hold.c.waits_on,
        record.c.source,
        record.c.connector,
        record.c.name.label("file"),
        message.c.offset,
        message.c.length,
    )
    found = (
        select(*columns)
        .join(message, message.c.id == hold.c.message_id)
        .join(record, record.c.id == message.c.record_id)
        .where(message.c.state == "held", message.c.settled_at.is_(None))
        .order_by(hold.c.message_id)
    )
    if code is not None:
        found = found.where(hold.c.code == code)
    if key := paging.key_of(after, int):
        found = found.where(hold.c.message_id > key[0])
    return [_row(row) for row in connection.execute(found.limit(limit)).mappings()]


def _row(row: RowMapping) -> dict[str, Any]:
    problem = Problem.model_validate_json(row["problem"])
    values = {name: row[name] for name in row if name != "connector"}
    name = fingerprint(problem, row["connector"])
    return {**values, "problem": problem, "fingerprint": name}


def group(connection: Connection, name: str) -> list[int]:
    """The numbers of what is held under a fingerprint, the oldest first."""
    return [row["message_id"] for row in held(connection) if row["fingerprint"] == name]


def release(hub: Hub, numbers: Iterable[int], *, actor: str, replace: bool = False) -> Settled:
    """Send held messages through the mapping in force, in the order they came.

    ``replace`` lets a fact stand that came before with other content. What fails again is held
    again; which stores its sender may send for is no reason any more. What waits behind them
    follows in the same transaction, in the order it came. Raises ``Rejected`` if one of them is not
    held; then none is released.
    """
    with hub.engine.begin() as connection:
        return release_in(hub, connection, numbers, actor=actor, replace=replace)


def release_group(
    hub: Hub, name: str, *, after: int, limit: int, actor: str, replace: bool = False
) -> tuple[int | None, Settled]:
    """Release the next messages of a group behind ``after``, in the order they came.

    Gives the last of them, ``None`` where there are no more, and what became of them. What follows
    by itself meanwhile, or is released by somebody else, is no part of it any more.
    """
    with hub.engine.begin() as connection:
        some = [number for number in group(connection, name) if number > after][:limit]
        if not some:
            return None, Settled()
        return some[-1], release_in(hub, connection, some, actor=actor, replace=replace)


def release_in(
    hub: Hub,
    connection: Connection,
    numbers: Iterable[int],
    *,
    actor: str,
    replace: bool = False,
) -> Settled:
    """What ``release`` does, in a transaction of the caller."""
    now = hub.now()
    chosen = [held_message(connection, number) for number in sorted(numbers)]
    for stored in chosen:
        _audited(connection, actor, "hold.release", stored.id, {"replace": replace}, now=now)
    free = [dataclasses.replace(stored, stores=None) for stored in chosen]
    settled = _released(hub, connection, free, now=now, replace=replace)
    settled.add(_follow(hub, connection, _ended(settled), actor=actor, now=now))
    return settled


def discard(hub: Hub, numbers: Iterable[int], *, actor: str, reason: str) -> Settled:
    """Give held messages up; they stay in the journal. What waits behind them goes on.

    Gives what became of them and of what waited. Raises ``Rejected`` if one of them is not held;
    then none is discarded.
    """
    with hub.engine.begin() as connection:
        now = hub.now()
        settled = Settled()
        for stored in [held_message(connection, number) for number in sorted(numbers)]:
            detail = {"reason": reason}
            _audited(connection, actor, "hold.discard", stored.id, detail, now=now)
            done = {"number": stored.id, "state": "discarded", "settled_at": now}
            journal.settle(connection, [done])
            _close(connection, stored.id, "discarded", now=now)
            settled.states[stored.id] = "discarded"
        settled.add(_follow(hub, connection, _ended(settled), actor=actor, now=now))
    return settled


def _released(
    hub: Hub, connection: Connection, chosen: list[Stored], *, now: str, replace: bool = False
) -> Settled:
    settled = settle(connection, chosen, hub.translator, now, replace=replace)
    for number in _ended(settled):
        _close(connection, number, settled.states[number], now=now)
    return settled


def _follow(hub: Hub, connection: Connection, ended: list[int], *, actor: str, now: str) -> Settled:
    """Settle what waited behind messages that are held no more, and what waited behind that."""
    total = Settled()
    while found := waiting.followers(connection, ended):
        chosen = [held_message(connection, number) for number in found]
        for number, cause in found.items():
            _audited(connection, actor, "hold.follow", number, {"behind": cause}, now=now)
        settled = _released(hub, connection, chosen, now=now)
        total.add(settled)
        ended = _ended(settled)
    return total


def _ended(settled: Settled) -> list[int]:
    """The messages that are held no more."""
    return [number for number, state in settled.states.items() if state != "held"]


def held_message(connection: Connection, number: int) -> Stored:
    """A message that is held. Raises ``Rejected`` if it is not."""
    stored = journal.entry(connection, number)
    if stored is None or stored.state != "held":
        raise Rejected(NOT_HELD.at(f"message {number} is not held"))
    return stored


def _close(connection: Connection, number: int, outcome: str, *, now: str) -> None:
    done = update(hold).where(hold.c.message_id == number)
    connection.execute(done.values(released_at=now, outcome=outcome))


def _audited(
    connection: Connection, actor: str, act: str, number: int, detail: dict[str, Any], *, now: str
) -> None:
    subject = f"message {number}"
    audit.write(connection, actor=actor, act=act, subject=subject, detail=detail, now=now)

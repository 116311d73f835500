"""A plan of a replay: how many messages and documents, which, and what destinations hear of it.

It reads and changes nothing. What it counts is what the job then goes through, unless more is
applied or published meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from hub import library
from hub.bootstrap import Hub
from hub.jobs.ask import JOINED, Ask, conditions, numbers, outdated, settled
from hub.publication import Target, targets
from hub.store.tables import document, message, record

__all__ = ["Effect", "Part", "Plan", "Sample", "affected", "plan"]

SAMPLES = 10


@dataclass(frozen=True, slots=True)
class Part:
    """Documents of one source, kind of message and kind of document.

    ``outdated`` of them were made by another version than the one in force.
    """

    source: str
    message: str | None
    kind: str
    documents: int
    outdated: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One of the messages."""

    id: int
    source: str
    kind: str | None
    fact: str | None


@dataclass(frozen=True, slots=True)
class Effect:
    """What a destination hears of it."""

    destination: str
    mode: str
    corrections: str
    effects: str
    deliveries: int
    """At most so many: what is made as it was is not told. To who only adds, a reversal and the
    new one for each document."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job for this ask would do. ``last`` is the last message that there was.

    ``removed`` counts documents that stay as they are, since what they were made of was removed.
    """

    ask: Ask
    last: int
    messages: int
    removed: int
    parts: tuple[Part, ...]
    sample: tuple[Sample, ...]
    destinations: tuple[Effect, ...]

    @property
    def documents(self) -> int:
        """How many documents would be made again."""
        return sum(part.documents for part in self.parts)

    @property
    def outdated(self) -> int:
        """How many of them another version made than the one in force."""
        return sum(part.outdated for part in self.parts)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "asked": self.ask.said(),
            "messages": self.messages,
            "documents": self.documents,
            "outdated": self.outdated,
            "removed": self.removed,
            "parts": [asdict(each) for each in self.parts],
            "sample": [asdict(each) for each in self.sample],
            "destinations": [asdict(each) for each in self.destinations],
        }


def plan(hub: Hub, connection: Connection, ask: Ask) -> Plan:
    """What would be made again. Raises ``Refused`` where nothing says which messages."""
    ask = settled(hub, connection, ask)
    last = connection.scalar(select(func.max(message.c.id))) or 0
    parts = tuple(_parts(hub, connection, ask, last))
    first = numbers(hub, connection, ask, after=0, last=last, limit=SAMPLES)
    rows = (
        select(message.c.id, record.c.source, message.c.kind, message.c.fact)
        .join_from(message, record)
        .where(message.c.id.in_(first))
        .order_by(message.c.id)
    )
    return Plan(
        ask=ask,
        last=last,
        messages=_count(hub, connection, ask, last, message.c.id.distinct()),
        removed=_count(hub, connection, ask, last, document.c.fact, seen=False),
        parts=parts,
        sample=tuple(Sample(*row) for row in connection.execute(rows)),
        destinations=tuple(_effects(hub, ask, parts)),
    )


def affected(connection: Connection, target: Target) -> int:
    """How many documents of a mapping another version made than the one in force."""
    rows = select(func.count()).join_from(document, message, _MADE)
    rows = rows.where(message.c.removed_at.is_(None))
    return connection.scalar(rows.where(*outdated(connection, Ask(target=target)))) or 0


def _count(
    hub: Hub, connection: Connection, ask: Ask, last: int, what: Any, *, seen: bool = True
) -> int:
    old = outdated(connection, ask)
    rows = select(func.count(what)).select_from(JOINED.join(document, _MADE))
    parts = conditions(hub, connection, ask, after=0, last=last, seen=seen)
    return sum(connection.scalar(rows.where(*part, *old)) or 0 for part in parts)


_MADE = document.c.message_id == message.c.id


def _parts(hub: Hub, connection: Connection, ask: Ask, last: int) -> Iterator[Part]:
    columns = (record.c.source, message.c.kind, document.c.kind, document.c.mapping)
    rows = select(*columns, func.count()).select_from(JOINED.join(document, _MADE))
    rows = rows.where(*outdated(connection, ask)).group_by(*columns)
    in_force = _in_force(hub, connection)
    counts: dict[tuple[str, str | None, str], list[int]] = {}
    for part in conditions(hub, connection, ask, after=0, last=last):
        for source, of, kind, mapping, count in connection.execute(rows.where(*part)):
            found = counts.setdefault((source, of, kind), [0, 0])
            found[0] += count
            found[1] += 0 if mapping in in_force else count
    for key in sorted(counts, key=lambda key: (key[0], key[1] or "", key[2])):
        yield Part(*key, *counts[key])


def _in_force(hub: Hub, connection: Connection) -> set[str]:
    connectors = {source.connector for source in hub.settings.sources.values()}
    found = (library.in_force(connection, t.connector, t.kind) for t in targets(connectors))
    return {mapping.version for mapping in found}


def _effects(hub: Hub, ask: Ask, parts: tuple[Part, ...]) -> Iterator[Effect]:
    """Who can replace or take back what it was told hears of corrections, and nobody else."""
    systems = {name: source.system for name, source in hub.settings.sources.items()}
    for name, to in sorted(hub.settings.destinations.items()):
        how = (name, to.mode, to.corrections)
        if ask.effects == "none" or not to.hears_replays:
            yield Effect(*how, "none", 0)
            continue
        told = sum(
            part.documents
            for part in parts
            if (not to.kinds or part.kind in to.kinds)
            and (to.system is None or systems.get(part.source) != to.system)
        )
        yield Effect(*how, "corrections", 2 * told if to.corrections == "append" else told)

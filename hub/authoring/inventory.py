"""The inventory: every mapping of the configured sources, and what is in force of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from hub import library, publication
from hub.publication import Publication, Target
from hub.store.tables import message

__all__ = ["RECENT", "Standing", "inventory"]

RECENT = 1000
"""Of so many messages, the newest, it is told how many went through a version: that costs the same
however long the journal is."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is in force for a kind of message; ``line`` is missing where no hub has run yet."""

    target: Target
    version: str
    line: Publication | None
    shipped: str
    recent: int
    """How many of the newest messages it made something of."""

    @property
    def own(self) -> bool:
        """Whether it is the retailer's own."""
        return self.line is not None and self.line.own

    @property
    def shipped_changed(self) -> bool:
        """Whether Lynchpin ships another text by now than when this one was put in force."""
        return self.line is not None and self.line.own and self.line.shipped != self.shipped


def inventory(connection: Connection, connectors: Collection[str]) -> list[Standing]:
    """Every kind of message of these connectors, in the order of their names."""
    newest = select(message.c.mapping).order_by(message.c.id.desc()).limit(RECENT).subquery()
    counts = select(newest.c.mapping, func.count()).group_by(newest.c.mapping)
    recent = {row[0]: row[1] for row in connection.execute(counts)}
    found = []
    for target in publication.targets(connectors):
        line = publication.current(connection, target)
        shipped = library.shipped(target.connector, target.kind).version
        version = line.hash if line is not None else shipped
        found.append(Standing(target, version, line, shipped, recent.get(version, 0)))
    return found

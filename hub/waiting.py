"""Waiting: what names a held message as its cause waits behind it, and follows it by itself.

A later snapshot of the same thing waits, so that its versions are applied in the order they came,
and so does a refund or cancellation of an order. A Transaction waits for nothing: what it names may
never arrive, and a till must not stand still for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from hub.effects import Effects
from hub.store.tables import hold, message
from hub.translate import Named
from schemas.problem import Cause

__all__ = ["BEHIND", "Queue", "followers"]

BEHIND = Cause(
    "LP-HUB-022",
    "The message waits behind an earlier one that is held.",
    "Mend and release that one, or discard it; what waits behind it then follows by itself.",
)


@dataclass(slots=True)
class Queue:
    """The held messages of things, as they are while a batch is under way."""

    connection: Connection
    _held: dict[str, set[int]] = field(default_factory=dict)

    def learn(self, named: Iterable[Named]) -> None:
        """Look up what is held of these things, all in one statement."""
        self._learn(each.fact for each in named if each.name.kind == "snapshot")

    def _learn(self, facts: Iterable[str]) -> None:
        new = [fact for fact in set(facts) if fact not in self._held]
        if not new:
            # Most messages have nothing to look up, and putting a question together takes time.
            return
        self._held.update((fact, set()) for fact in new)
        open_ones = message.c.settled_at.is_(None) & (message.c.state == "held")
        for start in range(0, len(new), 500):
            chosen = open_ones & message.c.fact.in_(new[start : start + 500])
            for number, fact in self.connection.execute(
                select(message.c.id, message.c.fact).where(chosen)
            ):
                self._held[fact].add(number)

    def cause(self, number: int, named: Iterable[Named]) -> int | None:
        """The first held message that came before this one and is of one of the same things."""
        return self._first(number, (each.fact for each in named))

    def cause_of_reversals(self, number: int, ready: Iterable[Effects]) -> int | None:
        """The first held message that came before and is of an order that these reverse."""
        orders = [one.reverses for one in ready if one.reverses is not None]
        self._learn(orders)
        return self._first(number, orders)

    def _first(self, number: int, facts: Iterable[str]) -> int | None:
        earlier = (n for fact in facts for n in self._held.get(fact, ()) if n < number)
        return min(earlier, default=None)

    def parked(self, named: Named | None, number: int) -> None:
        """A message is about to be held; ``named`` is its principal, if it could be read."""
        if named is not None and named.name.kind == "snapshot":
            self._learn([named.fact])
            self._held[named.fact].add(number)

    def settled(self, named: Named, number: int) -> None:
        """A message is not held any more, or never was."""
        self._held.get(named.fact, set()).discard(number)


def followers(connection: Connection, causes: Iterable[int]) -> dict[int, int]:
    """The held messages that wait behind these, in the order they came, with what each waits on."""
    numbers = list(causes)
    found: dict[int, int] = {}
    for start in range(0, len(numbers), 500):
        waiting = (
            select(hold.c.message_id, hold.c.waits_on)
            .join(message, message.c.id == hold.c.message_id)
            .where(hold.c.waits_on.in_(numbers[start : start + 500]))
            .where(message.c.settled_at.is_(None), message.c.state == "held")
        )
        found.update((number, cause) for number, cause in connection.execute(waiting))
    return dict(sorted(found.items()))

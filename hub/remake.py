"""Remaking: the documents of messages are made again by the mappings in force.

Only the message that a document was last made from makes it again, so a snapshot keeps its place
among the others; what a message is called, and whether it is the same fact, is the connector's and
stays. A message that fails in the version in force leaves its documents as they were, and so does
one on which Lynchpin itself fails, while the rest goes on. Done twice, the second time changes
nothing.

A further document that the version in force finds, and nobody has yet, comes with the document that
it lies in. One that it does not find any more stays as it was: it was true when it came.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from hub import journal
from hub.apply import CONFLICT, SAME_VERSION, Batch
from hub.bootstrap import Hub
from hub.delivery.outbox import envelope
from hub.effects import effects_of
from hub.failure import place_of
from hub.journal import STORED, Stored
from hub.naming import further_kind
from hub.store.tables import document, message
from hub.translate import Named, Translated
from schemas.envelope import Flag
from schemas.problem import Cause, LynchpinError, Problem, Rejected

__all__ = ["FAILED", "Remade", "remake"]

FAILED = Cause(
    "LP-HUB-031",
    "Lynchpin itself failed on this message; its documents stay as they were.",
    "Report it with the place named here; replay again after an update.",
)

PROBLEMS_MAX = 20

Row = dict[str, Any]
Standing = dict[int, dict[str, Row]]
"""The documents of each message, whole, by their facts."""


@dataclass(slots=True)
class Remade:
    """What was made again, and why the documents of how many messages stay as they were.

    ``remade`` documents are otherwise than before, if only by the version that made them;
    ``added`` are further ones that were not there before, ``left`` those that stay because the
    version in force does not make them any more; they count as ``unchanged``, too. ``told`` counts
    deliveries of corrections.
    """

    messages: int = 0
    remade: int = 0
    unchanged: int = 0
    failed: int = 0
    added: int = 0
    left: int = 0
    told: int = 0
    problems: dict[int, Problem] = field(default_factory=dict)
    changed: list[Row] = field(default_factory=list)
    """The rows that say something else now, or are new: others are only made by another version."""

    def fail(self, number: int, problem: Problem) -> None:
        """Note that the documents of a message stay as they were; of the first ones, why."""
        self.failed += 1
        if len(self.problems) < PROBLEMS_MAX:
            self.problems[number] = problem

    def add(self, other: Remade) -> None:
        """Take over what others came to."""
        for name in ("messages", "remade", "unchanged", "failed", "added", "left", "told"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for number in list(other.problems)[: PROBLEMS_MAX - len(self.problems)]:
            self.problems[number] = other.problems[number]
        self.changed += other.changed


def remake(
    hub: Hub,
    connection: Connection,
    numbers: list[int],
    kinds: Collection[str] | None = None,
    *,
    told_by: str | None = None,
) -> Remade:
    """Make the documents of messages again, as they came; of these kinds of message, or of all.

    Destinations hear of it only ``told_by`` somebody, whose name a correction then carries.
    One on which Lynchpin itself fails does so alone. The caller commits. Raises
    ``OperationalError`` where the database is in trouble.
    """
    done = Remade()
    try:
        with connection.begin_nested():
            found = _Making(hub, connection, kinds).together(numbers)
            if told_by is not None and hub.outbox is not None:
                found.told = hub.outbox.correct(connection, found.changed, told_by)
            return found
    except OperationalError:
        # The database is in trouble, not a message.
        raise
    except Exception as error:  # noqa: BLE001
        if len(numbers) == 1:
            done.messages = 1
            done.fail(numbers[0], FAILED.at(place_of(error)))
            return done
    for number in numbers:
        done.add(remake(hub, connection, [number], kinds, told_by=told_by))
    return done


def _says(row: Row | None) -> str | None:
    return None if row is None else envelope(row)


class _Making:
    """Documents of some messages on their way to be made again."""

    def __init__(self, hub: Hub, connection: Connection, kinds: Collection[str] | None) -> None:
        self._hub, self._connection, self._kinds = hub, connection, kinds
        self._batch = Batch(connection)
        self._before: Standing = {}
        self._made: dict[int, list[Named]] = {}
        self._done = Remade()

    def together(self, numbers: list[int]) -> Remade:
        """Make them all, and compare what stands then with what stood before."""
        self._before = self._standing(numbers)
        chosen = STORED.where(message.c.id.in_(numbers)).order_by(message.c.id)
        for row in self._connection.execute(chosen).all():
            self._message(journal.stored(self._connection, row))
        self._batch.flush()
        self._compare(self._standing(list(self._made)))
        self._done.messages = len(numbers)
        return self._done

    def _standing(self, numbers: list[int]) -> Standing:
        """The documents that were last made from each of these messages."""
        rows: Standing = {number: {} for number in numbers}
        chosen = select(document).where(document.c.message_id.in_(numbers))
        for row in self._connection.execute(chosen.order_by(document.c.fact)).mappings():
            rows[row["message_id"]][row["fact"]] = dict(row)
        return rows

    def _message(self, entry: Stored) -> None:
        """Queue the documents that are still those of a message, and further ones to come."""
        # Which stores its sender may send for was decided when it came.
        stored = dataclasses.replace(entry, stores=None)
        translator = self._hub.translator(self._connection, stored)
        try:
            named = [n for n in translator.named(stored) if self._is_asked(n.document.kind)]
            self._batch.learn(each.fact for each in named)
            mine = [n for n in named if self._stands(n, stored) or self._comes(n, stored)]
            ready = [translator.translated(stored, each) for each in mine]
        except LynchpinError as error:
            self._done.fail(stored.id, error.problem)
            return
        for each in ready:
            effects = effects_of(self._flagged(each, stored))
            self._batch.apply(each.named, effects, stored.id, stored.stamped_at)
        self._made[stored.id] = mine

    def _is_asked(self, kind: str) -> bool:
        return self._kinds is None or kind in self._kinds

    def _stands(self, named: Named, stored: Stored) -> bool:
        known = self._batch.known.get(named.fact)
        return known is not None and known.message_id == stored.id

    def _comes(self, named: Named, stored: Stored) -> bool:
        """Whether a further document is to come with the one it lies in. Raises ``Rejected``."""
        above = named.principal
        if above is None or not self._stands(above, stored):
            return False
        outcome = self._batch.outcome(named, stored.stamped_at)
        if outcome == "conflict":
            raise Rejected(CONFLICT.at(path=named.fact, file=stored.file, byte=stored.offset))
        return outcome == "applied"

    def _flagged(self, translated: Translated, stored: Stored) -> Translated:
        """With what was found when it came, and is not seen when it is made again."""
        row = self._before[stored.id].get(translated.named.fact)
        kept = tuple(
            Flag(**flag)
            for flag in json.loads((row and row["flags"]) or "[]")
            if flag["code"] == SAME_VERSION.code
        )
        return dataclasses.replace(translated, flags=(*translated.flags, *kept))

    def _compare(self, after: Standing) -> None:
        """Count what is otherwise now, and keep with each message what it has come to."""
        done = self._done
        versions, flags = [], []
        for number, named in self._made.items():
            before, now = self._before[number], after[number]
            facts = {each.fact for each in named}
            there = facts & before.keys()
            other = sum(now.get(fact) != before[fact] for fact in there)
            left = sum(self._is_left(before[fact]) for fact in before.keys() - facts)
            done.remade += other
            done.unchanged += len(there) - other + left
            done.added += len((facts - before.keys()) & now.keys())
            done.left += left
            rows = [now[fact] for fact in sorted(facts & now.keys())]
            done.changed += [row for row in rows if _says(row) != _says(before.get(row["fact"]))]
            count = sum(len(json.loads(row["flags"] or "[]")) for row in now.values())
            flags.append({"number": number, "flags": count})
            if named and named[0].fact in now and not named[0].principal:
                version = now[named[0].fact]["mapping"]
                versions.append({"number": number, "mapping": version})
        journal.settle(self._connection, flags)
        journal.settle(self._connection, versions)

    def _is_left(self, row: Row) -> bool:
        """Whether a document that is not made any more is one of those that were asked for."""
        if self._kinds is None:
            return True
        name = str(row["fact"]).partition(":")[2]
        return any(name.startswith(further_kind(kind, "")) for kind in self._kinds)

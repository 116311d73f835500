"""Settling: every pending message is applied, answered as a duplicate, or held with its reason.

Messages are settled in the order they came, some hundred in one database transaction. A message
that fails is held and the rest goes on; a failure that nobody foresaw fails its batch, which is
then done again one message at a time, so that only the culprit is held.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from hub import journal, retention
from hub.ahead.ahead import Ahead
from hub.apply import CONFLICT, Batch
from hub.bus import Bus, LeaseLost, Taken
from hub.effects import Effects, effects_of
from hub.failure import UNFORESEEN, place_of
from hub.journal import Stored
from hub.steps import Steps, clock
from hub.translate import Named, Translator
from hub.waiting import BEHIND, Queue
from schemas.envelope import Flag
from schemas.problem import LynchpinError, Problem, Rejected

__all__ = ["BATCH", "UNFORESEEN", "Settled", "settle", "settle_next", "settle_pending"]

BATCH = 200
_WAIT_SECONDS = 0.05

_log = logging.getLogger("lynchpin.settle")


@dataclass(slots=True)
class Settled:
    """What became of messages, by their numbers, and the revenue that came of it."""

    states: dict[int, str] = field(default_factory=dict)
    flags: dict[int, tuple[Flag, ...]] = field(default_factory=dict)
    problems: dict[int, Problem] = field(default_factory=dict)
    revenue: dict[str, Decimal] = field(default_factory=dict)
    elsewhere: bool = False
    """Whether messages wait that another process has."""
    begun: bool = False
    """Whether the second process has the next ones now."""

    def add(self, other: Settled) -> None:
        """Take over what another batch came to."""
        self.states.update(other.states)
        self.flags.update(other.flags)
        self.problems.update(other.problems)
        for currency, amount in other.revenue.items():
            self.revenue[currency] = self.revenue.get(currency, Decimal(0)) + amount


def settle_pending(
    engine: Engine,
    bus: Bus,
    translator: Callable[[Connection, Stored], Translator],
    now: Callable[[], str],
    progress: Callable[[int], None] = lambda count: None,
    ahead: Ahead | None = None,
) -> Settled:
    """Settle all pending messages; what is settled is committed batch by batch.

    Those that another process has are waited for, until it has settled them or its time is over.
    """
    total = Settled()
    while True:
        done = settle_next(engine, bus, translator, now, ahead=ahead)
        if done.states:
            total.add(done)
            progress(len(done.states))
        elif not done.elsewhere:
            return total
        else:
            time.sleep(_WAIT_SECONDS)


def settle_next(
    engine: Engine,
    bus: Bus,
    translator: Callable[[Connection, Stored], Translator],
    now: Callable[[], str],
    limit: int = BATCH,
    ahead: Ahead | None = None,
    *,
    begin: bool = False,
) -> Settled:
    """Settle and commit the oldest pending messages, one batch; nothing comes of none.

    ``ahead`` translates those that follow meanwhile. Where it is to ``begin`` and has nothing to do
    it is given these first, and they are settled another time.
    """
    taken = bus.take(limit if ahead is None else ahead.within(limit))
    if not taken.messages:
        return Settled(elsewhere=taken.elsewhere)
    idle = ahead is not None and ahead.idle
    if ahead is not None:
        ahead.collect(taken.messages)
    try:
        if begin and idle and ahead is not None:
            with engine.begin() as connection:
                if ahead.begin(connection, taken.messages, translator):
                    return Settled(begun=True)
        with engine.begin() as connection:
            bus.confirm(connection, taken)
            if ahead is not None:
                ahead.go_on(connection, taken.messages[-1].id, translator)
            done = settle(connection, taken.messages, translator, now(), ahead=ahead)
            bus.done(connection, taken)
    except LeaseLost:
        return Settled(elsewhere=True)
    except OperationalError:
        # The database is in trouble, not a message: nothing may be held for that.
        raise
    except Exception:  # noqa: BLE001
        done = _one_by_one(engine, bus, taken, translator, now)
    _say(taken, done)
    return done


def _say(taken: Taken, done: Settled) -> None:
    """Log what is held, by the record that the line of its call named."""
    for stored in taken.messages:
        if problem := done.problems.get(stored.id):
            extra = {"record": stored.record_id, "message_id": stored.id, "code": problem.code}
            _log.info("held", extra={**extra, "source": stored.source})


def _one_by_one(
    engine: Engine,
    bus: Bus,
    taken: Taken,
    translator: Callable[[Connection, Stored], Translator],
    now: Callable[[], str],
) -> Settled:
    total = Settled()
    with suppress(LeaseLost):
        for stored in taken.messages:
            try:
                with engine.begin() as connection:
                    bus.confirm(connection, taken)
                    done = settle(connection, [stored], translator, now())
            except (OperationalError, LeaseLost):
                raise
            except Exception as error:  # noqa: BLE001
                problem = UNFORESEEN.at(place_of(error), file=stored.file, byte=stored.offset)
                with engine.begin() as connection:
                    bus.confirm(connection, taken)
                    kind, fact = _subject(connection, stored, translator)
                    state = journal.park(
                        connection, stored.id, problem, now=now(), kind=kind, fact=fact
                    )
                done = Settled({stored.id: state}, problems={stored.id: problem})
            total.add(done)
        with engine.begin() as connection:
            bus.done(connection, taken)
    return total


def _subject(
    connection: Connection, stored: Stored, translator: Callable[[Connection, Stored], Translator]
) -> tuple[str | None, str | None]:
    """Kind and name of what a message is about, for what waits behind it; if it can be read."""
    try:
        row = _named(stored, translator(connection, stored))
    except Exception as error:  # noqa: BLE001
        place_of(error)
        return None, None
    return row.kind, row.fact


@dataclass(slots=True)
class _Row:
    """What is known of a message while its batch is under way."""

    stored: Stored
    translator: Translator
    named: tuple[Named, ...] = ()
    effects: tuple[Effects | Problem, ...] | None = None
    """What its documents do, or fail on, where that was worked out ahead."""
    problem: Problem | None = None
    waits_on: int | None = None
    redacted: bool = False
    """Whether it says again what was redacted."""

    def wait(self, cause: int) -> None:
        """Have it wait behind a held message."""
        self.waits_on = cause
        detail = f"behind message {cause}"
        self.problem = BEHIND.at(detail, file=self.stored.file, byte=self.stored.offset)

    @property
    def principal(self) -> Named | None:
        """Its first document, if it could be read."""
        return self.named[0] if self.named else None

    @property
    def kind(self) -> str | None:
        """That of its principal document."""
        return None if self.principal is None else self.principal.document.kind

    @property
    def fact(self) -> str | None:
        """What its principal document is called."""
        return None if self.principal is None else self.principal.fact


def settle(
    connection: Connection,
    messages: list[Stored],
    translator: Callable[[Connection, Stored], Translator],
    now: str,
    *,
    replace: bool = False,
    ahead: Ahead | None = None,
) -> Settled:
    """Settle messages in one transaction. ``replace`` lets a conflicting fact stand."""
    rows = [_named(stored, translator(connection, stored), ahead) for stored in messages]
    # Only here: whatever makes documents again tells nobody.
    batch = Batch(connection, deliver=rows[0].translator.outbox if rows else None)
    steps = rows[0].translator.steps if rows else Steps()
    since = clock()
    batch.learn(named.fact for row in rows for named in row.named)
    queue = Queue(connection)
    queue.learn(named for row in rows for named in row.named)
    steps.add("resolve", since)
    settled = Settled()
    updates: list[dict[str, Any]] = []
    for row in rows:
        values = _settle_one(batch, queue, row, settled, replace=replace)
        if row.problem is None:
            updates.append({**values, "number": row.stored.id, "settled_at": now})
            queue.settled(row.named[0], row.stored.id)
        else:
            queue.parked(row.principal, row.stored.id)
    since = clock()
    batch.flush()
    journal.settle(connection, updates)
    if again := [row.stored.id for row in rows if row.redacted]:
        retention.empty(connection, again, now=now)
    steps.add("write", since)
    for row in rows:
        if row.problem is not None:
            number = row.stored.id
            settled.problems[number] = row.problem
            settled.states[number] = journal.park(
                connection,
                number,
                row.problem,
                now=now,
                kind=row.kind,
                fact=row.fact,
                waits_on=row.waits_on,
            )
    settled.revenue = batch.revenue
    return settled


def _named(stored: Stored, translator: Translator, ahead: Ahead | None = None) -> _Row:
    row = _Row(stored, translator)
    prepared = ahead.prepared(stored, translator) if ahead is not None else None
    if prepared is not None:
        row.named, row.problem, row.effects = prepared.named, prepared.problem, prepared.effects
        return row
    try:
        row.named = translator.named(stored)
    except LynchpinError as error:
        row.problem = error.problem
    return row


def _effects(row: _Row, position: int) -> Effects:
    """What one of its documents does. Raises ``Rejected``."""
    if row.effects is None:
        translated = row.translator.translated(row.stored, row.named[position])
        since = clock()
        made = effects_of(translated)
        row.translator.steps.add("resolve", since)
        return made
    effects = row.effects[position]
    if isinstance(effects, Problem):
        raise Rejected(effects)
    return effects


def _ready(row: _Row, queue: Queue, chosen: list[int]) -> list[Effects]:
    """The documents of a message to apply; none if it has a problem, or waits behind another."""
    stored = row.stored
    if (cause := queue.cause(stored.id, (row.named[n] for n in chosen))) is not None:
        row.wait(cause)
        return []
    try:
        ready = [_effects(row, position) for position in chosen]
    except LynchpinError as error:
        row.problem = error.problem
        return []
    if (cause := queue.cause_of_reversals(stored.id, ready)) is not None:
        row.wait(cause)
        return []
    return ready


def _settle_one(
    batch: Batch, queue: Queue, row: _Row, settled: Settled, *, replace: bool
) -> dict[str, Any]:
    """Apply the documents of a message, all or none; the first one, the principal, names it."""
    if row.problem is not None:
        return {}
    stored = row.stored
    outcomes = [batch.outcome(named, stored.stamped_at) for named in row.named]
    apply = ("applied", "conflict") if replace else ("applied",)
    chosen = [position for position, outcome in enumerate(outcomes) if outcome in apply]
    ready = _ready(row, queue, chosen)
    if row.problem is not None:
        return {}
    flags = tuple(
        flag
        for position, effects in zip(chosen, ready, strict=True)
        for flag in batch.apply(row.named[position], effects, stored.id, stored.stamped_at)
    )
    if "conflict" in outcomes and not replace:
        fact = row.named[outcomes.index("conflict")].fact
        row.problem = CONFLICT.at(file=stored.file, byte=stored.offset, path=fact)
        return {}
    known = (batch.known[named.fact] for named in row.named)
    row.redacted = not ready and any(each.redacted_at for each in known)
    state = "applied" if ready else "stale" if "stale" in outcomes else "duplicate"
    settled.states[stored.id] = state
    if flags:
        settled.flags[stored.id] = flags
    return {
        "state": state,
        "kind": row.kind,
        "fact": row.fact,
        "mapping": ready[0].mapping if ready else None,
        "flags": len(flags),
        "first_id": None if ready else batch.known[row.named[0].fact].message_id,
    }

"""What a replay is asked for: which messages make their documents again, and who hears of it.

What is looked for by a name that a replay may change itself, a person, is looked up when it is
asked for; all else is looked for as the job gets to it, in the order in which the messages came.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, Connection, and_, exists, join, or_, select

from hub import library, messages, publication
from hub.bootstrap import Hub
from hub.messages import Sought
from hub.naming import fact_id
from hub.people.profile import profile_of
from hub.plan import shelf
from hub.publication import Target
from hub.store.tables import document, hold, message, order_index, record, transaction_index
from schemas.problem import Cause, Refused

__all__ = [
    "JOINED",
    "NOTHING_ASKED",
    "Ask",
    "Effects",
    "conditions",
    "numbers",
    "outdated",
    "settled",
]

NOTHING_ASKED = Cause(
    "LP-JOB-001",
    "Nothing says which messages are to make their documents again.",
    "Say what they have in common, or that it is all of them: `--all`, `all` over HTTP.",
)
MANY_DOCUMENTS = Cause(
    "LP-JOB-002",
    "More documents than one person can have go by this person.",
    "Look for the messages by something else: an order, a receipt, a time.",
)

OTHER_PLAN = Cause(
    "LP-PLAN-004",
    "The plan does not say what the mapping in force makes otherwise.",
    "Publish the mapping upon this plan first; or plan again, or replay without a plan.",
)

Effects = Literal["none", "corrections"]
JOINED = join(message, record).outerjoin(
    hold, and_(hold.c.message_id == message.c.id, hold.c.released_at.is_(None))
)
"""Messages with what they are looked for by."""
_RUNS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Ask:
    """``sought`` is what the messages have in common; an empty one is an oversight unless ``all``.

    With a ``target`` it is only documents of that kind, which another version than the one in
    force made; with a ``plan`` of that version, only what it found to be made otherwise. Once they
    are looked up, ``people`` are the documents of the person that is sought, and ``runs`` the first
    and last numbers of messages, in order, that the plan found.
    """

    sought: Sought = field(default_factory=Sought)
    all: bool = False
    target: Target | None = None
    plan: str | None = None
    effects: Effects = "none"
    people: tuple[str, ...] | None = None
    runs: tuple[tuple[int, int], ...] | None = None

    def check(self) -> None:
        """Raises ``Refused`` where nothing says which messages."""
        if self.plan is not None and self.target is None:
            raise Refused(NOTHING_ASKED.at("a plan is of a mapping: name it", path="plan"))
        if self.sought == Sought() and self.target is None and not self.all:
            raise Refused(NOTHING_ASKED.at())

    @property
    def kinds(self) -> frozenset[str] | None:
        """The kinds of message whose documents are made again; ``None`` for all."""
        if self.target is None:
            return None
        return frozenset(each.kind for each in publication.siblings(self.target))

    def said(self) -> dict[str, Any]:
        """What somebody asked for, for people and the audit: only what was given."""
        given = {k: v for k, v in dataclasses.asdict(self.sought).items() if v is not None}
        if self.target is not None:
            given["replayed"] = str(self.target)
        if self.plan is not None:
            given["plan"] = self.plan
        return given

    def text(self) -> str:
        """As JSON, to be kept."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def of(cls, text: str) -> Ask:
        """What ``text`` says."""
        said = json.loads(text)
        return cls(
            sought=Sought(**said["sought"]),
            all=said["all"],
            target=said["target"] and Target(**said["target"]),
            plan=said["plan"],
            effects=said["effects"],
            people=None if said["people"] is None else tuple(said["people"]),
            runs=None if said["runs"] is None else tuple((a, b) for a, b in said["runs"]),
        )


def settled(hub: Hub, connection: Connection, ask: Ask) -> Ask:
    """The same with whatever must not change on the way looked up.

    Raises ``Refused``, and ``Rejected`` where there is no such plan.
    """
    ask.check()
    if ask.plan is not None and ask.target is not None:
        runs = _runs(hub, connection, ask.target, ask.plan)
        ask = dataclasses.replace(ask, runs=runs)
    if ask.sought.person is None:
        return ask
    found = profile_of(connection, ask.sought.person, nobody=hub.nobody(connection))
    if not found.whole:
        raise Refused(MANY_DOCUMENTS.at())
    return dataclasses.replace(ask, people=found.facts)


def _runs(
    hub: Hub, connection: Connection, target: Target, plan: str
) -> tuple[tuple[int, int], ...]:
    report = shelf.read(hub.home, plan)
    version = publication.version_in_force(connection, target)
    if report.proposed != version:
        raise Refused(OTHER_PLAN.at(f"it knows {report.proposed}, not {version}"))
    if not report.done:
        raise Refused(OTHER_PLAN.at("it was cut short; go on with --resume"))
    return tuple((first, last) for first, last in report.affected)


def numbers(
    hub: Hub, connection: Connection, ask: Ask, *, after: int, last: int, limit: int
) -> list[int]:
    """The next messages that are to make their documents again, in the order they came."""
    old = exists().where(document.c.message_id == message.c.id, *outdated(connection, ask))
    found: list[int] = []
    for part in conditions(hub, connection, ask, after=after, last=last):
        rows = select(message.c.id).select_from(JOINED).where(old, *part)
        found += connection.scalars(rows.order_by(message.c.id).limit(limit - len(found)))
        if len(found) == limit:
            break
    return found


def outdated(connection: Connection, ask: Ask) -> list[ColumnElement[bool]]:
    """Which documents it is about: all, or those of a kind that another version made."""
    if ask.target is None:
        return []
    versions = publication.versions(connection, ask.target)
    in_force = library.in_force(connection, ask.target.connector, ask.target.kind)
    versions.discard(in_force.version)
    return [document.c.mapping.in_(sorted(versions))]


def conditions(
    hub: Hub, connection: Connection, ask: Ask, *, after: int, last: int, seen: bool = True
) -> Iterator[list[ColumnElement[bool]]]:
    """Which messages, of ``JOINED``: part by part, each after the one before.

    ``seen`` are those that are still there to be read; the others are those that are not.
    """
    wanted = messages.conditions(connection, ask.sought)
    gone = message.c.removed_at
    wanted.append(gone.is_(None) if seen else gone.is_not(None))
    wanted += [message.c.id > after, message.c.id <= last]
    if (named := _named(hub, ask)) is not None:
        wanted.append(named)
    if ask.runs is None:
        yield wanted
        return
    runs = [run for run in ask.runs if run[1] > after]
    for start in range(0, len(runs), _RUNS_AT_ONCE):
        some = runs[start : start + _RUNS_AT_ONCE]
        yield [*wanted, or_(*(message.c.id.between(first, end) for first, end in some))]


def _named(hub: Hub, ask: Ask) -> ColumnElement[bool] | None:
    """What goes by the names that are given; ``None`` without any."""
    sought = ask.sought

    def goes(fact: Column[Any]) -> list[ColumnElement[bool]]:
        named: list[ColumnElement[bool]] = []
        if sought.person is not None:
            named.append(fact.in_(ask.people or ()))
        if sought.order is not None:
            whole = [fact_id(system, ("order", sought.order)) for system in sorted(hub.systems)]
            rows = select(order_index.c.fact).where(order_index.c.number == sought.order)
            named.append(or_(fact.in_(whole), fact.in_(rows)))
        if sought.till:
            table = transaction_index
            said = [table.c[name] == value for name, value in sought.till.items()]
            if sought.till.keys() != {"receipt"}:
                said.append(table.c.system.in_(sorted(hub.systems)))
            named.append(fact.in_(select(table.c.fact).where(*said)))
        return named

    if not (of_message := goes(message.c.fact)):
        return None
    made_from = select(document.c.message_id).where(*goes(document.c.fact))
    return or_(and_(*of_message), message.c.id.in_(made_from))

"""Redaction: what a message says of a person goes, and that it came, and what it was worth, stays.

The message that a document was last made from is rewritten so that it can still be read and made
again: letters become ``x`` and digits ``1``, in whatever tells who the person is. A rewritten text
is only kept if it still comes to the same names, and to the same values of all that names nobody;
where no rewriting does, the text is removed whole. Every other message of the same things is only
kept to know what comes again, so its text is removed at once.

Documents keep their names and business hashes and lose their claims: they are found by nobody's
name any more, and the same content that comes again is a duplicate that is not kept either.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update

from hub import audit, journal, retention
from hub.bootstrap import Hub
from hub.causes import NOT_FOUND
from hub.erasure import erased, rewritten
from hub.journal import Stored
from hub.people.profile import profile_of
from hub.store.tables import claim, delivery, document, edit, message
from schemas.problem import Cause, Rejected

__all__ = ["Reach", "Redacted", "of_message", "of_person", "redact", "redact_named"]

OPEN = Cause(
    "LP-HUB-026",
    "Messages of it are held or not settled yet; nothing was redacted.",
    "Release or discard them first, then redact again.",
)
TOO_MANY = Cause(
    "LP-HUB-027",
    "More documents seem to be of this person than anybody has; nothing was redacted.",
    "Redact message by message: an identifier goes round among many people.",
)

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Reach:
    """What a redaction is about: documents by fact, messages by number.

    ``made_from`` are those that the documents were last made from; ``others`` say the same things.
    """

    facts: frozenset[str]
    made_from: frozenset[int]
    others: frozenset[int]


@dataclass(frozen=True, slots=True)
class Redacted:
    """How many documents lost who they are of; messages were rewritten, or removed whole."""

    documents: int
    rewritten: int
    removed: int


def redact_named(
    hub: Hub,
    connection: Connection,
    *,
    message: int | None,
    person: str | None,
    actor: str,
    reason: str,
) -> Redacted:
    """Redact by the number of a message, or by a document of a person. Raises ``Rejected``."""
    if person is not None:
        reach, subject = of_person(hub, connection, person), person
    else:
        reach, subject = of_message(connection, message or 0), f"message {message}"
    return redact(hub, connection, reach, subject=subject, actor=actor, reason=reason)


def of_message(connection: Connection, number: int) -> Reach:
    """What goes with a message. Raises ``Rejected`` if there is none, or it is still open."""
    fact = connection.execute(select(message.c.fact).where(message.c.id == number)).one_or_none()
    if fact is None:
        raise Rejected(NOT_FOUND.at(f"there is no message {number}"))
    named = {fact[0]} - {None}
    return _reach(connection, named, also={number})


def of_person(hub: Hub, connection: Connection, fact: str) -> Reach:
    """What is to be redacted of the person of a document. Raises ``Rejected`` as ``of_message``."""
    there = select(document.c.fact).where(document.c.fact == fact)
    if connection.scalar(there) is None:
        raise Rejected(NOT_FOUND.at("nothing goes by this name"))
    profile = profile_of(connection, fact, nobody=hub.nobody(connection))
    if not profile.whole:
        raise Rejected(TOO_MANY.at(f"{len(profile.facts)} documents"))
    return _reach(connection, {fact, *profile.facts}, also=())


def _reach(connection: Connection, facts: set[str], *, also: Collection[int]) -> Reach:
    """Everything that lies in the same messages, or says the same things."""
    made_from = {*_some(connection, document.c.message_id, document.c.fact, facts), *also}
    facts = facts | {*_some(connection, document.c.fact, document.c.message_id, made_from)}
    made_from &= {*_some(connection, document.c.message_id, document.c.fact, facts)}
    named = {*_some(connection, message.c.id, message.c.fact, facts), *also}
    there = made_from | named
    settled = message.c.settled_at.is_(None)
    if waiting := {*_some(connection, message.c.id, message.c.id, there, settled)}:
        raise Rejected(OPEN.at(", ".join(f"message {number}" for number in sorted(waiting)[:5])))
    return Reach(frozenset(facts), frozenset(made_from), frozenset(named - made_from))


def _some(
    connection: Connection, column: Any, by: Any, values: Iterable[Any], *more: Any
) -> Iterable[Any]:
    wanted = sorted(values)
    for start in range(0, len(wanted), _AT_ONCE):
        chosen = by.in_(wanted[start : start + _AT_ONCE])
        yield from connection.scalars(select(column).where(chosen, *more)).all()


def redact(
    hub: Hub, connection: Connection, reach: Reach, *, subject: str, actor: str, reason: str
) -> Redacted:
    """Redact all of it; it cannot be brought back. Audited before it acts. The caller commits."""
    now = hub.now()
    detail = {
        "reason": reason,
        "documents": len(reach.facts),
        "messages": len(reach.made_from) + len(reach.others),
    }
    audit.write(
        connection, actor=actor, act="journal.redact", subject=subject, detail=detail, now=now
    )
    gone = set(reach.others)
    for number in sorted(reach.made_from):
        stored = journal.entry(connection, number)
        assert stored is not None
        if not _rewrite(hub, connection, stored, now=now):
            gone.add(number)
    for some in _parts(gone):
        retention.empty(connection, some, now=now)
        changed = update(message).where(message.c.id.in_(some))
        connection.execute(changed.values(redacted_at=now))
    for some in _parts(reach.made_from):
        connection.execute(update(edit).where(edit.c.message_id.in_(some)).values(payload=b""))
    for some in _parts(reach.facts):
        _erase_documents(connection, some, now=now)
        _erase_deliveries(connection, some)
    return Redacted(len(reach.facts), len(reach.made_from - gone), len(gone))


def _parts(values: Iterable[Any]) -> Iterable[list[Any]]:
    wanted = sorted(values)
    return (wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE))


def _rewrite(hub: Hub, connection: Connection, stored: Stored, *, now: str) -> bool:
    """Whether the message could be rewritten, and was."""
    if stored.removed_at is not None:
        return False
    free = dataclasses.replace(stored, stores=None)
    payload = rewritten(hub.translator(connection, free), free)
    if payload is None:
        return False
    values = {
        "payload": journal.compress(payload),
        "digest": journal.digest(payload),
        "redacted_at": now,
    }
    connection.execute(update(message).where(message.c.id == stored.id).values(values))
    return True


def _erase_documents(connection: Connection, facts: list[str], *, now: str) -> None:
    columns = (document.c.fact, document.c.kind, document.c.body)
    for fact, kind, body in connection.execute(
        select(*columns).where(document.c.fact.in_(facts))
    ).all():
        text = json.dumps(erased(kind, json.loads(body)), ensure_ascii=False, separators=(",", ":"))
        this = update(document).where(document.c.fact == fact)
        connection.execute(this.values(body=text, redacted_at=now))
    connection.execute(delete(claim).where(claim.c.fact.in_(facts)))


def _erase_deliveries(connection: Connection, facts: list[str]) -> None:
    """What was not told yet is told redacted: the body is made again at the next attempt."""
    waiting = delivery.c.subject.in_(facts) & delivery.c.done_at.is_(None)
    columns = (delivery.c.id, delivery.c.content)
    for number, content in connection.execute(select(*columns).where(waiting)).all():
        values: dict[str, Any] = {"payload": None}
        if content is not None:
            said = json.loads(content)
            said["document"] = erased(said["kind"], said["document"])
            values["content"] = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
        connection.execute(update(delivery).where(delivery.c.id == number).values(values))

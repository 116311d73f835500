"""Searching people by what somebody has at hand; every hit says why it is one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from hub import finding
from hub.people.claim import Claim, email, folded, loyalty, phone
from hub.people.nobody import Nobody
from hub.people.profile import Profile, claiming, profile_of
from hub.store.tables import claim, document, message, record
from schemas.problem import Rejected

__all__ = ["Event", "Hit", "search", "story"]

HITS_MAX = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """A profile and the reason it was found."""

    profile: Profile
    reason: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a person, for their story."""

    utc: str
    kind: str
    fact: str
    system: str
    summary: str


def search(
    connection: Connection,
    text: str,
    *,
    systems: Iterable[str],
    nobody: Nobody,
    region: str | None = None,
) -> list[Hit]:
    """People by phone, e-mail, card, account, name, or the number of an order or receipt.

    The exact comes before the likely: a name is only searched where nothing else was meant.
    """
    text = text.strip()
    leads = [*_identified(connection, text, nobody, region), *_numbered(connection, text, systems)]
    hits: dict[str, Hit] = {}
    covered: set[str] = set()
    for fact, reason in leads or _named(connection, text):
        if fact in covered or len(hits) >= HITS_MAX:
            continue
        profile = profile_of(connection, fact, nobody=nobody)
        covered.update(profile.facts)
        hits.setdefault(profile.handle, Hit(profile, reason))
    return list(hits.values())


def _identified(
    connection: Connection, text: str, nobody: Nobody, region: str | None
) -> Iterator[tuple[str, str]]:
    """Documents that claim what the text can mean, each with the reason, the surest first."""
    for meant in _meant(text, region):
        if meant not in nobody:
            for fact in sorted(claiming(connection, (meant,))):
                yield fact, f"{meant.kind} {meant.value}"
    accounts = select(claim.c.fact, claim.c.issuer)
    accounts = accounts.where(claim.c.kind == "customer", claim.c.value == text)
    for fact, issuer in connection.execute(accounts.order_by(claim.c.issuer, claim.c.fact)):
        yield fact, f"account {text} of {issuer}"


def _numbered(
    connection: Connection, text: str, systems: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """The order or receipt of this number."""
    with suppress(Rejected):
        fact = finding.resolve(connection, text, systems=systems, kinds=("Order", "Transaction"))
        yield fact, f"{fact} has this number"


def _named(connection: Connection, text: str) -> Iterator[tuple[str, str]]:
    """Documents that name somebody whose name starts like this."""
    if name := folded(text):
        named = select(claim.c.fact, claim.c.value).where(
            claim.c.kind == "name", claim.c.value >= name, claim.c.value < name + "\uffff"
        )
        for fact, value in connection.execute(named.order_by(claim.c.value).limit(500)):
            yield fact, f"name {value}"


def _meant(text: str, region: str | None) -> Iterator[Claim]:
    """The identifiers that a text can be, besides an account and a name."""
    kind, _, rest = text.partition(":")
    issuer, _, value = rest.rpartition(":")
    if kind and value:
        yield Claim(kind, value, issuer)
    if address := email(text):
        yield Claim("email", address)
    if number := phone(text, region):
        yield Claim("phone", number)
    if text.isalnum() and (card := loyalty(text)):
        yield Claim("loyalty", card)
        yield Claim("membership", card)


def story(connection: Connection, profile: Profile) -> list[Event]:
    """Everything that happened to the person, in the order of time."""
    facts = list(profile.facts)
    events: list[Event] = []
    for start in range(0, len(facts), 400):
        some = facts[start : start + 400]
        rows = connection.execute(_TOLD.where(document.c.fact.in_(some)))
        events += [_event(*row) for row in rows]
        events += _reversals(connection, some)
    return sorted(events, key=lambda event: (event.utc, event.fact))


_TOLD = (
    select(document.c.kind, document.c.fact, document.c.body, record.c.received_at)
    .join(message, message.c.id == document.c.message_id)
    .join(record, record.c.id == message.c.record_id)
)


def _reversals(connection: Connection, facts: list[str]) -> Iterator[Event]:
    """A refund says no person: it belongs to whoever its order belongs to."""
    for fact in facts:
        for other in finding.links(connection, fact)[1]:
            if other.kind == "reversal":
                row = connection.execute(_TOLD.where(document.c.fact == other.other)).one()
                yield _event(*row)


def _event(kind: str, fact: str, text: str, received_at: str) -> Event:
    """What a source does not date happened, for all that is known, when it was received."""
    body = json.loads(text)
    moment: dict[str, str] = next((body[n] for n in _MOMENTS[kind] if n in body), {})
    summary = _SUMMARY[kind].format_map(_Blank(body))
    return Event(moment.get("utc", received_at), kind, fact, body["system"], summary)


class _Blank(dict[str, Any]):
    """What a document does not have is left blank."""

    def __missing__(self, key: str) -> str:
        return ""


_MOMENTS = {
    "Transaction": ("occurred_at",),
    "Order": ("placed_at",),
    "Reversal": ("created_at",),
    "Customer": ("created_at", "updated_at"),
    "Interaction": ("occurred_at",),
    "Control": ("occurred_at",),
}
_SUMMARY = {
    "Transaction": "{total} {currency} at store {store}, till {workstation}, {status}",
    "Order": "order {number} of {total} {currency} by {channel}, {payment}, {fulfilment}",
    "Reversal": "{kind} of order {order}: {reason}",
    "Customer": "account {id}, {state}",
    "Interaction": "{kind} {direction} {subject}",
    "Control": "{kind}",
}

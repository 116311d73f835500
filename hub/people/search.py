"""Searching people by what somebody has at hand; every hit says why it is one.

Only whole values are looked up. Whoever is shown masked people must not be able to spell out, a
letter at a time, what the mask hides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import ColumnElement, Connection, select

from hub import finding
from hub.people.claim import Claim, email, folded, loyalty, phone
from hub.people.nobody import Nobody
from hub.people.profile import Profile, profile_of
from hub.store.tables import claim
from hub.whereabouts import at_stores

__all__ = ["HITS_MAX", "Hit", "Search", "look_up"]

HITS_MAX = 20
_LEADS_MAX = 500

Lead = tuple[str, str]
"""A document that leads to a person, and the kind of what it was found by."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A profile and the kind of identifier it was found by; ``number`` is an order or receipt."""

    profile: Profile
    reason: str


@dataclass(frozen=True, slots=True)
class Search:
    """``by`` is what the text was taken for; ``more`` says that there are others beside these."""

    hits: tuple[Hit, ...]
    by: str
    more: bool


def look_up(
    connection: Connection,
    text: str,
    *,
    systems: Iterable[str],
    nobody: Nobody,
    regions: Iterable[str | None] = (None,),
    stores: Collection[str] = (),
) -> Search:
    """People by phone, e-mail, card, account, name, or the number of an order or receipt.

    A phone number without country code is looked for in every one of ``regions``. ``stores`` limit
    the search to documents of these and of none. The exact comes before the likely: a name is only
    looked for where nothing else was meant.
    """
    text = text.strip()
    meant = [each for each in _meant(text, regions) if each not in nobody]
    leads = list(islice(_identified(connection, text, meant), _LEADS_MAX + 1))
    leads += _numbered(connection, text, systems, stores)
    leads = leads or _named(connection, text)
    open_ones = set(at_stores(connection, [fact for fact, _ in leads], stores))
    hits: list[Hit] = []
    covered: set[str] = set()
    more = len(leads) > _LEADS_MAX
    for fact, reason in leads:
        if fact in covered or fact not in open_ones:
            continue
        if len(hits) == HITS_MAX:
            more = True
            break
        profile = profile_of(connection, fact, nobody=nobody)
        covered.update(profile.facts)
        hits.append(Hit(profile, reason))
        if not profile.whole:
            # What goes round among thousands leads to the same thousands again and again.
            more = True
            break
    return Search(tuple(hits), hits[0].reason if hits else _taken_for(text, meant), more)


def _identified(connection: Connection, text: str, meant: Iterable[Claim]) -> Iterator[Lead]:
    """Documents that claim what the text can mean, the surest first."""
    for each in meant:
        same = (claim.c.value == each.value, claim.c.issuer == each.issuer)
        for fact in _claiming(connection, each.kind, *same):
            yield fact, each.kind
    for fact in _claiming(connection, "customer", claim.c.value == text):
        yield fact, "customer"


def _claiming(connection: Connection, kind: str, *wanted: ColumnElement[bool]) -> Iterable[str]:
    found = select(claim.c.fact).where(claim.c.kind == kind, *wanted)
    return connection.scalars(found.limit(_LEADS_MAX + 1)).all()


def _numbered(
    connection: Connection, text: str, systems: Iterable[str], stores: Collection[str]
) -> list[Lead]:
    """The orders or receipts of this number."""
    facts = finding.named(
        connection,
        text,
        systems=systems,
        kinds=("Order", "Transaction"),
        stores=stores,
        most=HITS_MAX + 1,
    )
    return [(fact, "number") for fact in facts]


def _named(connection: Connection, text: str) -> list[Lead]:
    """Documents of people of exactly this name, or family name."""
    name = folded(text)
    return [(fact, "name") for fact in _claiming(connection, "name", claim.c.value == name)]


def _meant(text: str, regions: Iterable[str | None]) -> Iterator[Claim]:
    """The identifiers that a text can be, besides an account and a name."""
    if address := email(text):
        yield Claim("email", address)
    numbers = (phone(text, region) for region in regions)
    for number in dict.fromkeys(found for found in numbers if found):
        yield Claim("phone", number)
    if text.isalnum() and (card := loyalty(text)):
        yield Claim("loyalty", card)
        yield Claim("membership", card)


def _taken_for(text: str, meant: list[Claim]) -> str:
    """What a text that leads to nobody looks like, for the audit."""
    has_digits = any(letter.isdigit() for letter in text)
    if meant and (has_digits or meant[0].kind not in ("loyalty", "membership")):
        return meant[0].kind
    return "number" if has_digits else "name"

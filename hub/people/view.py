"""People as somebody may see them: masked unless revealed, and limited to their stores.

Nothing here keeps an audit. Whoever shows what these functions give keeps a line of it first.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from sqlalchemy import Connection, select

from hub import paging
from hub.bootstrap import Hub
from hub.causes import NOT_FOUND
from hub.paging import CURSOR_EXAMPLE
from hub.people import masking
from hub.people.claim import JOINING, Claim, folded
from hub.people.nobody import Nobody
from hub.people.profile import Profile, claimed_by, profile_of
from hub.people.search import look_up
from hub.people.story import EVENT_EXAMPLE, StoryEvent, reversals_of, tell
from hub.store.tables import document, link
from hub.whereabouts import Whereabouts, whereabouts
from schemas.problem import Rejected

__all__ = ["Found", "FoundPerson", "Identified", "Person", "find", "person"]

STORY_LIMIT = 50
_NAMED_DOCUMENTS_MAX = 10


_FOUND_PERSON: JsonDict = {
    "person": "shop:customer/8400000001",
    "reason": "phone",
    "names": ["A. E."],
    "documents": 7,
}
_FOUND: JsonDict = {"items": [_FOUND_PERSON], "next": None, "more": False, "by": "phone"}
_IDENTIFIED: JsonDict = {"kind": "customer", "value": "***0001", "issuer": "shop", "shared": False}
_PERSON: JsonDict = {
    "person": "shop:customer/8400000001",
    "masked": True,
    "identifiers": [_IDENTIFIED],
    "names": ["A. E."],
    "documents": 7,
    "elsewhere": 0,
    "whole": True,
    "story": [EVENT_EXAMPLE],
    "next": CURSOR_EXAMPLE,
}


class FoundPerson(BaseModel):
    """Somebody who was found; ``person`` is a document of theirs, to ask for them by."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": _FOUND_PERSON})

    person: str
    reason: str = Field(
        description="What they were found by: `email`, `phone`, `loyalty`, `membership`, "
        "`customer` (an account), `name`, or `number` (of an order or receipt)."
    )
    names: list[str] = Field(description="Initials.")
    documents: int


class Found(BaseModel):
    """The people who were found."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": _FOUND})

    items: list[FoundPerson]
    next: None = Field(default=None, description="A search has one page.")
    more: bool = Field(description="Others were found beside these: ask for something rarer.")
    by: str = Field(description="What the text was taken for, in the words of `reason`.")

    def audited(self) -> dict[str, Any]:
        """What the audit keeps of the search: never what was looked for."""
        return {"by": self.by, "found": [each.person for each in self.items]}


class Identified(BaseModel):
    """An identifier. A ``shared`` one points at several people and therefore joins none."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": _IDENTIFIED})

    kind: str
    value: str
    issuer: str | None = Field(description="The system whose number it is.")
    shared: bool


class Person(BaseModel):
    """A person: identifiers and names, and a page of their story, the newest first."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": _PERSON})

    person: str = Field(description="Their account, or the earliest of their documents.")
    masked: bool
    identifiers: list[Identified] = Field(description="The strongest first.")
    names: list[str]
    documents: int = Field(description="How many documents the whole story has.")
    elsewhere: int = Field(description="How many more there are of stores outside the key's.")
    whole: bool = Field(description="False where there are too many documents to be one person's.")
    story: list[StoryEvent]
    next: str | None = Field(description="Cursor of what happened before.")


def find(
    hub: Hub,
    connection: Connection,
    text: str,
    *,
    region: str | None = None,
    stores: Collection[str] = (),
) -> Found:
    """People by what somebody has at hand, masked, twenty at most; see ``search.look_up``.

    A phone number without country code is one of ``region``, or else of any region of a source.
    ``stores`` limit what is seen to their documents and those of no store.
    """
    nobody = hub.nobody(connection)
    own = {source.region for source in hub.settings.sources.values() if source.region}
    found = look_up(
        connection,
        text,
        systems=hub.systems,
        nobody=nobody,
        regions=(region,) if region else (*sorted(own), None),
        stores=stores,
    )
    items = []
    for hit in found.hits:
        sight = _sight(connection, hit.profile, stores)
        names = _names(connection, sight, reveal=False)
        documents = len(sight.places)
        items.append(
            FoundPerson(person=sight.person, reason=hit.reason, names=names, documents=documents)
        )
    return Found(items=items, more=found.more, by=found.by)


def person(
    hub: Hub,
    connection: Connection,
    fact: str,
    *,
    reveal: bool = False,
    limit: int = STORY_LIMIT,
    cursor: str | None = None,
    stores: Collection[str] = (),
) -> Person:
    """The person whom a document belongs to, with up to ``limit`` events before the cursor.

    Raises ``Rejected`` if there is no such document, it belongs to another store than these, or it
    names nobody; ``Refused`` for a cursor of another list.
    """
    before = paging.key_of(cursor, str, str)
    nobody = hub.nobody(connection)
    profile = profile_of(connection, _bearer(connection, fact), nobody=nobody)
    sight = _sight(connection, profile, stores)
    if not any(place.fact == fact for place in sight.places):
        raise Rejected(NOT_FOUND.at("nothing goes by this name"))
    if all(claim in nobody for claim in profile.claims):
        raise Rejected(NOT_FOUND.at("this document names nobody"))
    newest = [p for p in reversed(sight.places) if before is None or p.order < before]
    page, following = paging.cut(newest[: limit + 1], limit, lambda place: place.order)
    return Person(
        person=sight.person,
        masked=not reveal,
        identifiers=list(_identifiers(profile, sight.claims, nobody, reveal=reveal)),
        names=_names(connection, sight, reveal=reveal),
        documents=len(sight.places),
        elsewhere=sight.elsewhere,
        whole=profile.whole,
        story=tell(connection, page, reveal=reveal),
        next=following,
    )


@dataclass(frozen=True, slots=True)
class _Sight:
    """What of a profile somebody may know of; ``places`` go by time."""

    person: str
    places: tuple[Whereabouts, ...]
    elsewhere: int
    claims: Collection[Claim]


def _sight(connection: Connection, profile: Profile, stores: Collection[str]) -> _Sight:
    facts = {*profile.facts, *reversals_of(connection, profile.facts)}
    every = whereabouts(connection, facts)
    mine = tuple(place for place in every if place.within(stores))
    accounts = sorted(place.fact for place in mine if place.kind == "Customer")
    claims: Collection[Claim] = profile.claims
    if len(mine) < len(every):
        claims = claimed_by(connection, [place.fact for place in mine])
    first = next(iter(accounts), mine[0].fact if mine else "")
    return _Sight(first, mine, len(every) - len(mine), claims)


def _bearer(connection: Connection, fact: str) -> str:
    """The document that says whose this one is: of a reversal its order."""
    of_order = (link.c.from_fact == fact) & (link.c.kind == "reversal")
    return connection.scalar(select(link.c.to_fact).where(of_order)) or fact


def _identifiers(
    profile: Profile, claims: Collection[Claim], nobody: Nobody, *, reveal: bool
) -> Iterator[Identified]:
    strength = {kind: place for place, kind in enumerate(JOINING)}
    for each in sorted(claims, key=lambda c: (strength.get(c.kind, len(strength)), c)):
        if each.kind != "name" and each not in nobody:
            yield Identified(
                kind=each.kind,
                value=each.value if reveal else masking.identifier(each.kind, each.value),
                issuer=each.issuer or None,
                shared=each in profile.shared,
            )


def _names(connection: Connection, sight: _Sight, *, reveal: bool) -> list[str]:
    """What some of the documents call the person, accounts before orders, each name once."""
    names: dict[str, str] = {}
    for kind in ("Customer", "Order"):
        facts = [place.fact for place in sight.places if place.kind == kind]
        chosen = document.c.fact.in_(facts[-_NAMED_DOCUMENTS_MAX:])
        for text in connection.scalars(select(document.c.body).where(chosen)) if facts else ():
            for name in _called(json.loads(text)):
                names.setdefault(folded(name), name)
    shown = names.values() if reveal else map(masking.initials, names.values())
    return list(dict.fromkeys(shown))


def _called(body: dict[str, Any]) -> Iterator[str]:
    """The names in an account or in an order, of whoever pays."""
    for part in (body, body.get("customer", {}), body.get("bill_to", {})):
        parts = (part.get("given_name"), part.get("family_name"))
        if name := " ".join(filter(None, parts)) or part.get("name"):
            yield name

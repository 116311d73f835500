"""A profile: all documents of one person, joined by exact identifiers.

Who is who is a pure function of the claims, worked out when somebody asks: documents are joined
through shared identifiers, in whatever order they came. Where that would put two accounts of one
system into one profile, some identifier is not one person's. The kinds of identifier that people
share most are then given up for that profile, the weakest first, until the accounts come apart;
what was given up is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, and_, or_, select

from hub.people.claim import JOINING, Claim
from hub.people.nobody import Nobody
from hub.store.tables import claim
from hub.whereabouts import pieces

__all__ = ["FACTS_MAX", "Profile", "claimed_by", "claiming", "profile_of"]

FACTS_MAX = 5000
"""More documents than these in one profile are no person's: an identifier went round."""


@dataclass(frozen=True, slots=True)
class Profile:
    """``shared`` are identifiers that point at several profiles and therefore join nothing here;
    ``whole`` is false where the documents were cut off.
    """

    claims: tuple[Claim, ...]
    facts: tuple[str, ...]
    shared: tuple[Claim, ...]
    whole: bool = True


def profile_of(connection: Connection, fact: str, *, nobody: Nobody) -> Profile:
    """The profile that a document belongs to; ``nobody`` knows identifiers of no person."""
    kinds = list(JOINING)
    given_up: set[str] = set()
    while True:
        found = _Component(connection, kinds, nobody)
        found.grow((fact,))
        if not _contradicts(found.claims) or len(kinds) == 1:
            break
        given_up.add(kinds.pop())
    joining = sorted(c for c in found.claims if c.kind in JOINING and c not in nobody)
    shared = [c for c in joining if c.kind in given_up and _points_elsewhere(connection, c, found)]
    return Profile(
        tuple(sorted(found.claims)), tuple(sorted(found.facts)), tuple(shared), found.whole
    )


class _Component:
    """Documents reached from some of them through shared identifiers of these kinds."""

    def __init__(self, connection: Connection, kinds: list[str], nobody: Nobody) -> None:
        self._connection = connection
        self._kinds = tuple(kinds)
        self._nobody = nobody
        self.facts: set[str] = set()
        self.claims: set[Claim] = set()
        self.whole = True

    def grow(self, facts: Collection[str]) -> None:
        """Follow identifiers until no further document is reached."""
        frontier = set(facts)
        while frontier:
            self.facts |= frontier
            if len(self.facts) > FACTS_MAX:
                self.whole = False
                return
            new = claimed_by(self._connection, frontier) - self.claims
            self.claims |= new
            ways = {c for c in new if c.kind in self._kinds and c not in self._nobody}
            # What goes round among more than a person can have is not followed any further.
            most = FACTS_MAX + 1
            frontier = claiming(self._connection, ways, most=most) - self.facts


def claimed_by(connection: Connection, facts: Collection[str]) -> set[Claim]:
    """Everything that any of these documents claims."""
    columns = select(claim.c.kind, claim.c.value, claim.c.issuer)
    found: set[Claim] = set()
    for some in pieces(sorted(facts)):
        rows = connection.execute(columns.where(claim.c.fact.in_(some)))
        found.update(Claim(*row) for row in rows)
    return found


def claiming(connection: Connection, claims: Collection[Claim], *, most: int) -> set[str]:
    """The documents that make any of these claims, all of them if they are fewer than ``most``."""
    found: set[str] = set()
    for some in pieces(sorted(claims)):
        # By kind and issuer, because SQLite reads the whole table for a list of triples.
        values: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for each in some:
            values[each.kind, each.issuer].append(each.value)
        ways = (
            and_(claim.c.kind == kind, claim.c.issuer == issuer, claim.c.value.in_(wanted))
            for (kind, issuer), wanted in values.items()
        )
        facts = select(claim.c.fact).where(or_(*ways)).distinct().limit(most)
        found.update(connection.scalars(facts))
        if len(found) >= most:
            break
    return found


def _contradicts(claims: Iterable[Claim]) -> bool:
    """Whether two accounts of one system are in it: a person has one account a system."""
    accounts: defaultdict[str, set[str]] = defaultdict(set)
    for each in claims:
        if each.kind == "customer":
            accounts[each.issuer].add(each.value)
    return any(len(values) > 1 for values in accounts.values())


def _points_elsewhere(connection: Connection, each: Claim, found: _Component) -> bool:
    return bool(claiming(connection, (each,), most=len(found.facts) + 1) - found.facts)

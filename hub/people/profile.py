"""A profile: all documents of one person, joined by exact identifiers.

Who is who is a pure function of the claims, worked out when somebody asks: documents are joined
through shared identifiers, in whatever order they came. Where that would put two accounts of one
system into one profile, some identifier is not one person's. The kinds of identifier that people
share most are then given up for that profile, the weakest first, until the accounts come apart;
what was given up is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, select, tuple_

from hub.people.claim import JOINING, Claim
from hub.people.nobody import Nobody
from hub.store.tables import claim

__all__ = ["FACTS_MAX", "Profile", "claiming", "profile_of"]

FACTS_MAX = 5000
"""More documents than these in one profile are no person's: an identifier went round."""

_AT_ONCE = 400
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Profile:
    """``handle`` is the strongest identifier. ``shared`` are identifiers that point at several
    profiles and therefore join nothing here; ``whole`` is false where the documents were cut off.
    """

    handle: str
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
    strongest = sorted(joining, key=lambda c: (JOINING.index(c.kind), c))
    handle = str(strongest[0]) if strongest else min(found.facts, default="")
    return Profile(
        handle, tuple(sorted(found.claims)), tuple(sorted(found.facts)), tuple(shared), found.whole
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
            new = _claims_of(self._connection, frontier) - self.claims
            self.claims |= new
            ways = {c for c in new if c.kind in self._kinds and c not in self._nobody}
            frontier = claiming(self._connection, ways) - self.facts


def _claims_of(connection: Connection, facts: Collection[str]) -> set[Claim]:
    columns = select(claim.c.kind, claim.c.value, claim.c.issuer)
    found: set[Claim] = set()
    for some in _pieces(sorted(facts)):
        rows = connection.execute(columns.where(claim.c.fact.in_(some)))
        found.update(Claim(*row) for row in rows)
    return found


def claiming(connection: Connection, claims: Collection[Claim]) -> set[str]:
    """The documents that make any of these claims."""
    key = tuple_(claim.c.kind, claim.c.issuer, claim.c.value)
    found: set[str] = set()
    for some in _pieces(sorted(claims)):
        wanted = [(c.kind, c.issuer, c.value) for c in some]
        found.update(connection.scalars(select(claim.c.fact).where(key.in_(wanted))))
    return found


def _pieces(values: list[_T]) -> Iterator[list[_T]]:
    """What one statement can ask for at a time."""
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))


def _contradicts(claims: Iterable[Claim]) -> bool:
    """Whether two accounts of one system are in it: a person has one account a system."""
    accounts: defaultdict[str, set[str]] = defaultdict(set)
    for each in claims:
        if each.kind == "customer":
            accounts[each.issuer].add(each.value)
    return any(len(values) > 1 for values in accounts.values())


def _points_elsewhere(connection: Connection, each: Claim, found: _Component) -> bool:
    return bool(claiming(connection, (each,)) - found.facts)

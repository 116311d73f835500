"""Who would move: what changed identifiers do to the profiles that documents are in.

All documents that would claim something else are looked at together: two that change in the same
way may come into one profile with each other and with nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from hub.people.claim import JOINING, Claim
from hub.people.nobody import Nobody
from hub.people.profile import FACTS_MAX, claimed_by, claiming

__all__ = ["Moved", "moved"]


@dataclass(frozen=True, slots=True)
class Moved:
    """A document, the others that would come into one profile with it, and those that would go."""

    fact: str
    come: frozenset[str]
    go: frozenset[str]


def moved(
    connection: Connection,
    said: Mapping[str, frozenset[Claim]],
    coming: Mapping[str, str],
    *,
    nobody: Nobody,
) -> Iterator[Moved]:
    """The documents that move if these claim what is ``said`` instead of what is stored.

    Every identifier is followed on both sides, also those that a profile gives up because two
    accounts share them: a person should look at these. ``coming`` names the document that each
    lies in which nobody has yet: whoever has that one has both, and nothing moves by it.
    """
    before, after = _Claims(connection, nobody), _Claims(connection, nobody, said)
    for fact in said:
        now = after.person(fact)
        if fact in coming:
            then = before.person(coming[fact])
            then |= {other for other in now if coming.get(other) in then}
            then &= now
        else:
            then = before.person(fact)
        if then != now:
            yield Moved(fact, now - then, then - now)


@dataclass(slots=True)
class _Claims:
    """What documents claim: what is stored, but for those of which something else is said."""

    connection: Connection
    nobody: Nobody
    said: Mapping[str, frozenset[Claim]] = field(default_factory=dict)
    _makers: dict[Claim, set[str]] = field(default_factory=dict)
    _known: dict[str, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for fact, claims in self.said.items():
            for claim in claims:
                self._makers.setdefault(claim, set()).add(fact)

    def person(self, fact: str) -> frozenset[str]:
        """The documents that identifiers lead to from this one, itself among them."""
        if fact not in self._known:
            found, new = {fact}, {fact}
            while new and len(found) < FACTS_MAX:
                new = self._claiming(self._claimed_by(new)) - found
                found |= new
            # Whoever is reached reaches all the others.
            self._known.update(dict.fromkeys(found, frozenset(found)))
        return self._known[fact]

    def _claimed_by(self, facts: set[str]) -> set[Claim]:
        stored = claimed_by(self.connection, facts - self.said.keys())
        found = stored.union(*(self.said[fact] for fact in facts & self.said.keys()))
        return {claim for claim in found if claim.kind in JOINING and claim not in self.nobody}

    def _claiming(self, claims: Iterable[Claim]) -> set[str]:
        wanted = set(claims)
        stored = claiming(self.connection, wanted, most=FACTS_MAX) - self.said.keys()
        return stored.union(*(self._makers.get(claim, ()) for claim in wanted))

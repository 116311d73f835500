"""Who would move: what changed identifiers of a document do to the profiles around it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from hub.people.claim import JOINING, Claim
from hub.people.nobody import Nobody
from hub.people.profile import FACTS_MAX, claimed_by, claiming

__all__ = ["moved"]


def moved(
    connection: Connection, fact: str, claims: Iterable[Claim], *, nobody: Nobody
) -> tuple[set[str], set[str]]:
    """The documents that would come into one profile with this one, and those that would go.

    ``claims`` are what it would claim. Both ways every identifier is followed, also those that a
    profile gives up because two accounts share them: a person should look at these.
    """
    before = _reached(connection, fact, claimed_by(connection, {fact}), nobody)
    after = _reached(connection, fact, claims, nobody)
    return after - before, before - after


def _reached(
    connection: Connection, fact: str, claims: Iterable[Claim], nobody: Nobody
) -> set[str]:
    """The documents that these claims of a document lead to, and theirs in turn."""
    found: set[str] = set()
    ways = _joining(claims, nobody)
    while len(found) < FACTS_MAX:
        new = claiming(connection, ways, most=FACTS_MAX) - found - {fact}
        if not new:
            break
        found |= new
        ways = _joining(claimed_by(connection, new), nobody)
    return found


def _joining(claims: Iterable[Claim], nobody: Nobody) -> set[Claim]:
    return {claim for claim in claims if claim.kind in JOINING and claim not in nobody}

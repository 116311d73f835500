"""Nobody: identifiers that name no person, however often they stand on a receipt."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection, select

from hub.people.claim import Claim, loyalty, phone
from hub.store.tables import location

__all__ = ["Nobody", "nobody"]


@dataclass(frozen=True, slots=True)
class Nobody:
    """The retailer's own phones and mail domains, and the cards that lie beside the till."""

    phones: frozenset[str] = frozenset()
    mail_domains: frozenset[str] = frozenset()
    cards: frozenset[str] = frozenset()

    def __contains__(self, claim: Claim) -> bool:
        if claim.kind == "phone":
            return claim.value in self.phones
        if claim.kind == "email":
            return claim.value.rpartition("@")[2] in self.mail_domains
        return claim.kind in ("loyalty", "membership") and claim.value in self.cards


def nobody(connection: Connection, *, walk_in_cards: Collection[str] = ()) -> Nobody:
    """What the Locations and the settings say of the retailer's own."""
    phones: set[str] = set()
    domains: set[str] = set()
    columns = select(location.c.phones, location.c.mail_domains, location.c.country)
    for numbers, mails, country in connection.execute(columns):
        phones |= {found for text in json.loads(numbers) if (found := _own(text, country))}
        domains |= {domain.casefold() for domain in json.loads(mails)}
    cards = {number for text in walk_in_cards if (number := loyalty(text))}
    return Nobody(frozenset(phones), frozenset(domains), frozenset(cards))


@lru_cache(maxsize=10_000)
def _own(text: str, country: str | None) -> str | None:
    """Reading a number takes longer than reading its row, and the stores' own hardly change."""
    return phone(text, country)

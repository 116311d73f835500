"""What mappings look up: fields of Locations and Items, as they are loaded now."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from hub import reference
from schemas.location import Location

__all__ = ["Cache", "Lookups"]


@dataclass(slots=True)
class Cache:
    """What was looked up, also what was not there. Only who sees every load may keep one.

    Stores and items are kept up to ``most`` each; then they are looked up again.
    """

    places: dict[tuple[str, str], Location | None] = field(default_factory=dict)
    items: dict[tuple[str, str, str, str], str | None] = field(default_factory=dict)
    most: int = 50_000
    seen: object = None

    def see(self, transaction: object) -> None:
        """Keep what this transaction looks up until another one comes: others load as well."""
        if transaction is not self.seen:
            self.clear()
            self.seen = transaction

    def clear(self) -> None:
        """Look everything up again from now on."""
        self.places.clear()
        self.items.clear()

    def place(self, connection: Connection, system: str, store: str) -> Location | None:
        """A Location as it is loaded."""
        key = (system, store)
        if key not in self.places:
            if len(self.places) >= self.most:
                self.places.clear()
            self.places[key] = reference.location(connection, system, store)
        return self.places[key]


@dataclass(frozen=True, slots=True)
class Lookups:
    """The reference data of one system, as one transaction sees it: see ``mappings.reference``."""

    connection: Connection
    system: str
    cache: Cache = field(default_factory=Cache)

    def location(self, store: str, field: str) -> str | None:
        """A field of the Location that goes by ``store``."""
        place = self.cache.place(self.connection, self.system, store)
        found: str | None = getattr(place, field) if place is not None else None
        return found

    def item(self, kind: str, number: str, field: str) -> str | None:
        """A field of the Item that a number names, or its only number of another kind."""
        key, known = (self.system, kind, number, field), self.cache.items
        if key not in known:
            if len(known) >= self.cache.most:
                known.clear()
            known[key] = reference.item_field(self.connection, self.system, (kind, number), field)
        return known[key]

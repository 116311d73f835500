"""The one place where the hub is put together: home, settings, database, connectors, mappings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine

from connectors import registry
from hub import home as homes
from hub import library, lock, publication, settings
from hub.ahead.ahead import Ahead
from hub.bus import Bus, bus_of
from hub.causes import UNKNOWN_SOURCE
from hub.delivery.outbox import Outbox
from hub.dictionaries import Dictionaries
from hub.door import Door
from hub.home import Home
from hub.journal import Stored
from hub.lookups import Cache, Lookups
from hub.people.nobody import Nobody
from hub.people.nobody import nobody as nobodies
from hub.settings import Settings, Source
from hub.steps import Steps
from hub.store.database import Access, open_database
from hub.translate import Translator, Zone
from schemas.problem import ConfigError

__all__ = ["Hub", "create", "open_hub", "utc_now"]

_LOCK_WAIT_SECONDS = 60.0


def utc_now() -> str:
    """The hub's clock, in the fixed width that sorts as text."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(slots=True)
class Hub:
    """A hub that is open. ``now`` is the clock it goes by."""

    home: Home
    settings: Settings
    engine: Engine
    now: Callable[[], str] = utc_now
    _known: Cache = field(default_factory=Cache)
    dictionaries: Dictionaries = field(default_factory=Dictionaries)
    """With which messages are packed, source by source."""
    bus: Bus = field(init=False)
    """Shares out what is to be settled among those who use the database."""
    ahead: Ahead = field(init=False)
    """Translates what waits before its turn comes."""

    steps: Steps = field(default_factory=Steps)
    """What the hub's processor time goes into since it was opened."""

    def __post_init__(self) -> None:
        self.bus = bus_of(self.engine, self.settings.lease_seconds)
        # Where there is one processor, a second process only gets in the way of the first.
        self.ahead = Ahead(
            enabled=self.settings.second_process and (os.cpu_count() or 1) > 1, steps=self.steps
        )

    @property
    def outbox(self) -> Outbox | None:
        """Where it is written what other systems are to be told, if there are any."""
        chosen = self.settings.destinations
        return Outbox(chosen, self.now) if chosen else None

    @property
    def systems(self) -> frozenset[str]:
        """The systems whose facts come in here."""
        return frozenset(source.system for source in self.settings.sources.values())

    def door(self, source_name: str) -> Door:
        """The door of a source. Raises ``Refused`` if there is no such source."""
        source = self.settings.source(source_name)
        options = self._options(source_name, source)
        return Door(
            source_name,
            source.system,
            registry.load(source.connector).bound(options),
            options,
            source.secrets,
            source.public_url,
            self.dictionaries,
            self.steps,
        )

    def check_doors(self) -> None:
        """Raises ``ConfigError`` if a source has options or secrets that cannot work, or if a poll
        names no source.
        """
        for name in self.settings.sources:
            self.door(name).check()
        for name, poll in self.settings.polls.items():
            if poll.source not in self.settings.sources:
                detail, where = f"no source {poll.source!r}", f"polls.{name}.source"
                raise ConfigError(UNKNOWN_SOURCE.at(detail, path=where))

    def _options(self, name: str, source: Source) -> Any:
        return settings.check_options(
            name, source, registry.load(source.connector).options, self.home
        )

    def translator(self, connection: Connection, stored: Stored) -> Translator:
        """The way of a message to canonical; a source that is gone leaves its defaults."""
        if self.bus.shared:
            self._known.see(connection.get_transaction())
        source = self.settings.sources.get(stored.source)
        if source is None or source.connector != stored.connector:
            source = Source(connector=stored.connector, system=stored.system)
        return Translator(
            connector=registry.load(stored.connector),
            options=self._options(stored.source, source),
            mapping=partial(library.in_force, connection, stored.connector),
            zone=partial(self._zone, connection, stored.system, source),
            reference=Lookups(connection, stored.system, self._known),
            outbox=self.outbox,
            steps=self.steps,
        )

    def _zone(self, connection: Connection, system: str, source: Source, store: str | None) -> Zone:
        assumed = Zone(source.zone, located=False, country=source.region)
        if store is None:
            return assumed
        place = self._known.place(connection, system, store)
        if place is None:
            return assumed
        return Zone(place.zone, located=True, country=place.country or source.region)

    def reader(self) -> Engine:
        """Another engine of the same database, to read beside the writer; dispose of it."""
        return open_database(self.settings.database(self.home), access="read")

    def forget_places(self) -> None:
        """Look Locations and Items up again from now on: others are loaded."""
        self._known.clear()

    def apart(self) -> Hub:
        """This hub for a reader beside the writer, looking Locations and Items up by itself."""
        return replace(self, _known=Cache(), steps=Steps())

    def nobody(self, connection: Connection) -> Nobody:
        """Which identifiers name no person here."""
        return nobodies(connection, walk_in_cards=self.settings.people.walk_in_cards)


def create(home: Home) -> bool:
    """Make a home ready for use; what is there already stays. Returns whether it was new."""
    new = homes.create(home, registry.manifests())
    with open_hub(home):
        return new


@contextmanager
def open_hub(
    home: Home, *, access: Access = "write", now: Callable[[], str] = utc_now
) -> Iterator[Hub]:
    """Open the hub of a home; to write, as the only process that does.

    Raises ``ConfigError`` if the home, its settings or its database cannot be used.
    """
    chosen = settings.read(home)
    if access == "read":
        with _engine(home, chosen, "read") as engine:
            yield Hub(home, chosen, engine, now)
        return
    with lock.hold(home, _LOCK_WAIT_SECONDS), _engine(home, chosen, "write") as engine:
        connectors = {source.connector for source in chosen.sources.values()}
        with engine.begin() as connection:
            publication.follow_shipped(connection, connectors, now=now())
        hub = Hub(home, chosen, engine, now)
        with closing(hub.ahead):
            yield hub


@contextmanager
def _engine(home: Home, chosen: Settings, access: Access) -> Iterator[Engine]:
    engine = open_database(chosen.database(home), access=access)
    try:
        yield engine
    finally:
        engine.dispose()

"""The doctor: what is well and what is not, each with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Connection, func, select

from connectors import registry
from hub import bootstrap, library, unverified
from hub.authoring.inventory import inventory
from hub.delivery.status import destinations
from hub.home import Home
from hub.jobs.record import counts
from hub.polling.status import polls
from hub.store.database import quick_check
from hub.store.tables import document, location, message, record
from schemas.problem import LynchpinError

__all__ = ["Finding", "examine"]

_PACKAGES = ("schemas", "mappings", "connectors", "hub", "store_agent")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``well`` is false where somebody should act."""

    what: str
    well: bool
    detail: str


def examine(home: Home) -> Iterator[Finding]:
    """Look at everything that can be wrong, from the outside in."""
    yield from _packages()
    yield from _connectors()
    try:
        with bootstrap.open_hub(home, access="read") as hub:
            hub.check_doors()
            yield Finding("settings", well=True, detail=f"{len(hub.settings.sources)} sources")
            damage = quick_check(hub.engine)
            detail = "; ".join(damage) or "whole"
            yield Finding("database", well=not damage, detail=detail)
            yield from _contents(hub)
    except LynchpinError as error:
        yield Finding("home", well=False, detail=error.problem.line())


def _packages() -> Iterator[Finding]:
    """The five packages have plain names; another distribution could bring one of the same name."""
    here = Path(__file__).resolve().parent.parent
    for name in _PACKAGES:
        spec = find_spec(name)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin is None or origin.parent.parent != here:
            where = f"the package {name} is another one: install Lynchpin into its own environment"
            yield Finding("packages", well=False, detail=where)
            return
    yield Finding("packages", well=True, detail="all five are ours")


def _connectors() -> Iterator[Finding]:
    for connector, manifest in registry.manifests().items():
        try:
            registry.load(connector)
            for kind in manifest.messages:
                library.shipped(connector, kind)
        except LynchpinError as error:
            yield Finding(f"connector {connector}", well=False, detail=error.problem.line())
        else:
            detail = f"{len(manifest.messages)} kinds of message, {manifest.quality}"
            yield Finding(f"connector {connector}", well=True, detail=detail)


def _mappings(hub: bootstrap.Hub, connection: Connection) -> Iterator[Finding]:
    """What is in force must be readable, or every message of its kind is held."""
    connectors = {source.connector for source in hub.settings.sources.values()}
    found = inventory(connection, connectors)
    well = True
    for each in found:
        try:
            library.in_force(connection, each.target.connector, each.target.kind)
        except LynchpinError as error:
            well = False
            yield Finding(f"mapping {each.target}", well=False, detail=error.problem.line())
    if well:
        own = sum(each.own for each in found)
        detail = f"{len(found)} in force, {own} of your own"
        if changed := [str(each.target) for each in found if each.shipped_changed]:
            detail += f"; Lynchpin ships another {', '.join(changed)} by now"
        yield Finding("mappings", well=True, detail=detail)


def _polls(hub: bootstrap.Hub, connection: Connection) -> Iterator[Finding]:
    """Each poll that fails, and why."""
    found = polls(connection, hub.settings.polls, hub.now())
    failing = [each for each in found if each.problem is not None]
    for each in failing:
        said = each.problem.line() if each.problem else ""
        what = f"poll {each.name}/{each.stream}"
        yield Finding(what, well=False, detail=f"{each.failures} times in a row, {said}")
    if found and not failing:
        yield Finding("polls", well=True, detail=f"{len(found)} streams, none fails")


def _destinations(hub: bootstrap.Hub, connection: Connection) -> Iterator[Finding]:
    """Each destination for which something is parked, or to which nothing is sent."""
    found = destinations(connection, hub)
    ill = [each for each in found if each.parked or each.closed or each.paused or not each.known]
    for each in ill:
        detail = f"{each.waiting} wait, {each.parked} parked; see `lynchpin delivery status`"
        yield Finding(f"destination {each.name}", well=False, detail=detail)
    if found and not ill:
        waiting = sum(each.waiting for each in found)
        yield Finding("destinations", well=True, detail=f"{len(found)}, {waiting} deliveries wait")


def _jobs(connection: Connection) -> Iterator[Finding]:
    """Jobs that could not go on."""
    found = counts(connection)
    if any(found.values()):
        detail = f"{found['failed']} could not go on; see `lynchpin job list`"
        well = not found["failed"]
        yield Finding("jobs", well=well, detail="all go on" if well else detail)


def _contents(hub: bootstrap.Hub) -> Iterator[Finding]:
    with hub.engine.begin() as connection:
        by_state = select(message.c.state, func.count()).group_by(message.c.state)
        states = {str(row[0]): int(row[1]) for row in connection.execute(by_state)}
        flagged = connection.scalar(
            select(func.count()).select_from(document).where(document.c.flags.is_not(None))
        )
        torn = connection.scalar(
            select(func.count())
            .select_from(record)
            .where(record.c.rest_offset.is_not(None), record.c.rest_closed.is_(False))
        )
        stores = connection.scalar(select(func.count()).select_from(location))
        mappings = list(_mappings(hub, connection))
        unsure = unverified.open_windows(connection)
        others = [*_polls(hub, connection), *_destinations(hub, connection), *_jobs(connection)]
    yield from mappings
    total = sum(states.values())
    yield Finding("messages", well=True, detail=f"{total} in the journal")
    pending = states.get("pending", 0)
    detail = f"{pending} wait; the next `lynchpin receive` settles them" if pending else "none wait"
    yield Finding("pending", well=not pending, detail=detail)
    held = states.get("held", 0)
    detail = f"{held} held; see `lynchpin hold list`" if held else "nothing is held"
    yield Finding("holds", well=not held, detail=detail)
    yield Finding("flags", well=True, detail=f"{flagged} documents are worth a look")
    yield Finding("torn files", well=not torn, detail=f"{torn} wait for their rest")
    windows = [f"{w.source} from {w.since_at} to {w.until_at}" for w in unsure]
    detail = f"{'; '.join(windows)}; see `lynchpin db unverified`" if windows else "nothing"
    yield Finding("unverified since a restore", well=not windows, detail=detail)
    yield from others
    yield Finding("locations", well=True, detail=f"{stores} loaded")

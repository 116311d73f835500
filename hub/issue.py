"""Issuing a key: what holds for every key that a person asks for, wherever they ask."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from hub import keys
from hub.bootstrap import Hub
from hub.delivery import deciding
from hub.keys import COMMAND_LINE, Key, Role
from schemas.problem import Cause, Refused

__all__ = ["issue"]

NAME_TAKEN = Cause(
    "LP-KEY-005",
    "The hub gives this name to the key of its own command line.",
    "Choose another name.",
)
NAMELESS = Cause(
    "LP-KEY-006",
    "A key has a name of at most 100 characters.",
    "Name it after who will have it.",
)

_NAME_MAX = 100


def issue(
    hub: Hub,
    connection: Connection,
    *,
    name: str,
    role: Role,
    sources: Collection[str] = (),
    stores: Collection[str] = (),
    destinations: Collection[str] = (),
    actor: str,
) -> tuple[Key, str]:
    """A new key and its text, which nobody can show again.

    Raises ``Refused`` if a source or destination is not there or does not go with the role, or if
    the name is none or the hub's own: who has that one is believed when it says on whose behalf it
    calls.
    """
    if not 0 < len(name.strip()) <= _NAME_MAX:
        raise Refused(NAMELESS.at(f"{len(name)} characters"))
    if name == COMMAND_LINE:
        raise Refused(NAME_TAKEN.at())
    for source in sources:
        hub.settings.source(source)
    for destination in destinations:
        deciding.check(hub, destination)
    limits = {"sources": sources, "stores": stores, "destinations": destinations}
    return keys.create(connection, name, role, **limits, actor=actor, now=hub.now())

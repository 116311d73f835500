"""A replay of a mapping in one go, as a job does it in steps."""

from __future__ import annotations

from sqlalchemy import Connection

from hub.bootstrap import Hub
from hub.jobs import ask as asks
from hub.jobs.ask import Ask
from hub.messages import Sought
from hub.publication import Target
from hub.remake import Remade, remake

__all__ = ["replay"]


def replay(
    hub: Hub,
    connection: Connection,
    target: Target,
    *,
    plan: str | None = None,
    since: str | None = None,
) -> Remade:
    """Make all documents again that another version of the mapping made, or a part of them."""
    ask = asks.settled(hub, connection, Ask(Sought(since=since), target=target, plan=plan))
    found = asks.numbers(hub, connection, ask, after=0, last=2**62, limit=10_000)
    return remake(hub, connection, found, ask.kinds)

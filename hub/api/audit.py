"""The audit of reading: what names people is shown only once it is kept who wanted to see it."""

from __future__ import annotations

import asyncio
from functools import partial

from sqlalchemy import Connection, insert

from hub.api.served import Served
from hub.keys import Key
from hub.store.tables import audit

__all__ = ["seen"]


async def seen(served: Served, key: Key, subject: str) -> None:
    """Keep that the holder of a key is about to see this; returns once it is on the disk."""
    line = partial(_write, actor=key.actor, subject=subject, now=served.hub.now())
    await asyncio.wrap_future(served.writer.submit(line))


def _write(connection: Connection, *, actor: str, subject: str, now: str) -> None:
    values = {"at": now, "actor": actor, "act": "read", "subject": subject}
    connection.execute(insert(audit).values(values))

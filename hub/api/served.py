"""What every route works with: the hub, its writer, and a way to read beside the writer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from sqlalchemy import Connection, Engine

from hub import log
from hub.api.body import Budget
from hub.api.rate import Rates
from hub.api.traffic import Traffic
from hub.bootstrap import Hub
from hub.door import Taken
from hub.weight import Weighed
from hub.writer import Writer

__all__ = ["Reading", "Served", "ServedHere"]

T = TypeVar("T")

_DOORSTEP_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Served:
    """One running hub. ``readers`` sees what is committed and can change nothing; so does
    ``lodge``, which is used from the event loop only and so never has to be waited for. Senders
    of webhooks share a smaller ``doorstep`` until they have shown who they are.
    """

    hub: Hub
    writer: Writer
    readers: Engine
    lodge: Engine
    rates: Rates
    traffic: Traffic = field(default_factory=Traffic)
    weighed: Weighed = field(default_factory=Weighed)
    budget: Budget = field(default_factory=Budget)
    doorstep: Budget = field(default_factory=partial(Budget, _DOORSTEP_BYTES))

    async def finish(self, work: Callable[[Connection], T]) -> T:
        """Have something written, and see it through: it goes on even if the caller goes away.

        So a body is not given back while the writer still reads it.
        """
        return await asyncio.shield(asyncio.wrap_future(self.writer.submit(work)))

    async def take_in(self, work: Callable[[Connection], Taken]) -> Taken:
        """Have a record taken in; the line of the call in the log then names it."""
        taken = await self.finish(work)
        log.note(record=taken.record)
        return taken


async def _served(request: Request) -> Served:
    served = request.app.state.served
    assert isinstance(served, Served)
    return served


ServedHere = Annotated[Served, Depends(_served)]


def _reading(served: ServedHere) -> Iterator[Connection]:
    with served.readers.begin() as connection:
        yield connection


Reading = Annotated[Connection, Depends(_reading)]
"""One unchanging view of the database, for as long as the call lasts."""

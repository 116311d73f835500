"""What every route works with: the hub, its writer, and a way to read beside the writer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection, Engine

from hub.api.body import Budget
from hub.bootstrap import Hub
from hub.writer import Writer

__all__ = ["Reading", "Served", "ServedHere"]


@dataclass(frozen=True, slots=True)
class Served:
    """One running hub. ``readers`` sees what is committed and can change nothing; so does
    ``lodge``, which is used from the event loop only and so never has to be waited for.
    """

    hub: Hub
    writer: Writer
    readers: Engine
    lodge: Engine
    budget: Budget = field(default_factory=Budget)


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

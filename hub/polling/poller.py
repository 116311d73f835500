"""The poller: a thread for each poll that reads what is due, one stream after the other.

A system that hangs or fails keeps nobody else waiting, and one of its streams that fails does not
keep the others. What came is kept through the writer; where the hub is killed before that, the same
page is asked for again.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from hub.bootstrap import Hub
from hub.bus import LeaseLost
from hub.delivery import schedule
from hub.door import Door
from hub.failure import place_of
from hub.polling import progress
from hub.polling.ask import Ask, Failed, Got, ask
from hub.polling.causes import UNFORESEEN
from hub.polling.chosen import Poll, Stream
from hub.polling.page import Element, Page, read
from hub.polling.progress import After, Moved, Standing
from hub.polling.reading import Reading, begun, following, onward, target
from hub.polling.turn import Turn
from hub.writer import Writer
from schemas.problem import Refused, Unavailable

__all__ = ["Keep", "Poller", "polled_by", "polling"]

Keep = Callable[[Callable[[Connection], Any]], Any]
"""Has something written, and returns what came of it once it is on the disk."""

_LOOK_SECONDS = 0.5

_log = logging.getLogger("lynchpin.polling")


@dataclass(slots=True)
class Poller:
    """Reads one poll; ``ask`` and ``dice`` are how it asks and when it tries again."""

    name: str
    poll: Poll
    door: Door
    keep: Keep
    readers: Engine
    now: Callable[[], str]
    turn: Turn
    over: threading.Event = field(default_factory=threading.Event)
    ask: Ask = ask
    dice: Random = field(default_factory=random.SystemRandom)

    def run(self) -> None:
        """Poll until told to end; what goes wrong here is said, and tried again."""
        while not self.over.is_set():
            try:
                if self.round():
                    continue
            except Exception as error:  # noqa: BLE001
                if not isinstance(error, Unavailable):
                    extra = {"poll": self.name, "failure": place_of(error)}
                    _log.error("polling failed", extra=extra)
            self.over.wait(_LOOK_SECONDS)

    def round(self) -> int:
        """Read every stream that is due; says how many that were. None are where it is another
        process's turn.
        """
        with self.readers.begin() as connection:
            if not progress.due(connection, self.name, self.poll.streams, self.now()):
                return 0
        if not self.keep(self._take):
            return 0
        count = 0
        try:
            with self.readers.begin() as connection:
                due = progress.due(connection, self.name, self.poll.streams, self.now())
            for stream in due:
                # An earlier one may have been told to leave the system alone for a while.
                if not self.over.is_set() and self._is_due(stream):
                    self._read(stream)
                    count += 1
        except LeaseLost:
            _log.warning("the turn was lost", extra={"poll": self.name})
        finally:
            self.keep(self.turn.give_back)
        return count

    def _take(self, connection: Connection) -> bool:
        if not self.turn.take(connection):
            return False
        progress.begin(connection, self.name, self.poll.streams, self.now())
        return True

    def _is_due(self, stream: str) -> bool:
        with self.readers.begin() as connection:
            return stream in progress.due(connection, self.name, [stream], self.now())

    def _read(self, name: str) -> None:
        """Read a stream to its end, or as far as its share of pages goes, or until it fails."""
        for _ in range(self.poll.pages_max):
            with self.readers.begin() as connection:
                at = progress.standing(connection, self.name, name)
            try:
                on = self._page(at)
            except Moved:
                # It is due, from where it stands now.
                return
            except (LeaseLost, Unavailable, OperationalError):
                raise
            except Failed as failed:
                self._failed(at, failed)
                return
            except Exception as error:  # noqa: BLE001
                self._failed(at, Failed(UNFORESEEN.at(place_of(error))))
                return
            if not on or self.over.is_set():
                return

    def _page(self, at: Standing) -> bool:
        """Ask for the next page and keep it; says whether there is another one to ask for."""
        stream = self.poll.streams[at.stream]
        reading = at.reading or begun(
            self.poll, stream, cursor=at.cursor, rounds=at.rounds, now=self.now()
        )
        url = target(self.poll, stream, reading)
        got = self.ask(self.poll, url, self.now)
        try:
            page = read(self.door, stream, got.body)
            link = following(url, got.link) if stream.pages == "link" else None
        except Refused as refusal:
            raise Failed(refusal.problem) from None
        after = partial(self._after, at=at, reading=reading, page=page, got=got, link=link)
        work = partial(self._kept, at=at, page=page, got=got, after=after)
        try:
            taken, on = self.keep(work)
        except Refused as refusal:
            raise Failed(refusal.problem) from None
        if taken:
            extra = {"poll": self.name, "stream": at.stream, "taken": taken}
            _log.info("polled", extra={**extra, "seen": len(page.elements)})
        return bool(on)

    def _kept(
        self, connection: Connection, *, at: Standing, page: Page, got: Got, after: After
    ) -> tuple[int, bool]:
        self.turn.confirm(connection)
        return progress.keep(
            connection, self.door, at, page, after=after, stamped_at=got.until, now=self.now()
        )

    def _after(
        self,
        fresh: list[Element],
        *,
        at: Standing,
        reading: Reading,
        page: Page,
        got: Got,
        link: str | None,
    ) -> tuple[Reading | None, dict[str, Any]]:
        """How the reading goes on after a page of which this much was new; at its end, what that
        changes of the stream.
        """
        stream = self.poll.streams[at.stream]
        read_so_far = reading.with_page(page.elements, got.at)
        on = onward(stream, read_so_far, page.elements, fresh, link)
        return on, {} if on else self._ended(at, stream, read_so_far)

    def _ended(self, at: Standing, stream: Stream, reading: Reading) -> dict[str, Any]:
        now = self.now()
        later = schedule.later(now, self.poll.every_seconds)
        if reading.kind == "reread":
            # What has changed since is read at once: a rewind begins with what is read again.
            return {"rounds": 0, "polled_at": now, "due_at": now}
        rounds = at.rounds + 1
        ended = {"rounds": rounds, "polled_at": now, "due_at": later}
        if reading.latest is not None and reading.begun_at is not None:
            # What claims to have changed in the future must not keep the present from being read.
            reached = min(reading.latest, reading.begun_at)
            ended["cursor"] = max(reached, at.cursor or reached)
        return ended

    def _failed(self, at: Standing, failed: Failed) -> None:
        extra = {"poll": self.name, "stream": at.stream, "code": failed.problem.code}
        _log.warning("polling failed", extra=extra)
        anew = failed.refused and at.reading is not None and at.reading.next is not None
        self.keep(
            partial(
                progress.fail,
                at=at,
                problem=failed.problem,
                asked_seconds=failed.asked_seconds,
                anew=anew,
                now=self.now(),
                dice=self.dice,
            )
        )


def _poller(hub: Hub, name: str, keep: Keep, readers: Engine) -> Poller:
    poll = hub.settings.polls[name]
    seconds = poll.timeout_seconds + hub.settings.lease_seconds
    turn = Turn(name, seconds, shared=hub.bus.shared)
    by = partial(ask, egress=hub.settings.egress)
    return Poller(name, poll, hub.door(poll.source), keep, readers, hub.now, turn, ask=by)


@contextmanager
def polled_by(hub: Hub, name: str) -> Iterator[Poller]:
    """A poller of the settings for whoever holds the hub and runs no writer."""

    def keep(work: Callable[[Connection], Any]) -> Any:
        with hub.engine.begin() as connection:
            return work(connection)

    readers = hub.reader()
    try:
        yield _poller(hub, name, keep, readers)
    finally:
        readers.dispose()


@contextmanager
def polling(writer: Writer) -> Iterator[None]:
    """Poll everything that the settings name, until the block ends."""
    hub = writer.hub
    if not hub.settings.polls:
        yield
        return

    def keep(work: Callable[[Connection], Any]) -> Any:
        return writer.submit(work).result()

    readers = hub.reader()
    pollers = [_poller(hub, name, keep, readers) for name in hub.settings.polls]
    threads = [threading.Thread(target=each.run, name=f"poll {each.name}") for each in pollers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for each in pollers:
            each.over.set()
        for thread in threads:
            thread.join()
        readers.dispose()

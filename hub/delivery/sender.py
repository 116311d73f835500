"""The sender: a thread for each destination that sends what is due, one after the other.

One destination that hangs keeps nobody else waiting. What came of an attempt is written through the
writer; where the hub is killed between the answer and that, the same is sent again under its id.
"""

from __future__ import annotations

import logging
import random
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from random import Random

from sqlalchemy import Engine

from hub.delivery import queue, schedule
from hub.delivery.post import Answer, post
from hub.delivery.signature import signed
from hub.failure import place_of
from hub.settings import Destination
from hub.writer import Writer
from schemas.problem import Unavailable

__all__ = ["Post", "Sender", "sending"]

Post = Callable[[Destination, Mapping[str, str], bytes], Answer]

_AT_ONCE = 16
_LOOK_SECONDS = 0.5
_SPARE_SECONDS = 60.0
"""Beside the time that attempts may take, until others take the sender for dead."""

_log = logging.getLogger("lynchpin.delivery")


@dataclass(slots=True)
class Sender:
    """Sends to one destination; ``post`` and ``dice`` are how it does and when it tries again."""

    writer: Writer
    readers: Engine
    name: str
    to: Destination
    over: threading.Event = field(default_factory=threading.Event)
    post: Post = post
    dice: Random = field(default_factory=random.SystemRandom)
    holder: str = field(default_factory=lambda: secrets.token_hex(8))

    def run(self) -> None:
        """Send until told to end; what goes wrong here is said, and tried again."""
        while not self.over.is_set():
            try:
                if self.round():
                    continue
            except Exception as error:  # noqa: BLE001
                if not isinstance(error, Unavailable):
                    extra = {"destination": self.name, "failure": place_of(error)}
                    _log.error("sending failed", extra=extra)
            self.over.wait(_LOOK_SECONDS)

    def round(self) -> int:
        """Send some of what is due; says how much that was."""
        now = self.writer.hub.now
        with self.readers.begin() as connection:
            if not queue.is_due(connection, self.name, now()):
                return 0
        begun = now()
        seconds = _AT_ONCE * self.to.timeout_seconds + _SPARE_SECONDS
        taking = partial(
            queue.take,
            name=self.name,
            to=self.to,
            holder=self.holder,
            limit=_AT_ONCE,
            now=begun,
            until=schedule.later(begun, seconds),
        )
        taken = self.writer.submit(taking).result()
        kept = []
        failed = 0
        for position, sent in enumerate(taken):
            if failed >= schedule.FAILURES or self.over.is_set():
                back = partial(queue.give_back, unsent=taken[position:], now=now())
                kept.append(self.writer.submit(back))
                break
            answer = self._sent(sent)
            finish = partial(queue.finish, sent=sent, answer=answer, now=now(), dice=self.dice)
            kept.append(self.writer.submit(finish))
            found = schedule.verdict(answer)
            failed = failed + 1 if found == "failed" else 0
            if found == "gone" or (failed and schedule.asked(answer, now())):
                failed = schedule.FAILURES
        for each in kept:
            each.result()
        return len(taken)

    def _sent(self, sent: queue.Sending) -> Answer:
        seconds = int(datetime.fromisoformat(self.writer.hub.now()).timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Lynchpin",
            **signed(sent.key, seconds, sent.body, self.to.secrets),
        }
        answer = self.post(self.to, headers, sent.body)
        found = schedule.verdict(answer)
        extra = {
            "destination": self.name,
            "delivery": sent.id,
            "message_id": sent.message_id,
            "attempt": sent.attempts,
            "status": answer.status,
            "verdict": found,
        }
        _log.log(logging.INFO if found == "delivered" else logging.WARNING, "sent", extra=extra)
        return answer


@contextmanager
def sending(writer: Writer) -> Iterator[None]:
    """Send to every destination of the settings, until the block ends."""
    hub = writer.hub
    if not hub.settings.destinations:
        yield
        return
    if not hub.bus.shared:
        writer.submit(partial(queue.let_go, now=hub.now())).result()
    over = threading.Event()
    readers = hub.reader()
    by = partial(post, egress=hub.settings.egress)
    threads = [
        threading.Thread(target=Sender(writer, readers, name, to, over, by).run, name=f"to {name}")
        for name, to in hub.settings.destinations.items()
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
        readers.dispose()

"""Translating ahead: what waits is given to a second process before its turn comes.

Nothing depends on that process. It is told what it needs to know of the database, says for each
message which of that it relied on, and its work counts only if the transaction that applies the
message sees the same. Whatever it has not done, or was killed over, the hub does by itself, in the
order in which the messages came.
"""

from __future__ import annotations

import logging
import select
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection

from hub import journal
from hub.ahead.made import Prepared, prepared
from hub.ahead.process import Process, start
from hub.ahead.stock import SLOWER, Portion, Stock
from hub.ahead.wire import (
    AllDone,
    Answer,
    Question,
    Told,
    Unread,
    Work,
    receive,
    send,
)
from hub.journal import Stored
from hub.steps import Steps
from hub.translate import Translator

__all__ = ["Ahead"]

_LEAST = 10
"""A tenth of what is sent at once: fewer messages are done sooner than they are sent."""
_PARTS, _KEPT_MAX = 8, 4
_BYTES = 16 * 1024 * 1024
_STOCK = 10
"""So many portions may lie in stock: the process goes on while the hub takes in faster than it
settles."""
_ANSWERS_MAX = 100_000
_LEAST_SECONDS = 0.001
_AGAIN_SECONDS, _AGAIN_SECONDS_MAX = 1.0, 60.0

_log = logging.getLogger("lynchpin.ahead")


@dataclass(frozen=True, slots=True)
class _Way:
    """A source with one of its messages, and its options, as text if they can be told so."""

    stored: Stored
    options: Any
    text: str | None


@dataclass(slots=True)
class Ahead:
    """Use it from one thread at a time, and close it at the end.

    It sends ``at_once`` messages, for the first time once so many wait, and is not patient with a
    process that is silent for longer than ``patience_seconds``. ``taken`` counts the messages whose
    translation was made ahead and taken over. Where the hub had to wait for the process it keeps an
    eighth more of the next portion, to translate that itself; where the process waited, one less.
    """

    enabled: bool = True
    steps: Steps = field(default_factory=Steps)
    at_once: int = 200
    patience_seconds: float = 30.0
    taken: int = 0
    waited: bool = False
    """Whether the hub has had nothing else to do than wait for it since it was last given some."""
    _kept: int = 0
    """How many eighths the hub keeps."""
    _heard_at: float = 0.0
    """When the process last gave something back, or got something to do after it had nothing."""
    _process: Process | None = None
    _out: deque[Portion] = field(default_factory=deque)
    """The portions that the process has now."""
    _informed: bool = False
    """Whether the process has done a portion without a question: then two of them are sent, so that
    it has the next one before it is through with this one."""
    _stock: Stock = field(default_factory=Stock)
    _last: int = 0
    _ways: dict[Question, _Way] = field(default_factory=dict)
    _asked: set[Question] = field(default_factory=set)
    _answers: list[tuple[Question, Answer]] = field(default_factory=list)
    """Everything that was ever told, by its number."""
    _numbers: dict[Question, int] = field(default_factory=dict)
    _untold: list[int] = field(default_factory=list)
    _not_before: float = 0.0
    _again_seconds: float = _AGAIN_SECONDS

    def within(self, limit: int) -> int:
        """How many messages to settle, so as to wait for no more of the process than is needed, and
        to take no longer than for so many that it has translated.
        """
        while self._said:
            self._read()
        if self._out and not self._stock:
            return min(limit, len(self._out[0].whole))
        if self._process is None:
            return limit
        return self._stock.within(limit) or max(limit // SLOWER, 1)

    def collect(self, messages: Iterable[Stored]) -> None:
        """Wait for the process if it has any of these messages, which are about to be settled."""
        numbers = {stored.id for stored in messages}
        while any(number in numbers for portion in self._out for number, _ in portion.sent):
            self.waited = self.waited or not self._said
            self._read()
        if not self._out and self._stock.lacks(numbers):
            # Somebody else has settled what was made ahead here.
            self._stock.clear()

    @property
    def idle(self) -> bool:
        """Whether the process is there and has nothing to do."""
        return self.enabled and self._process is not None and not self._out and not self._stock

    def begin(
        self,
        connection: Connection,
        messages: list[Stored],
        translator: Callable[[Connection, Stored], Translator],
    ) -> bool:
        """Have these messages translated, if it is idle and they are enough to make it worth it."""
        if not self.idle or len(messages) < self.at_once // _LEAST:
            return False
        self._give(messages[: self.at_once], partial(translator, connection))
        return True

    def go_on(
        self,
        connection: Connection,
        after: int,
        translator: Callable[[Connection, Stored], Translator],
    ) -> None:
        """Have the messages translated that follow, as many as keep the process busy."""
        while self.enabled and self._wants_more:
            after = max(after, self._last)
            least = self.at_once // (1 if self._process is None else _LEAST)
            waiting = journal.pending(connection, after=after, limit=self.at_once)
            if len(waiting) < least or not self._started():
                return
            self._give(waiting, partial(translator, connection))

    @property
    def _wants_more(self) -> bool:
        most = 2 if self._informed else 1
        return len(self._out) < most and not self._stock.is_full(_STOCK * self.at_once)

    def _give(self, waiting: list[Stored], ask: Callable[[Stored], Translator]) -> None:
        """Send a portion, with whatever the process is to know for it."""
        sent: list[tuple[int, str]] = []
        messages: list[Unread] = []
        whole: list[tuple[int, int]] = []
        size = 0
        self._weigh()
        for position, stored in enumerate(waiting):
            if size + len(stored.payload) > _BYTES and messages:
                break
            size += len(stored.payload)
            whole.append((stored.id, len(stored.payload)))
            options = self._way(stored, ask).text
            self._last = stored.id
            kept = position * self._kept % _PARTS < self._kept
            if options is not None and not kept:
                sent.append((stored.id, stored.digest))
                messages.append(_unread(stored, options))
        for question in self._asked:
            self._tell(question, _answer(ask(self._ways[question[:3]].stored), question))
        self._asked.clear()
        told = [Told(number, *self._answers[number]) for number in self._untold]
        self._untold.clear()
        if not self._out:
            self._heard_at = time.monotonic()
        self._out.append(Portion(sent, whole))
        self._say(Work(told, messages))

    def _weigh(self) -> None:
        """Keep more where the hub waited for the process, less where the process does for it."""
        if self.waited:
            self._kept = min(self._kept + 1, _KEPT_MAX)
        elif not self._out:
            self._kept = max(self._kept - 1, 0)
        self.waited = False

    def prepared(self, stored: Stored, translator: Translator) -> Prepared | None:
        """What was made ahead of a message, if it still is what the hub itself would make."""
        done = self._stock.take(stored)
        if done is None or done.failed or done.asked:
            return None
        if self._ways[_source(stored)].options != translator.options:
            return None
        if not all(self._holds(number, translator) for number in done.used):
            return None
        self.taken += 1
        return prepared(done)

    @property
    def process(self) -> int | None:
        """The number of the process, if there is one."""
        return None if self._process is None else self._process.process.pid

    @property
    def ready(self) -> bool:
        """Whether the process has done a portion, or has nothing to do: then it is worth a turn."""
        return self._process is not None and (not self._out or self._said)

    @property
    def stocked(self) -> bool:
        """Whether the process has done so much that the hub is behind with settling it."""
        return self._stock.is_full(self.at_once)

    @property
    def busy(self) -> bool:
        """Whether to settle now were to wait for the process, which may still take its time."""
        within = time.monotonic() - self._heard_at < self.patience_seconds
        return bool(self._out) and not self._stock and not self._said and within

    @property
    def _said(self) -> bool:
        """Whether there is something to read from the process, be it only that it ended."""
        if self._process is None:
            return False
        poll = select.poll()
        poll.register(self._process.line, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """End the process. What it has not done, somebody else does."""
        if self._process is not None:
            self._process.end()
            self._process = None
        self._out.clear()
        self._last, self._informed = 0, False
        self._stock.clear()

    def _holds(self, number: int, translator: Translator) -> bool:
        """Whether an answer that was relied on is still the answer."""
        question, answer = self._answers[number]
        now = _answer(translator, question)
        if now == answer:
            return True
        self._tell(question, now)
        return False

    def _tell(self, question: Question, answer: Answer) -> None:
        known = self._numbers.get(question)
        if known is None or self._answers[known][1] != answer:
            self._numbers[question] = len(self._answers)
            self._untold.append(len(self._answers))
            self._answers.append((question, answer))

    def _way(self, stored: Stored, ask: Callable[[Stored], Translator]) -> _Way:
        key = _source(stored)
        if key not in self._ways:
            options = ask(stored).options
            blank = replace(stored, payload=b"", context=b"")
            self._ways[key] = _Way(blank, options, _written(options))
        return self._ways[key]

    def _started(self) -> bool:
        if len(self._answers) > _ANSWERS_MAX:
            self._forget()
        if self._process is None and time.monotonic() >= self._not_before:
            self._process = start(self.patience_seconds)
            self._untold = list(self._numbers.values())
        return self._process is not None

    def _forget(self) -> None:
        """Begin anew: too much was looked up to remember it all."""
        self.close()
        self._answers.clear()
        self._numbers.clear()
        self._untold.clear()

    def _say(self, work: Work) -> None:
        assert self._process is not None
        try:
            send(self._process.line, work)
        except OSError:
            self._lost()

    def _read(self) -> None:
        assert self._process is not None
        # However long it has been waited for elsewhere counts as well.
        left = self._heard_at + self.patience_seconds - time.monotonic()
        self._process.line.settimeout(max(left, _LEAST_SECONDS))
        try:
            answer = receive(self._process.line, AllDone)
        except (OSError, ValueError):
            self._lost()
            return
        self._heard_at = time.monotonic()
        self._process.line.settimeout(self.patience_seconds)
        self._asked.update(question for one in answer.done for question in one.asked)
        self._informed = not self._asked
        portion = self._out.popleft()
        self._stock.add(portion, answer.done)
        self.steps.include(answer.steps)
        self._again_seconds = _AGAIN_SECONDS

    def _lost(self) -> None:
        """The process is gone or stuck; another one takes its place, soon or a little later."""
        lost = sum(len(portion.sent) for portion in self._out)
        _log.warning("the second process is replaced", extra={"messages": lost})
        self.close()
        self._not_before = time.monotonic() + self._again_seconds
        self._again_seconds = min(2 * self._again_seconds, _AGAIN_SECONDS_MAX)


def _source(stored: Stored) -> Question:
    return (stored.source, stored.connector, stored.system)


def _unread(stored: Stored, options: str) -> Unread:
    return Unread(
        stored.source,
        stored.system,
        stored.connector,
        options,
        stored.offset,
        stored.payload,
        stored.context,
        stored.digest,
        bool(stored.joined),
        stored.file,
        stored.stores,
    )


def _written(options: Any) -> str | None:
    """Options as text that says the same; those that hold more than text can say stay here."""
    try:
        text: str = options.model_dump_json()
        again = type(options).model_validate_json(text)
    except ValueError:
        return None
    return text if again == options else None


def _answer(translator: Translator, question: Question) -> Answer:
    """What the hub itself would find, in the transaction of this translator."""
    name, *about = question[3:]
    if name == "mapping":
        mapping = translator.mapping(about[0])
        return mapping.version, mapping.spec.text, mapping.spec.file
    if name == "zone":
        zone = translator.zone(about[0] if about else None)
        return zone.name, "located" if zone.located else None, zone.country
    if name == "location":
        return translator.reference.location(about[0], about[1])
    return translator.reference.item(about[0], about[1], about[2])

"""The second process: it gets the bytes of messages and gives back what their documents do.

It never sees the database. Whatever it would look up there the hub tells it; what it was not told
it asks for, and the hub translates that message itself. It ends when the hub does.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from queue import SimpleQueue
from typing import Any, NoReturn

from connectors import registry
from connectors.api import Connector
from hub import library
from hub.ahead.wire import (
    AllDone,
    Answer,
    Done,
    Made,
    Question,
    Unread,
    Work,
    packed,
    receive,
    send,
)
from hub.effects import effects_of
from hub.journal import Stored
from hub.steps import Steps, clock
from hub.translate import Named, Translator, Zone
from mappings.mapping import Mapping
from schemas.problem import LynchpinError

__all__: list[str] = []

_SOURCES_MAX = 1000
_SWITCH_SECONDS = 0.0005
"""A thread that only carries bytes must not wait long for the one that translates."""


class _Unknown(Exception):
    """A question without which nothing can go on."""


@dataclass(slots=True)
class _Knowledge:
    """What the hub has told, and what one message has asked of it."""

    answers: dict[Question, tuple[int, Answer]] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)
    asked: set[Question] = field(default_factory=set)

    def begin(self) -> None:
        """The next message."""
        self.used.clear()
        self.asked.clear()

    def ask(self, question: Question) -> Answer:
        """The answer, or nothing; the message then counts for nothing."""
        known = self.answers.get(question)
        if known is None:
            self.asked.add(question)
            return None
        self.used.add(known[0])
        return known[1]


@dataclass(frozen=True, slots=True)
class _Way:
    """How messages of one source are translated, by what is known."""

    knowledge: _Knowledge
    name: Question

    def mapping(self, kind: str) -> Mapping:
        """The mapping in force."""
        said = self.knowledge.ask((*self.name, "mapping", kind))
        if not isinstance(said, tuple):
            raise _Unknown
        _, text, file = said
        assert text is not None
        assert file is not None
        return _mapping(self.name[1], text, file)

    def zone(self, store: str | None) -> Zone:
        """The zone of a store."""
        said = self.knowledge.ask((*self.name, "zone", *((store,) if store is not None else ())))
        if not isinstance(said, tuple):
            raise _Unknown
        name, located, country = said
        return Zone(name or "", located is not None, country)

    def location(self, store: str, field: str) -> str | None:
        """See ``mappings.reference``."""
        said = self.knowledge.ask((*self.name, "location", store, field))
        return said if isinstance(said, str) else None

    def item(self, kind: str, number: str, field: str) -> str | None:
        """See ``mappings.reference``."""
        said = self.knowledge.ask((*self.name, "item", kind, number, field))
        return said if isinstance(said, str) else None


@lru_cache(maxsize=256)
def _mapping(connector: str, text: str, file: str) -> Mapping:
    return library.read(connector, text, file)


@lru_cache(maxsize=_SOURCES_MAX)
def _connector(name: str, options: str) -> tuple[Connector, Any]:
    connector = registry.load(name)
    return connector, connector.options.model_validate_json(options)


def _translator(knowledge: _Knowledge, unread: Unread, steps: Steps) -> Translator:
    way = _Way(knowledge, (unread.source, unread.connector, unread.system))
    connector, options = _connector(unread.connector, unread.options)
    return Translator(connector, options, way.mapping, way.zone, way, steps=steps)


def _stored(unread: Unread) -> Stored:
    return Stored(
        id=0,
        record_id=0,
        offset=unread.offset,
        payload=unread.payload,
        digest=unread.digest,
        joined=unread.joined,
        state="pending",
        context=unread.context,
        source=unread.source,
        system=unread.system,
        connector=unread.connector,
        file=unread.file,
        stores=unread.stores,
    )


def _done(knowledge: _Knowledge, unread: Unread, steps: Steps) -> Done:
    """Translate a message. Whatever goes wrong that nobody foresaw, the hub meets it again."""
    knowledge.begin()
    try:
        done = _translated(_translator(knowledge, unread, steps), _stored(unread))
    except _Unknown:
        return Done([], list(knowledge.asked))
    except Exception:  # noqa: BLE001
        return Done([], failed=True)
    if knowledge.asked:
        return Done([], list(knowledge.asked))
    done.used = list(knowledge.used)
    return done


def _translated(translator: Translator, stored: Stored) -> Done:
    try:
        named_ones = translator.named(stored)
    except LynchpinError as error:
        return Done([], problem=error.problem.model_dump_json())
    return Done([], documents=[_made(translator, stored, named) for named in named_ones])


def _made(translator: Translator, stored: Stored, named: Named) -> Made:
    make = partial(
        Made,
        named.document.kind,
        named.document.at,
        named.name.kind,
        named.name.content_version,
        named.name.version,
        named.fact,
        named.business_hash,
        named.further,
    )
    try:
        translated = translator.translated(stored, named)
    except LynchpinError as error:
        return make(None, error.problem.model_dump_json())
    since = clock()
    effects = effects_of(translated)
    translator.steps.add("resolve", since)
    return make(packed(effects), None)


def _main() -> None:
    # Who stops the hub by hand stops its whole group; the hub closes the line once it is ready.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setswitchinterval(_SWITCH_SECONDS)
    coming: SimpleQueue[Work] = SimpleQueue()
    going: SimpleQueue[AllDone] = SimpleQueue()
    with socket.socket(fileno=0) as line:
        # Neither side waits for the other to read: the next work is here before this one is done,
        # and what is done lies ready until the hub has a moment for it.
        for step in (partial(_listen, line, coming), partial(_answer, line, going)):
            threading.Thread(target=_while_the_line_holds, args=(step,), daemon=True).start()
        _work(coming, going)


def _while_the_line_holds(step: Callable[[], None]) -> None:
    """The line breaks where the hub ends, however it does; whatever was under way is for nobody."""
    with suppress(OSError, ValueError):
        while True:
            step()
    os._exit(0)


def _listen(line: socket.socket, coming: SimpleQueue[Work]) -> None:
    coming.put(receive(line, Work))


def _answer(line: socket.socket, going: SimpleQueue[AllDone]) -> None:
    send(line, going.get())


def _work(coming: SimpleQueue[Work], going: SimpleQueue[AllDone]) -> NoReturn:
    knowledge = _Knowledge()
    while True:
        work = coming.get()
        for told in work.told:
            knowledge.answers[told.question] = (told.number, told.answer)
        steps = Steps()
        done = [_done(knowledge, unread, steps) for unread in work.messages]
        going.put(AllDone(done, steps.seconds))


if __name__ == "__main__":
    _main()

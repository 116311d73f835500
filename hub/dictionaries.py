"""Dictionaries: what the texts of each source have in common, learned where that pays.

A dictionary is kept for ever, and what it holds with it. So it is learned from texts in which every
word has been taken out that is not in many of them: markup, names of fields and the shop's own
codes stay, and nobody's name, number or address does, unless a twentieth of all messages has it.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain, pairwise, zip_longest
from typing import Any, TypeVar

import zstandard
from sqlalchemy import Connection, Select, desc, func, insert, select

from hub import audit
from hub.packing import Dictionary, compress, decompress
from hub.store.tables import dictionary, message, record

__all__ = [
    "GAIN_MIN",
    "MESSAGES_MIN",
    "Dictionaries",
    "Learned",
    "Trial",
    "due",
    "gains",
    "keep",
    "learned",
    "trial",
]

T = TypeVar("T")

GAIN_MIN = 0.15
"""A dictionary is taken into use if texts that it has not seen become shorter by so much."""
MESSAGES_MIN = 1_000
"""With fewer messages there is too little to learn from."""
AGAIN_AFTER = 100_000
"""So many messages of a source later another one is tried: formats change."""

_SAMPLES = 2_000
_WINDOW = 200_000
"""So many of the newest messages are looked through for samples."""
_SIZE = 64 * 1024
_SAMPLE_BYTES_MAX = 64 * 1024
"""Of a long message the beginning tells enough, and a long one needs no dictionary."""
_KEPT_OUT = 5
"""Every fifth sample is not learned from; what it becomes says what the dictionary is worth."""
_SHARE = 20
_COMMON_MIN = 20
"""A word stays if a twentieth of all samples has it, and at least twenty of them do."""
_LOOK_SECONDS = 60.0
_WORD = re.compile(rb"[0-9A-Za-z\x80-\xff]+")
_GONE = b"\0"


@dataclass(frozen=True, slots=True)
class Trial:
    """What a dictionary for a source came to, on messages that it was not learned from.

    ``plain_bytes`` is what the better of none and the one in use makes of these, ``packed_bytes``
    what the new one does. ``through`` is the newest message there was.
    """

    source: str
    samples: int
    plain_bytes: int
    packed_bytes: int
    through: int
    made: Dictionary = field(repr=False)

    @property
    def gain(self) -> float:
        """The part by which it makes them shorter; below zero where it makes them longer."""
        return round(1 - self.packed_bytes / self.plain_bytes, 4) if self.plain_bytes else 0.0

    @property
    def pays(self) -> bool:
        """Whether it is worth having."""
        return self.gain >= GAIN_MIN


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of a trial: nothing is known of a source that has too few messages."""

    source: str
    samples: int = 0
    gain: float | None = None
    used: bool = False


def learned(source: str, tried: Trial | None) -> Learned:
    """A trial as it is told."""
    if tried is None:
        return Learned(source)
    return Learned(source, tried.samples, tried.gain, tried.pays)


@dataclass(slots=True)
class Dictionaries:
    """Which dictionary each source packs with, looked up now and then.

    A new one is made in a transaction of its own, never in one that also takes something in: what
    is remembered here must not be undone.
    """

    _known: dict[str, Dictionary | None] = field(default_factory=dict)
    _until: float = 0.0

    def of(self, connection: Connection, source: str) -> Dictionary | None:
        """The dictionary of a source, if it has one."""
        now = time.monotonic()
        if now > self._until:
            # Another hub of the same database may have made one.
            self._known.clear()
            self._until = now + _LOOK_SECONDS
        if source not in self._known:
            self._known[source] = in_use(connection, source)
        return self._known[source]

    def forget(self) -> None:
        """Look again: one was made, and is kept."""
        self._until = 0.0


def in_use(connection: Connection, source: str) -> Dictionary | None:
    """The newest dictionary of a source that pays."""
    found = (
        select(dictionary.c.id, dictionary.c.content)
        .where(dictionary.c.source == source, dictionary.c.content.is_not(None))
        .order_by(desc(dictionary.c.through))
        .limit(1)
    )
    row = connection.execute(found).one_or_none()
    return None if row is None else Dictionary(*row)


def due(connection: Connection, sources: Iterable[str]) -> list[str]:
    """The sources for which it is time to try one."""
    newest = connection.scalar(select(func.max(message.c.id))) or 0
    newest_tried = select(dictionary.c.source, func.max(dictionary.c.through))
    rows = connection.execute(newest_tried.group_by(dictionary.c.source))
    tried: dict[str, int] = {row[0]: row[1] for row in rows}
    found = []
    for source in sources:
        since, wanted = tried.get(source), MESSAGES_MIN if source not in tried else AGAIN_AFTER
        if newest - (since or 0) < wanted:
            continue
        after = max(since or 0, newest - max(_WINDOW, AGAIN_AFTER))
        counted = _of_source(source, after).limit(wanted).subquery()
        if connection.scalar(select(func.count()).select_from(counted)) == wanted:
            found.append(source)
    return found


def trial(connection: Connection, source: str) -> Trial | None:
    """Learn from the newest messages of a source, and measure; ``None`` where they are too few."""
    through = connection.scalar(select(func.max(message.c.id))) or 0
    numbers = list(
        connection.scalars(
            _of_source(source, through - _WINDOW).order_by(desc(message.c.id)).limit(_WINDOW)
        )
    )
    if len(numbers) < MESSAGES_MIN:
        return None
    # Spread over all of them: one busy hour is not the day.
    chosen = numbers[:: max(1, len(numbers) // _SAMPLES)][:_SAMPLES]
    samples = [text for text in _payloads(connection, chosen) if text]
    kept_out = samples[::_KEPT_OUT]
    taught = [text for at, text in enumerate(samples) if at % _KEPT_OUT]
    try:
        made = zstandard.train_dictionary(_SIZE, list(_without_rare_words(taught)))
    except zstandard.ZstdError:
        # Texts that have nothing in common.
        return None
    new = Dictionary(made.dict_id(), made.as_bytes())
    old = in_use(connection, source)
    plain = sum(len(compress(text)) for text in kept_out)
    if old is not None:
        plain = min(plain, sum(len(compress(text, old)) for text in kept_out))
    packed = sum(len(compress(text, new)) for text in kept_out)
    return Trial(source, len(samples), plain, packed, through, new)


def _of_source(source: str, after: int) -> Select[Any]:
    return (
        select(message.c.id)
        .join(record, record.c.id == message.c.record_id)
        .where(record.c.source == source, message.c.id > after)
        .where(message.c.removed_at.is_(None))
    )


def _payloads(connection: Connection, numbers: list[int]) -> list[bytes]:
    found: list[bytes] = []
    for start in range(0, len(numbers), 500):
        some = message.c.id.in_(numbers[start : start + 500])
        packed = connection.scalars(select(message.c.payload).where(some)).all()
        found += [decompress(each, connection)[:_SAMPLE_BYTES_MAX] for each in packed]
    return found


def _without_rare_words(samples: list[bytes]) -> Iterable[bytes]:
    """The texts with nothing in them that only some of them have.

    Two words that are common each, one after the other, may still name somebody: so of two the
    later one goes as well, unless many have them together.
    """
    least = max(_COMMON_MIN, len(samples) // _SHARE)
    texts = [_WORD.split(text) for text in samples]
    words = [[_GONE, *_WORD.findall(text)] for text in samples]
    common = _in_many(words, least)
    words = [[each if each in common else _GONE for each in some] for some in words]
    pairs = _in_many([list(pairwise(some)) for some in words], least)
    shown = ([b if (a, b) in pairs else _GONE for a, b in pairwise(some)] for some in words)
    return (
        b"".join(chain.from_iterable(zip_longest(text, some, fillvalue=b"")))
        for text, some in zip(texts, shown, strict=True)
    )


def _in_many(found: Iterable[list[T]], least: int) -> set[T]:
    """What is in so many of them."""
    having: Counter[T] = Counter()
    for some in found:
        having.update(set(some))
    return {each for each, count in having.items() if count >= least}


def keep(connection: Connection, tried: Trial, *, actor: str, now: str) -> None:
    """Keep what a trial came to, and the dictionary itself if it pays. Audited before it acts."""
    detail = {"samples": tried.samples, "gain": tried.gain, "used": tried.pays}
    subject = f"source {tried.source}"
    audit.write(
        connection, actor=actor, act="journal.train", subject=subject, detail=detail, now=now
    )
    there = select(dictionary.c.id).where(dictionary.c.id == tried.made.id)
    if connection.scalar(there) is not None:
        # The same texts teach the same.
        return
    row = {
        "id": tried.made.id,
        "source": tried.source,
        "hash": hashlib.sha256(tried.made.content).hexdigest(),
        "content": tried.made.content if tried.pays else None,
        "made_at": now,
        "through": tried.through,
        "samples": tried.samples,
        "plain_bytes": tried.plain_bytes,
        "packed_bytes": tried.packed_bytes,
    }
    connection.execute(insert(dictionary), row)


def gains(connection: Connection) -> dict[str, float]:
    """Sources with the gain that the dictionary in use had when it was made."""
    columns = (dictionary.c.source, dictionary.c.plain_bytes, dictionary.c.packed_bytes)
    used = dictionary.c.content.is_not(None)
    rows = connection.execute(select(*columns).where(used).order_by(dictionary.c.through))
    return {source: round(1 - packed / plain, 4) for source, plain, packed in rows}

"""A watched folder: each file in it is spooled up to its end, once, however it got there.

The folder is looked through again and again: change notices are not to be had everywhere, and a
network folder gives none. A file whose looks have not changed is not opened.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from connectors.api import Connector
from connectors.scrub import scrub_text
from schemas.problem import Problem, Refused
from store_agent.causes import (
    CONNECTOR_FAILED,
    STOPPED_IN_THE_MIDDLE,
    UNCUTTABLE,
    UNREADABLE_FILE,
)
from store_agent.clock import Clock
from store_agent.cut import WINDOWS, Cut, Mark, cut, scrubbed
from store_agent.settings import Capture
from store_agent.spool import Entry, Spool
from store_agent.watched import Look, Watched

__all__ = ["Folder"]

_ENTRIES_AT_ONCE = 64
_BYTES_AT_ONCE = 2 * 1024 * 1024
_READ_BYTES = 256 * 1024
_PATIENCE_SECONDS = 60
"""A file that never stops growing gives its complete messages so often."""

_log = logging.getLogger("lynchpin.agent")


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Since when a file that looks unfinished has looked as it does, and has been waited for."""

    look: Look
    unchanged_since: float
    since: float


class Folder:
    """One capture. ``scan`` is called by one thread."""

    def __init__(
        self,
        name: str,
        settings: Capture,
        *,
        spool: Spool,
        connector: Connector,
        clock: Clock,
        home: Path | None = None,
    ) -> None:
        """Files that the options name are taken from the ``home``.

        Raises ``pydantic.ValidationError`` for options that are none of the connector's, and
        ``ConfigError`` for a file of theirs that cannot be used.
        """
        place = {"home": home}
        self.name = name
        self._settings, self._spool, self._clock = settings, spool, clock
        self._options: Any = connector.options.model_validate(settings.options, context=place)
        self._connector = connector.bound(self._options)
        self._settled: dict[str, Look] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._damaged = spool.damaged(name)
        self._queue: list[tuple[str, Entry]] = []
        self._queued_bytes = 0
        self._spooled = 0

    def scan(self) -> bool:
        """Spool what is new and can be taken, oldest first; delete what is done with.

        Returns whether there was anything to spool. Raises ``Unavailable`` when the disk is full,
        ``OSError`` if the folder cannot be read.
        """
        if (damaged := self._spool.damaged(self.name)) != self._damaged:
            # Their files were forgotten, and are to be captured again.
            self._damaged, self._settled = damaged, {}
        self._queue, self._queued_bytes, self._spooled = [], 0, 0
        found = self._look()
        self._note_gone(found)
        for name, look in found.items():
            if self._settled.get(name) != look:
                self._take(name, look)
        self._flush()
        if self._settings.after == "delete":
            self._delete(found)
        return self._spooled > 0

    def _look(self) -> dict[str, Look]:
        """The files in the folder, the oldest first.

        No folder is read in one moment: a file that came meanwhile may be seen without one that
        came before it. So a folder with something new is read twice, and what is newer than all
        that was there the first time waits for the next scan.
        """
        first = self._listed()
        if all(self._settled.get(name) == look for name, look in first.items()):
            return first
        newest = max(look.mtime_ns for look in first.values())
        again = self._listed().items()
        return {name: look for name, look in again if name in first or look.mtime_ns <= newest}

    def _listed(self) -> dict[str, Look]:
        """What one reading of the folder finds, without what is no file of its own."""
        found = {}
        with os.scandir(self._settings.folder) as entries:
            for entry in entries:
                hidden = entry.name.startswith(".") and not self._settings.pattern.startswith(".")
                if hidden or not fnmatchcase(entry.name, self._settings.pattern):
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(status.st_mode):
                    found[entry.name] = Look.of(status)
        return dict(sorted(found.items(), key=lambda item: (item[1].mtime_ns, item[0])))

    def _note_gone(self, found: dict[str, Look]) -> None:
        self._waiting = {name: one for name, one in self._waiting.items() if name in found}
        gone = self._settled.keys() - found.keys()
        if gone:
            self._spool.gone(self.name, [self._key(name) for name in gone], now=self._clock.now())
        for name in gone:
            del self._settled[name]

    def _take(self, name: str, look: Look) -> None:
        """Queue what can be taken of a file now."""
        waiting = self._waiting.get(name)
        if waiting and waiting.look == look and not self._is_quiet(waiting):
            return
        known = self._spool.file(self.name, self._key(name))
        if known and known.settled and known.look == look:
            self._settled[name] = look
            if known.gone_at:
                # A network folder that was away, for one, has all its files again.
                self._add(name, Entry(replace(known, gone_at=None)))
            return
        shown = scrub_text(os.fsencode(name).decode("utf-8", "replace"))
        fresh = Watched(self._key(name), shown, look, Mark(), self._hash().digest())
        try:
            with self._open(name) as descriptor:
                for entry in self._entries(name, descriptor, known or fresh, fresh):
                    self._add(name, entry)
        except (FileNotFoundError, _ChangedError):
            return
        except OSError as error:
            problem = UNREADABLE_FILE.at(error.strerror or "", file=shown)
            if known is None or known.problem != problem:
                left = replace(known or fresh, look=look, settled=False, problem=problem)
                self._add(name, Entry(left))

    def _entries(
        self, name: str, descriptor: int, known: Watched, fresh: Watched
    ) -> Iterator[Entry]:
        """Go on from where the file was left, or from its beginning if that has changed."""
        look = fresh.look
        file, hasher = self._begun(descriptor, known, fresh)
        if file.settled:
            yield Entry(file)
        while not file.settled:
            window, found = self._window(descriptor, file.mark, look)
            if Look.of(os.fstat(descriptor)) != look:
                raise _ChangedError
            ready = self._ready(name, file, found)
            if ready is None:
                return
            hasher.update(window[file.mark.end - file.mark.anchor :][: _advance(file, ready)])
            payload = scrubbed(window, file.mark, ready.mark.end, self._connector)
            file = replace(ready, digest=hasher.digest())
            # Line ends between messages, or behind the last, are no record.
            yield Entry(file, payload if payload.strip() else None)

    def _begun(self, descriptor: int, known: Watched, fresh: Watched) -> tuple[Watched, Any]:
        """What of the file was taken already, under whatever name, and the hash of that much."""
        for one in (known, self._spool.file_of_inode(self.name, fresh.look.inode)):
            if one is None or not 0 < one.mark.end <= fresh.look.size:
                continue
            hasher = self._hashed(descriptor, one.mark.end)
            if hasher.digest() == one.digest:
                done = one.settled and one.mark.end == fresh.look.size
                problem = one.problem if done else None
                return replace(_as(one, fresh), settled=done, problem=problem), hasher
        hasher = self._hashed(descriptor, fresh.look.size)
        twin = self._spool.file_of_content(self.name, hasher.digest())
        if twin is not None and fresh.look.size:
            return _as(twin, fresh), hasher
        return fresh, self._hash()

    def _window(self, descriptor: int, mark: Mark, look: Look) -> tuple[bytes, Cut | Problem]:
        """As many bytes from the anchor on as are needed to cut, and the cut."""
        window, missing = b"", look.size - mark.anchor
        for size in WINDOWS:
            window = _read(descriptor, mark.anchor, min(size, missing))
            at_end = size >= missing
            try:
                found = cut(window, mark, self._connector, self._options, at_end=at_end)
            except Refused as error:
                if at_end:
                    return window, error.problem
                continue
            except Exception as error:  # noqa: BLE001 - one file must not keep the others back
                # The text of an error might quote the file.
                at = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{type(error).__name__} in {Path(at.filename).name}, line {at.lineno}"
                _log.error("%s: the connector failed: %s", self.name, where)
                return window, CONNECTOR_FAILED.at(where)
            if found is not None:
                return window, found
        return window, UNCUTTABLE.at(f"no message ends within {WINDOWS[-1]} bytes")

    def _ready(self, name: str, file: Watched, found: Cut | Problem) -> Watched | None:
        """Where the file stands after what can be taken of it now; ``None`` to wait for more."""
        if isinstance(found, Cut) and (found.whole or not found.at_end):
            self._waiting.pop(name, None)
            return replace(file, mark=found.mark, whole=found.whole, settled=found.whole)
        waiting = self._wait(name, file.look)
        if self._is_quiet(waiting):
            del self._waiting[name]
            return _left(file, found)
        now = self._clock.monotonic()
        patient = now - waiting.since < _PATIENCE_SECONDS
        if isinstance(found, Problem) or patient or found.mark.end <= file.mark.end:
            return None
        self._waiting[name] = replace(waiting, since=now)
        return replace(file, mark=found.mark, whole=False)

    def _wait(self, name: str, look: Look) -> _Waiting:
        now = self._clock.monotonic()
        waiting = self._waiting.get(name) or _Waiting(look, now, now)
        if waiting.look != look:
            waiting = replace(waiting, look=look, unchanged_since=now)
        self._waiting[name] = waiting
        return waiting

    def _is_quiet(self, waiting: _Waiting) -> bool:
        quiet = self._clock.monotonic() - waiting.unchanged_since
        return quiet >= self._settings.quiet_seconds

    def _add(self, name: str, entry: Entry) -> None:
        self._queue.append((name, entry))
        self._queued_bytes += len(entry.payload or b"")
        if len(self._queue) >= _ENTRIES_AT_ONCE or self._queued_bytes >= _BYTES_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        """Write what is queued; only then is it so."""
        queue, self._queue, self._queued_bytes = self._queue, [], 0
        if queue:
            self._spool.add(self.name, [entry for _, entry in queue], now=self._clock.now())
            self._spooled += len(queue)
        for name, entry in queue:
            if entry.file.settled:
                self._settled[name] = entry.file.look

    def _delete(self, found: dict[str, Look]) -> None:
        """Delete the files that the hub has whole, unless they have changed since."""
        deletable = self._spool.deletable(self.name)
        for name in self._settled if deletable else ():
            path = self._settings.folder / name
            if self._key(name) not in deletable or self._settled[name] != found.get(name):
                continue
            with suppress(FileNotFoundError):
                if Look.of(path.lstat()) == found[name]:
                    path.unlink()

    @contextmanager
    def _open(self, name: str) -> Iterator[int]:
        # A link that took the file's place leads out of the folder, and a pipe would block.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(self._settings.folder / name, flags)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _key(self, name: str) -> bytes:
        return hashlib.blake2b(os.fsencode(name), key=self._spool.secret, digest_size=16).digest()

    def _hash(self) -> Any:
        return hashlib.blake2b(key=self._spool.secret, digest_size=16)

    def _hashed(self, descriptor: int, size: int) -> Any:
        hasher = self._hash()
        for offset in range(0, size, _READ_BYTES):
            hasher.update(_read(descriptor, offset, min(_READ_BYTES, size - offset)))
        return hasher


class _ChangedError(Exception):
    """The file is no longer what it was when it was looked at; the next look will tell."""


def _read(descriptor: int, offset: int, size: int) -> bytes:
    """So many bytes of the file, or fewer if it has become shorter."""
    parts = []
    while size > 0:
        part = os.pread(descriptor, size, offset)
        if not part:
            break
        parts.append(part)
        offset, size = offset + len(part), size - len(part)
    return b"".join(parts)


def _advance(before: Watched, after: Watched) -> int:
    return after.mark.end - before.mark.end


def _as(one: Watched, fresh: Watched) -> Watched:
    """What is known of a file, for another name or look of it."""
    return replace(one, key=fresh.key, name=fresh.name, look=fresh.look, gone_at=None)


def _left(file: Watched, found: Cut | Problem) -> Watched:
    """Where a file stands that nobody goes on writing."""
    if isinstance(found, Problem):
        refused = found.model_copy(update={"file": file.name})
        return replace(file, settled=True, problem=refused)
    mark = replace(found.mark, end=found.open_end)
    stopped = STOPPED_IN_THE_MIDDLE.at(file=file.name, byte=found.mark.anchor)
    problem = stopped if found.torn else None
    return replace(file, mark=mark, whole=False, settled=True, problem=problem)

"""The spool: records that the hub does not have yet, and how far each file was read.

Both are written in one transaction, so that no crash can tell of a record what is not so of its
file. One connection writes and checkpoints, whoever asks for it. A record has a number that only
grows; its ``seq`` in the epoch is that number less the epoch's ``base``, so a new epoch renames all
records that wait without touching one.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import Any

import zstandard

from schemas.problem import Problem, Unavailable
from store_agent import kept
from store_agent.causes import ROW_DAMAGED, SPOOL_FULL
from store_agent.database import Database, Write
from store_agent.home import Home
from store_agent.watched import COLUMNS, Watched

__all__ = ["Batch", "Entry", "Lane", "Record", "Spool"]

_ZSTD_LEVEL = 3
_MB = 1024 * 1024
_DAYS_REMEMBERED = "-30 days"
"""A file that vanished and comes again within them is known."""


# These are put together from names of our own.
_FILE = f"SELECT {', '.join(COLUMNS)} FROM file"  # noqa: S608
_SET_FILE = (
    f"INSERT OR REPLACE INTO file (capture, {', '.join(COLUMNS)})"  # noqa: S608
    f" VALUES (?{', ?' * len(COLUMNS)})"
)
_FIRST = "coalesce((SELECT min(number) - 1 FROM record WHERE capture = lane.capture), number)"
_NEW_EPOCH = (
    f"UPDATE lane SET epoch = ?, base = {_FIRST}, committed = {_FIRST}"  # noqa: S608
    " WHERE capture = ?"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What one look at a file brought: where it stands now, and the record, if there is one."""

    file: Watched
    payload: bytes | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One record on its way: ``payload`` is what the hub gets, ``sha256`` of that."""

    seq: int
    name: str
    captured_at: str
    length: int
    sha256: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """The oldest records of a capture that the hub has not acknowledged, without a gap.

    ``pending`` counts those that come after them.
    """

    epoch: str
    records: tuple[Record, ...]
    pending: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """How far a capture is: ``seq`` was given last, ``committed`` is the last the hub has."""

    epoch: str
    seq: int
    committed: int


class Spool:
    """Open it while holding the home. Methods may be called from any thread.

    All that write raise ``Unavailable`` when the disk is full, and leave things as they were.
    """

    def __init__(
        self,
        home: Home,
        captures: Collection[str],
        *,
        free_mb_min: int = 0,
        keep_days: float = 14,
    ) -> None:
        """Raises ``ConfigError`` if the spool is damaged or not made to wait for the disk."""
        self._keep_days = keep_days
        self._folder = home.path
        self._free_min = free_mb_min * _MB
        self._packer = zstandard.ZstdCompressor(level=_ZSTD_LEVEL)
        self._database = Database(home)
        self._read, self._writing = self._database.read, self._database.writing
        self.close = self._database.close
        with self._writing() as write:
            for name in captures:
                write("INSERT OR IGNORE INTO lane (capture, epoch) VALUES (?, '')", name)
            write("DELETE FROM file WHERE gone_at < datetime('now', ?)", _DAYS_REMEMBERED)
        self.secret: bytes = self._read("SELECT value FROM secret")[0][0]
        """Keys the digests of files: a plain hash of a short one might tell what is in it."""

    # Capture

    def add(self, capture: str, entries: Sequence[Entry], *, now: str) -> None:
        """Write records and where their files stand, all or nothing, down to the disk."""
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize < self._free_min and not kept.make_room(self._database):
            raise Unavailable(SPOOL_FULL.at(f"less than {self._free_min // _MB} MB are free"))
        with self._writing() as write:
            for entry in entries:
                if entry.payload is not None:
                    self._add_record(write, capture, entry, now)
                self._set_file(write, capture, entry.file)

    def _add_record(self, write: Write, capture: str, entry: Entry, now: str) -> None:
        assert entry.payload is not None
        key, name = entry.file.key, entry.file.name
        length, sha256 = len(entry.payload), hashlib.sha256(entry.payload).hexdigest()
        packed = self._packer.compress(entry.payload)
        given = "UPDATE lane SET number = number + 1, captured_at = ? WHERE capture = ?"
        ((number,),) = write(f"{given} RETURNING number", now, capture).fetchall()
        seal = _seal(number, key, name, now, length, sha256, packed)
        values = (capture, number, key, name, now, length, sha256, packed, seal)
        write("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *values)

    def _set_file(self, write: Write, capture: str, row: Watched) -> None:
        write(_SET_FILE, capture, *row.values())

    def file(self, capture: str, key: bytes) -> Watched | None:
        """Where a file stood when it was last looked at."""
        return self._file("capture = ? AND key = ?", capture, key)

    def file_of_inode(self, capture: str, inode: int) -> Watched | None:
        """Where a file stood that is perhaps the same under another name."""
        # The disk gives a number again and again; the last file that had it is the likeliest.
        latest = "capture = ? AND inode = ? ORDER BY coalesce(gone_at, '9') DESC"
        return self._file(latest, capture, inode)

    def file_of_content(self, capture: str, digest: bytes) -> Watched | None:
        """A file whose content was taken up to the end, and was this. None that was refused."""
        taken = "capture = ? AND digest = ? AND settled AND end = size AND problem IS NULL"
        return self._file(taken, capture, digest)

    def _file(self, where: str, *values: object) -> Watched | None:
        rows = self._read(f"{_FILE} WHERE {where} LIMIT 1", *values)
        return Watched.of(rows[0]) if rows else None

    def gone(self, capture: str, keys: Collection[bytes], *, now: str) -> None:
        """Note that these files are no longer in the folder."""
        with self._writing() as write:
            for key in keys:
                write(
                    "UPDATE file SET gone_at = ? WHERE capture = ? AND key = ?", now, capture, key
                )

    def deletable(self, capture: str) -> set[bytes]:
        """Files of which the hub has everything, under whatever name it came."""
        rows = self._read(
            """SELECT f.key FROM file f
            WHERE f.capture = ? AND f.whole AND f.settled AND f.end = f.size AND f.gone_at IS NULL
            AND NOT EXISTS (
                SELECT 1 FROM file o LEFT JOIN record r ON r.capture = o.capture AND r.file = o.key
                WHERE o.capture = f.capture AND o.digest = f.digest
                AND (o.problem IS NOT NULL OR r.number IS NOT NULL))""",
            capture,
        )
        return {row[0] for row in rows}

    def forget(self, capture: str, *, since_ns: int) -> int:
        """Have files that were changed since then captured again; returns how many.

        What was lost or damaged is taken as dealt with by that.
        """
        with self._writing() as write:
            write("UPDATE lane SET forgotten = NULL WHERE capture = ?", capture)
            write("DELETE FROM damaged WHERE capture = ?", capture)
            changed = "DELETE FROM file WHERE capture = ? AND mtime_ns >= ?"
            return write(changed, capture, since_ns).rowcount

    # Shipping

    def join(self, capture: str, address: str) -> None:
        """Ship to this address from now on. Another one knows nothing of this epoch's records."""
        with self._writing() as write:
            joined = "UPDATE lane SET address = ? WHERE capture = ? AND address IS NOT ?"
            if write(joined, address, capture, address).rowcount:
                write("DELETE FROM heard WHERE capture = ?", capture)
                _new_epoch(write, capture)

    def lane(self, capture: str) -> Lane:
        """How far the capture is."""
        found = "SELECT epoch, number - base, committed - base FROM lane WHERE capture = ?"
        return Lane(*self._read(found, capture)[0])

    def batch(self, capture: str, *, records_max: int, bytes_max: int, now: str) -> Batch:
        """The next records to ship, at least one if there is any.

        A damaged one is set aside with its problem; what waits behind it gets a new epoch, so that
        no number is missing there.
        """
        while True:
            found = "SELECT epoch, base, number FROM lane WHERE capture = ?"
            epoch, base, last = self._read(found, capture)[0]
            rows = self._oldest(capture, records_max, bytes_max)
            opened = takewhile(bool, (_unsealed(row, base) for row in rows))
            records = tuple(record for record in opened if record)
            if records or not rows:
                # Some may have come between the two readings.
                pending = max(last - base - records[-1].seq, 0) if records else 0
                return Batch(epoch, records, pending)
            self._set_aside(rows[0], now)

    def _oldest(self, capture: str, records_max: int, bytes_max: int) -> list[tuple[Any, ...]]:
        waiting = """SELECT number, CAST(length AS INTEGER) FROM record
            WHERE capture = ? ORDER BY number LIMIT ?"""
        rows = self._read(waiting, capture, records_max)
        sizes = accumulate(length for _, length in rows)
        last = [number for (number, _), size in zip(rows, sizes, strict=True) if size <= bytes_max]
        through = last[-1] if last else rows[0][0] if rows else 0
        found = "SELECT * FROM record WHERE capture = ? AND number <= ? ORDER BY number"
        return self._read(found, capture, through)

    def _set_aside(self, row: tuple[Any, ...], now: str) -> None:
        capture, number, key, name = row[:4]
        problem = _text(ROW_DAMAGED.at(file=str(name)))
        with self._writing() as write:
            write(
                """INSERT INTO damaged (capture, found_at, name, epoch, seq, payload, problem)
                SELECT capture, ?, ?, epoch, ? - base, ?, ? FROM lane WHERE capture = ?""",
                *(now, str(name), number, row[7], problem, capture),
            )
            write("DELETE FROM record WHERE capture = ? AND number = ?", capture, number)
            # A file that is still there is then captured again.
            write("DELETE FROM file WHERE capture = ? AND key = ?", capture, key)
            _new_epoch(write, str(capture))

    def acknowledge(
        self, capture: str, batch: Batch, through: int, refused: Mapping[int, Problem], *, now: str
    ) -> None:
        """The hub has these records of the batch up to ``through``: they may go.

        A file with a refused record keeps that problem.
        """
        shipped = [record.seq for record in batch.records if record.seq <= through]
        if not shipped:
            return
        with self._writing() as write:
            for seq, problem in refused.items():
                write(
                    """UPDATE file SET problem = ? WHERE capture = ? AND key IN (
                    SELECT r.file FROM record r JOIN lane l USING (capture)
                    WHERE r.capture = ? AND l.epoch = ? AND r.number = ? + l.base)""",
                    *(_text(problem), capture),
                    *(capture, batch.epoch, seq),
                )
            if self._keep_days:
                kept.keep(write, capture, batch.epoch, shipped[-1], now=now)
            write(
                """DELETE FROM record WHERE capture = ? AND number <= (
                SELECT ? + base FROM lane WHERE capture = ? AND epoch = ?)""",
                *(capture, shipped[-1], capture, batch.epoch),
            )
            kept.let_go(write, now=now, days=self._keep_days)
            write(
                """UPDATE lane SET committed = ? + base, shipped_at = ?, ship_problem = NULL
                WHERE capture = ? AND epoch = ?""",
                *(shipped[-1], now, capture, batch.epoch),
            )

    def begin_epoch(self, capture: str, *, forgotten: Problem | None = None) -> None:
        """Rename all that waits: numbered from 1 in the same order, in an epoch never seen."""
        with self._writing() as write:
            _new_epoch(write, capture)
            if forgotten is not None:
                noted = "UPDATE lane SET forgotten = ? WHERE capture = ?"
                write(noted, _text(forgotten), capture)

    def life(self, capture: str) -> str | None:
        """The life of the hub that was heard of last; ``None`` where none was at this address."""
        rows = self._read("SELECT life FROM heard WHERE capture = ?", capture)
        return str(rows[0][0]) if rows else None

    def kept(self, capture: str) -> dict[str, int]:
        """The first number that is still kept of each epoch."""
        return kept.first(self._read, capture)

    def heal(
        self,
        capture: str,
        life: str,
        committed: Mapping[str, int],
        *,
        forgotten: Problem | None = None,
    ) -> int:
        """Have all wait again from the first that the hub lacks; ``committed`` is what it has of
        each epoch that is kept. Returns how many there are.
        """
        with self._writing() as write:
            write("INSERT OR REPLACE INTO heard VALUES (?, ?)", capture, life)
            again = kept.wait_again(write, capture, committed)
            if again is not None or forgotten is not None:
                _new_epoch(write, capture)
            if forgotten is not None:
                noted = "UPDATE lane SET forgotten = ? WHERE capture = ?"
                write(noted, _text(forgotten), capture)
        return again or 0

    def damaged(self, capture: str) -> int:
        """How many records of the capture were set aside."""
        return int(self._read("SELECT count(*) FROM damaged WHERE capture = ?", capture)[0][0])

    def note_capture(self, capture: str, problem: Problem | None) -> None:
        """Keep the problem that keeps this capture from going on, or that there is none."""
        noted = "UPDATE lane SET capture_problem = ? WHERE capture = ?"
        with self._writing() as write:
            write(noted, _text(problem), capture)

    def note_shipping(self, capture: str, problem: Problem | None) -> None:
        """Keep the problem that keeps records from getting to the hub, or that there is none."""
        noted = "UPDATE lane SET ship_problem = ? WHERE capture = ?"
        with self._writing() as write:
            write(noted, _text(problem), capture)


def _text(problem: Problem | None) -> str | None:
    return problem.model_dump_json(exclude_none=True) if problem else None


def _new_epoch(write: Write, capture: str) -> None:
    write(_NEW_EPOCH, secrets.token_hex(8), capture)


def _seal(*parts: Any) -> bytes:
    """A check over a row, each part with its length, so that nothing moves from one to the next."""
    check = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        check.update(b"%d:" % len(data))
        check.update(data)
    return check.digest()


def _unsealed(row: tuple[Any, ...], base: int) -> Record | None:
    """The record of a row; ``None`` if a byte of it is not as it was written."""
    _, number, _, name, captured_at, length, sha256, packed, seal = row
    if _seal(*row[1:8]) != seal:
        return None
    payload = zstandard.decompress(packed, max_output_size=length)
    return Record(number - base, name, captured_at, length, sha256, payload)

"""Kept: records that the hub has, for the case that it is restored and has them no more.

They are moved out of the way of what waits, and back to it, whole and with their seal. Where the
disk is short they go first: what waits exists nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from store_agent.database import Database, Write

__all__ = ["first", "keep", "let_go", "make_room", "wait_again"]

_COLUMNS = "capture, number, file, name, captured_at, length, sha256, payload, seal"
_GO_AT_ONCE = 500
_ROOM_BYTES = 4 * 1024 * 1024
"""As much as a look at a folder may write; a file of SQLite never gets smaller, but has room."""


def keep(write: Write, capture: str, epoch: str, through: int, *, now: str) -> None:
    """Keep what the hub has acknowledged of the epoch, up to this number."""
    write(
        f"""INSERT OR REPLACE INTO kept SELECT {_COLUMNS}, epoch, number - base, ?
        FROM record JOIN (SELECT epoch, base FROM lane WHERE capture = ? AND epoch = ?)
        WHERE capture = ? AND number <= base + ?""",  # noqa: S608
        *(now, capture, epoch, capture, through),
    )


def let_go(write: Write, *, now: str, days: float) -> None:
    """Nothing is kept any more that was acknowledged so many days ago."""
    until = "strftime('%Y-%m-%dT%H:%M:%f000Z', ?, ?)"
    write(f"DELETE FROM kept WHERE acked_at < {until}", now, f"-{days} days")  # noqa: S608


def first(read: Callable[..., list[tuple[Any, ...]]], capture: str) -> dict[str, int]:
    """The first number that is kept of each epoch."""
    found = "SELECT epoch, min(seq) FROM kept WHERE capture = ? GROUP BY epoch"
    return {str(epoch): int(seq) for epoch, seq in read(found, capture)}


def wait_again(write: Write, capture: str, committed: Mapping[str, int]) -> int | None:
    """Let all wait again from the first that the hub lacks, in the order in which they came.

    ``committed`` is what it has of each epoch. Returns how many wait again; ``None`` for none.
    """
    lacking = [
        number
        for epoch, through in committed.items()
        for (number,) in write(
            "SELECT min(number) FROM kept WHERE capture = ? AND epoch = ? AND seq > ?",
            *(capture, epoch, through),
        )
        if number is not None
    ]
    if not lacking:
        return None
    again = f"INSERT INTO record SELECT {_COLUMNS} FROM kept WHERE capture = ? AND number >= ?"  # noqa: S608
    write(again, capture, min(lacking))
    gone = "DELETE FROM kept WHERE capture = ? AND number >= ?"
    return write(gone, capture, min(lacking)).rowcount


def make_room(database: Database) -> bool:
    """Let the oldest go, on a disk that is short; whether there is room for what comes now."""
    some = "SELECT rowid FROM kept ORDER BY acked_at, number LIMIT ?"
    oldest = f"DELETE FROM kept WHERE rowid IN ({some})"  # noqa: S608
    while (room := _room(database)) < _ROOM_BYTES:
        with database.writing() as write:
            if not write(oldest, _GO_AT_ONCE).rowcount:
                break
    return room >= _ROOM_BYTES


def _room(database: Database) -> int:
    """Bytes of the file that nothing is in."""
    (pages,), (size,) = (database.read(f"PRAGMA {of}")[0] for of in ("freelist_count", "page_size"))
    return int(pages) * int(size)

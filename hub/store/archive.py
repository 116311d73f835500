"""An archive: the rows of every table in one file, the same for every database.

A line that names the format, then a compressed stream of pieces: the head, rows table by table, and
an end that counts them. The last 32 bytes are the SHA-256 of all before: ``head -c -32 FILE |
sha256sum`` gives it as well. Values are what both databases keep alike: text, whole numbers, bytes,
yes or no, and nothing.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import msgspec
import zstandard

from schemas.problem import Cause, ConfigError

__all__ = ["Archive", "Head", "Rows", "opened", "written"]

DAMAGED = Cause(
    "LP-DB-020",
    "The backup is damaged, or not whole.",
    "Fetch it again from where it is kept, or take an earlier one; nothing was changed.",
)
FOREIGN = Cause(
    "LP-DB-021",
    "The file is no backup of Lynchpin, or one of a later format.",
    "Name a file that `lynchpin db backup` wrote, and restore it with the Lynchpin that wrote it "
    "or a later one.",
)
EXISTS = Cause(
    "LP-DB-022",
    "There is a file of this name already.",
    "Choose another name, or say `--overwrite`.",
)
UNWRITABLE = Cause(
    "LP-DB-023",
    "The backup cannot be written or read there.",
    "Check the folder, who may use it, and the room on its disk. No file of this name was left.",
)

_MAGIC = b"LYNCHPIN BACKUP 1\n"
_LEVEL = 3
_DIGEST_BYTES = 32
_PIECE_BYTES_MAX = 256 * 1024 * 1024
_READ_BYTES = 1024 * 1024

Rows = tuple[str, list[list[Any]]]
"""A table and some of its rows."""


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an archive says of itself. ``made_at`` is from before its view of the data was taken."""

    made_at: str
    revision: str
    version: str
    database: str
    columns: dict[str, list[str]]


class _Piece(msgspec.Struct, frozen=True, array_like=True, tag="rows"):
    table: str
    rows: list[list[Any]]


class _End(msgspec.Struct, frozen=True, array_like=True, tag="end"):
    counts: dict[str, int]


_heads = msgspec.msgpack.Decoder(Head)
_pieces = msgspec.msgpack.Decoder(_Piece | _End)


class _Hashed(io.RawIOBase):
    """Writes on, and hashes what goes through."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.hash = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.hash.update(data)
        return self._file.write(data)


def written(file: Path, head: Head, rows: Iterable[Rows], *, overwrite: bool) -> dict[str, int]:
    """Write an archive under this name, whole or not at all; gives the rows of each table.

    It is its owner's alone, and on the disk with its name once this returns. Raises ``ConfigError``
    where the name is taken and ``overwrite`` is not said, or nothing can be written there.
    """
    if file.exists() and not overwrite:
        raise ConfigError(EXISTS.at(file=file.name))
    try:
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as out:
                counts = _write(out, head, rows)
                out.flush()
                os.fsync(out.fileno())
            _name(temporary, file, overwrite=overwrite)
        finally:
            temporary.unlink(missing_ok=True)
        _sync(file.parent)
    except OSError as error:
        raise ConfigError(UNWRITABLE.at(error.strerror or "", file=file.name)) from error
    return counts


def _write(out: IO[bytes], head: Head, rows: Iterable[Rows]) -> dict[str, int]:
    counts = dict.fromkeys(head.columns, 0)
    hashed = _Hashed(out)
    hashed.write(_MAGIC)
    with zstandard.ZstdCompressor(level=_LEVEL).stream_writer(
        cast(IO[bytes], hashed), closefd=False
    ) as packed:
        _put(packed, head)
        for table, some in rows:
            _put(packed, _Piece(table, some))
            counts[table] += len(some)
        _put(packed, _End(counts))
    out.write(hashed.hash.digest())
    return counts


def _put(packed: Any, piece: Any) -> None:
    data = msgspec.msgpack.encode(piece)
    packed.write(len(data).to_bytes(4, "big"))
    packed.write(data)


def _name(temporary: Path, file: Path, *, overwrite: bool) -> None:
    """Give the file its name. A link fails where another came first; a replacement does not."""
    if overwrite:
        temporary.replace(file)
        return
    try:
        os.link(temporary, file)
    except FileExistsError:
        raise ConfigError(EXISTS.at(file=file.name)) from None
    except OSError:
        # Some file systems know no links.
        temporary.replace(file)


def _sync(folder: Path) -> None:
    """A new name is only kept once its folder has reached the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Archive:
    """An archive whose checksum holds. ``rows`` may be gone through once."""

    def __init__(self, stream: IO[bytes], name: str, digest: str) -> None:
        """``stream`` stands behind the line that names the format."""
        self._stream, self._name = stream, name
        self.digest = digest
        try:
            self.head = _heads.decode(self._next())
        except msgspec.MsgspecError as error:
            raise ConfigError(FOREIGN.at("its head cannot be read", file=name)) from error

    def rows(self) -> Iterator[Rows]:
        """Rows, table by table. Raises ``ConfigError`` at the end if some are missing."""
        counts = dict.fromkeys(self.head.columns, 0)
        while True:
            try:
                piece = _pieces.decode(self._next())
            except msgspec.MsgspecError as error:
                raise self._damaged("a piece cannot be read") from error
            if isinstance(piece, _End):
                break
            if piece.table not in counts:
                raise self._damaged("rows of a table that its head does not name")
            counts[piece.table] += len(piece.rows)
            yield piece.table, piece.rows
        if counts != piece.counts:
            raise self._damaged("not as many rows as it says")

    def _next(self) -> bytes:
        try:
            length = int.from_bytes(self._exactly(4), "big")
            if length > _PIECE_BYTES_MAX:
                raise self._damaged("a piece is larger than any is written")
            return self._exactly(length)
        except zstandard.ZstdError as error:
            raise self._damaged("it does not unpack") from error

    def _exactly(self, count: int) -> bytes:
        data = self._stream.read(count)
        if len(data) != count:
            raise self._damaged("it is cut off")
        return data

    def _damaged(self, detail: str) -> ConfigError:
        return ConfigError(DAMAGED.at(detail, file=self._name))


@contextmanager
def opened(file: Path) -> Iterator[Archive]:
    """An archive to read, once all of its bytes were found to be as they were written.

    Raises ``ConfigError`` if they are not, or if it is no archive.
    """
    try:
        with file.open("rb") as raw:
            digest = _verified(raw, file.name)
            raw.seek(len(_MAGIC))
            with zstandard.ZstdDecompressor().stream_reader(raw, closefd=False) as stream:
                yield Archive(io.BufferedReader(stream, _READ_BYTES), file.name, digest)
    except OSError as error:
        raise ConfigError(UNWRITABLE.at(error.strerror or "", file=file.name)) from error


def _verified(raw: IO[bytes], name: str) -> str:
    """The checksum, which holds."""
    left = os.fstat(raw.fileno()).st_size - _DIGEST_BYTES
    if raw.read(len(_MAGIC)) != _MAGIC:
        raise ConfigError(FOREIGN.at(file=name))
    found = hashlib.sha256(_MAGIC)
    left -= len(_MAGIC)
    while left > 0 and (data := raw.read(min(left, _READ_BYTES))):
        found.update(data)
        left -= len(data)
    if left or raw.read(_DIGEST_BYTES) != found.digest():
        raise ConfigError(DAMAGED.at("its checksum does not hold", file=name))
    return found.hexdigest()

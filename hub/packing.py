"""Packing: payloads as the database keeps them, compressed, with a dictionary where one pays.

What a source sends is alike from one message to the next, and a short text alone has little to
refer back to. A dictionary holds what such texts have in common. A packed payload names the one
that packed it in its own head, so it is read wherever it is copied to, as long as the table
``dictionary`` comes along; a row of that is therefore never changed and never deleted.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import zstandard
from sqlalchemy import Connection, select

from connectors.api import MESSAGE_BYTES_MAX
from hub.store.tables import dictionary
from schemas.problem import Cause, ConfigError

__all__ = ["Dictionary", "compress", "decompress"]

NO_DICTIONARY = Cause(
    "LP-DB-010",
    "The dictionary that a message was packed with is not in the database.",
    "Restore the last backup that is well; a copy of single tables is none.",
)

_LEVEL = 3
_KEPT_MAX = 256
"""So many dictionaries are kept unpacked in a process; a source has one every 100,000 messages."""


@dataclass(frozen=True, slots=True)
class Dictionary:
    """What the texts of a source have in common. Its number is made of its content."""

    id: int
    content: bytes


class _Zstd(threading.local):
    """Making these costs half as much as using them, and no two threads may use the same ones."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=_LEVEL)
        self.decompressor = zstandard.ZstdDecompressor()
        self.packers: dict[int, zstandard.ZstdCompressor] = {}
        self.unpackers: dict[int, zstandard.ZstdDecompressor] = {}


_zstd = _Zstd()


def compress(payload: bytes, known: Dictionary | None = None) -> bytes:
    """Pack a payload for the database; with a dictionary only of one that is kept for good."""
    if known is None:
        return _zstd.compressor.compress(payload)
    packer = _zstd.packers.get(known.id)
    if packer is None:
        _limit(_zstd.packers)
        data = zstandard.ZstdCompressionDict(known.content)
        data.precompute_compress(level=_LEVEL)
        packer = _zstd.packers[known.id] = zstandard.ZstdCompressor(level=_LEVEL, dict_data=data)
    return packer.compress(payload)


def decompress(packed: bytes, connection: Connection | None = None) -> bytes:
    """Unpack a payload; bounded, though only the hub itself ever packed one.

    The connection is of the database that has the dictionary, where one may have packed it. Raises
    ``ConfigError`` if it is not there.
    """
    named = zstandard.get_frame_parameters(packed).dict_id
    unpacker = _zstd.decompressor if not named else _unpacker(named, connection)
    return unpacker.decompress(packed, max_output_size=2 * MESSAGE_BYTES_MAX)


def _unpacker(number: int, connection: Connection | None) -> zstandard.ZstdDecompressor:
    unpacker = _zstd.unpackers.get(number)
    if unpacker is None:
        content = None
        if connection is not None:
            found = select(dictionary.c.content).where(dictionary.c.id == number)
            content = connection.scalar(found)
        if content is None:
            raise ConfigError(NO_DICTIONARY.at(f"dictionary {number}"))
        _limit(_zstd.unpackers)
        data = zstandard.ZstdCompressionDict(content)
        unpacker = _zstd.unpackers[number] = zstandard.ZstdDecompressor(dict_data=data)
    return unpacker


def _limit(kept: dict[int, Any]) -> None:
    if len(kept) >= _KEPT_MAX:
        kept.clear()

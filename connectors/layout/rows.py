"""The records of a file as bytes, one after the other, and those that belong together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from connectors.api import MESSAGE_BYTES_MAX, OVERSIZED
from connectors.scrub.positional import Framing
from schemas.problem import Refused

__all__ = ["Group", "Row", "content", "read_rows"]


class Row(NamedTuple):
    """A record with its line end; only the last one of what came may not have ended."""

    raw: bytes
    at: int
    """Where it starts, counted from the start of the rest that goes on here."""
    ended: bool


def read_rows(chunks: Iterable[bytes], framing: Framing, before: bytes) -> Iterator[Row]:
    """The records with their line ends; the last one may not have ended."""
    buffer, base, searched = bytearray(before), 0, 0
    for chunk in _with_first(chunks):
        buffer += chunk
        start = 0
        while True:
            if framing.record_bytes:
                end = start + framing.record_bytes
                found = end <= len(buffer)
            else:
                at = buffer.find(framing.line_end, max(searched, start))
                found, end = at >= 0, at + len(framing.line_end)
            if not found:
                break
            yield Row(bytes(buffer[start:end]), base + start, ended=True)
            start = end
        del buffer[:start]
        base += start
        searched = max(len(buffer) - len(framing.line_end) + 1, 0)
        if len(buffer) > MESSAGE_BYTES_MAX:
            raise Refused(OVERSIZED.at(f"more than {MESSAGE_BYTES_MAX} bytes", byte=base))
    if buffer:
        yield Row(bytes(buffer), base, ended=False)


def _with_first(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """An empty chunk first, so that what was there before is looked through as well."""
    yield b""
    yield from chunks


def content(row: Row, framing: Framing) -> bytes:
    """A record without its line end."""
    if framing.record_bytes:
        return row.raw
    raw = row.raw.removesuffix(framing.line_end)
    return raw.removesuffix(b"\r") if framing.line_end == b"\n" else raw


@dataclass(slots=True)
class Group:
    """Records that belong together and are not whole yet."""

    at: int = 0
    raws: list[bytes] = field(default_factory=list)
    size: int = 0
    records: int = 0

    def add(self, row: Row, *, blank: bool = False) -> None:
        """Add a record, or a blank line, which counts as none. Raises ``Refused`` beyond 4 MB."""
        if not self.raws:
            self.at = row.at
        self.raws.append(row.raw)
        self.size += len(row.raw)
        self.records += not blank
        if self.size > MESSAGE_BYTES_MAX:
            raise Refused(OVERSIZED.at(f"more than {MESSAGE_BYTES_MAX} bytes", byte=self.at))

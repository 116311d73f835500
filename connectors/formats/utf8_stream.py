"""A record's chunks as UTF-8, whatever Unicode form they arrive in.

Offsets further on count in the UTF-8 form: for UTF-8 itself these are the bytes of the file.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

from connectors.api import ENCODING
from schemas.problem import Refused

__all__ = ["Utf8Stream"]

_HEAD_BYTES = 4
_UTF8_BOM = b"\xef\xbb\xbf"
_BOMS = (
    # The longer mark first: UTF-32's begins with UTF-16's.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (_UTF8_BOM, "utf-8"),
)
# A text that begins with two ASCII characters shows its form by where the zero bytes lie.
_ZEROS: dict[tuple[bool, ...], str] = {
    (True, True, True, False): "utf-32-be",
    (False, True, True, True): "utf-32-le",
    (True, False, True, False): "utf-16-be",
    (False, True, False, True): "utf-16-le",
}


class Utf8Stream:
    """Iterate over it for UTF-8 chunks.

    ``encoding`` is empty until the first bytes have shown it, and stays so for a record too short
    to tell. ``open_bytes`` are those at the end that are no whole character yet; ``bom_bytes`` says
    how long a UTF-8 mark was dropped. UTF-8 is passed on unread. Half a surrogate pair in UTF-16 is
    passed on as bytes that are not UTF-8, so that it spoils its own message only. Iterating raises
    ``Refused`` for UTF-32 beyond Unicode.
    """

    def __init__(
        self, chunks: Iterable[bytes], *, encoding: str = "", open_bytes: bytes = b""
    ) -> None:
        self.encoding = encoding
        self.open_bytes = open_bytes
        self.bom_bytes = 0
        self._chunks = iter(chunks)

    def __iter__(self) -> Iterator[bytes]:
        head = self.open_bytes
        if not self.encoding:
            head = self._recognise(head)
        if self.encoding == "utf-8":
            yield head
            yield from self._chunks
        elif self.encoding:
            yield from self._transcoded(head)

    def _recognise(self, head: bytes) -> bytes:
        for chunk in self._chunks:
            head += chunk
            if len(head) >= _HEAD_BYTES:
                break
        if len(head) < _HEAD_BYTES and not _is_whole(head):
            self.open_bytes = head
            return b""
        self.open_bytes = b""
        for mark, encoding in _BOMS:
            if head.startswith(mark):
                self.encoding = encoding
                self.bom_bytes = len(mark) if encoding == "utf-8" else 0
                return head[len(mark) :]
        zeros = tuple(byte == 0 for byte in head[:_HEAD_BYTES])
        self.encoding = _ZEROS.get(zeros, "utf-8")
        return head

    def _transcoded(self, head: bytes) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(self.encoding)("surrogatepass")
        yield self._as_utf8(decoder, head)
        for chunk in self._chunks:
            yield self._as_utf8(decoder, chunk)

    def _as_utf8(self, decoder: codecs.IncrementalDecoder, chunk: bytes) -> bytes:
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError:
            detail = f"the record is not {self.encoding}, as its first bytes say"
            raise Refused(ENCODING.at(detail)) from None
        self.open_bytes = decoder.getstate()[0]
        return text.encode("utf-8", "surrogatepass")


def _is_whole(head: bytes) -> bool:
    """Whether so few bytes are a record of their own: a mark, nothing, ``{}`` or ``[]``."""
    return head in {mark for mark, _ in _BOMS} or head.strip(b"\0 \t\r\n")[-1:] in b"}]"

"""The head of an XML record: its encoding and the elements that wrap its messages.

A slice is decoded long after its record went by, so it carries what it needs of the head along: a
``context``, which is a small XML head of its own, ``<?xml version="1.0" encoding="utf-8"?>`` and
the start tag of every open wrapper with its namespace declarations and nothing else.

UTF-8 and the ASCII supersets of one byte stay as they are. UTF-16 becomes UTF-8 at the door, and
its context starts with a byte order mark to say that the encoding is now certain. Everything else
(UTF-7, UTF-32, EBCDIC, ...) is refused, because card data could hide from the scrubber in it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from connectors.api import ENCODING, OVERSIZED
from connectors.repeated import many, some
from schemas.problem import Cause, ConfigError, Refused, Rejected

__all__ = [
    "COMMENT",
    "INSTRUCTION",
    "UNREADABLE",
    "Head",
    "Transcoder",
    "Wrapper",
    "as_utf8",
    "begins_document",
    "is_prolog",
    "opening",
    "read_context",
    "read_head",
    "resume",
    "wrapper",
]

UNREADABLE = Cause(
    "LP-XML-001",
    "The record is in an encoding that cannot be read safely.",
    "Have the sender write UTF-8, or set `encoding` of the source if the declaration is wrong.",
)

_BOM = codecs.BOM_UTF8
_KEPT = {"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252"}
_CONTEXT_BYTES_MAX = 64 * 1024
_DECLARATION_BYTES_MAX = 1024

_DECLARATION = re.compile(
    rb"""\s*<\?xml\s[^<>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["'][^<>]*?\?>"""
)
COMMENT = rb"<!--" + many(rb"[^-]++|-(?!-)") + rb"-->"
INSTRUCTION = rb"<\?" + many(rb"[^?]++|\?(?!>)") + rb"\?>"
_TAG = re.compile(rb"<([^<>\s/!?]+)(" + many(rb"[^<>\"']++|\"[^\"<]*\"|'[^'<]*'") + rb")>")
_TAG_START = re.compile(rb"<([^<>\s/!?]+)(" + many(rb"[^<>\"']++|\"[^\"<]*\"?|'[^'<]*'?") + rb")")
_ATTRIBUTE = re.compile(rb"\s(xmlns(?::[^\s=]+)?)\s*=\s*(?:\"([^\"<]*)\"|'([^'<]*)')")
_BEFORE_ROOT = re.compile(some(rb"\s++|" + COMMENT + rb"|" + INSTRUCTION))
_PENDING = re.compile(rb"<\?(utf-16-[lb]e) ([0-9a-f]*)\?>$")


@dataclass(frozen=True, slots=True)
class Wrapper:
    """An element around the messages: its name and ``xmlns`` attributes, as written."""

    name: bytes
    declarations: tuple[tuple[bytes, bytes], ...] = ()

    def write(self) -> bytes:
        """The start tag."""
        parts = [b"<" + self.name]
        parts += [b' %b="%b"' % (k, v.replace(b'"', b"&quot;")) for k, v in self.declarations]
        return b"".join(parts) + b">"


@dataclass(frozen=True, slots=True)
class Head:
    """What is known at a point between two messages.

    ``encoding`` is a Python codec name. ``certain`` is set where the bytes were transcoded here,
    so that neither a declaration nor an option may overrule it.
    """

    encoding: str
    certain: bool = False
    wrappers: tuple[Wrapper, ...] = ()

    def write(self) -> bytes:
        """The context. Raises ``Refused`` if the wrappers are unreasonably large."""
        declared = b'<?xml version="1.0" encoding="%b"?>' % self.encoding.encode()
        context = (_BOM if self.certain else b"") + declared
        context += b"".join(w.write() for w in self.wrappers)
        if len(context) > _CONTEXT_BYTES_MAX:
            raise Refused(OVERSIZED.at(f"the elements around the messages: {len(context)} bytes"))
        return context


def wrapper(name: bytes, attributes: bytes) -> Wrapper:
    """A wrapper from the text of its start tag. Attributes other than ``xmlns`` are dropped."""
    found = _ATTRIBUTE.findall(attributes)
    return Wrapper(name, tuple((key, double or single) for key, double, single in found))


@lru_cache(maxsize=256)
def read_context(context: bytes) -> Head:
    """Read back what ``Head.write`` wrote; an empty context is plain UTF-8."""
    certain = context.startswith(_BOM)
    declared = _DECLARATION.match(context, len(_BOM) if certain else 0)
    if declared is None:
        return Head("utf-8")
    wrappers = [wrapper(*tag.groups()) for tag in _TAG.finditer(context, declared.end())]
    return Head(declared[1].decode(), certain, tuple(wrappers))


def opening(chunks: Iterator[bytes]) -> bytes:
    """Take from ``chunks`` until the XML declaration, if there is one, is all here."""
    head = b""
    for chunk in chunks:
        head += chunk
        start = head.removeprefix(_BOM).lstrip()[:5]
        waiting = len(head) < 4 or (b"<?xml".startswith(start) and b"?>" not in head)
        if not waiting or len(head) > _DECLARATION_BYTES_MAX:
            break
    return head


def _codec(name: str) -> str | None:
    """The Python name of an encoding label, if it is one that is allowed."""
    try:
        codec = codecs.lookup(name).name.removesuffix("-sig")
    except LookupError:
        return None
    return codec if codec in _KEPT or re.fullmatch(r"utf-16(-[lb]e)?", codec) else None


def _chosen(option: str | None) -> str | None:
    """The encoding that the source's options demand."""
    if not option:
        return None
    codec = _codec(option)
    if codec is None:
        raise ConfigError(UNREADABLE.at("the option names no encoding that is read", value=option))
    return codec


def _utf16(head: bytes) -> str | None:
    """The UTF-16 that the first bytes are in, by byte order mark or by the NUL of an ASCII tag."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)) or head[1:4] == b"\0\0\0":
        raise Refused(UNREADABLE.at("the record looks like UTF-32", byte=0))
    if head.startswith(codecs.BOM_UTF16_LE) or (head[:1] != b"\0" and head[1:2] == b"\0"):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE) or (head[:1] == b"\0" and head[1:2] != b"\0"):
        return "utf-16-be"
    return None


class Transcoder:
    """Turns the bytes of a UTF-16 record into UTF-8 as they come; leaves any other record alone."""

    def __init__(self, encoding: str, *, pending: bytes = b"") -> None:
        self.encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
        self._decoder.setstate((pending, 0))

    def __call__(self, data: bytes) -> bytes:
        """The next bytes. A lone surrogate passes and makes its slice undecodable later on."""
        return self._decoder.decode(data).encode("utf-8", "surrogatepass")

    def suspend(self, context: bytes) -> bytes:
        """Note on a ``Rest.context`` where in the UTF-16 this record stopped."""
        pending = self._decoder.getstate()[0].hex()
        return context + f"<?{self.encoding} {pending}?>".encode()


def resume(context: bytes) -> Transcoder | None:
    """The transcoder that goes on where ``Transcoder.suspend`` left off."""
    noted = _PENDING.search(context)
    if noted is None:
        return None
    return Transcoder(noted[1].decode(), pending=bytes.fromhex(noted[2].decode()))


def read_head(first: bytes, option: str | None) -> tuple[Head, Transcoder | None]:
    """Find the encoding of a record by its first bytes (see ``opening``).

    ``option`` overrules the document. Raises ``Refused`` for an encoding that is not allowed and
    ``ConfigError`` for an option that is not.
    """
    chosen = _chosen(option)
    found = _utf16(first)
    if chosen and chosen.startswith("utf-16"):
        found = found or ("utf-16-be" if chosen == "utf-16-be" else "utf-16-le")
    elif chosen:
        found = None
    if found:
        return Head("utf-8", certain=True), Transcoder(found)
    declared = _DECLARATION.match(first.removeprefix(_BOM))
    encoding = _codec(declared[1].decode()) if declared else "utf-8"
    if encoding is None and chosen is None:
        raise Refused(UNREADABLE.at("the declared encoding is not one that is read", byte=0))
    return Head(encoding or chosen or "utf-8"), None


def as_utf8(payload: bytes, head: Head, option: str | None) -> bytes:
    """The slice as UTF-8.

    Raises ``Rejected`` with the first wrong byte where the bytes contradict the encoding that was
    declared, or are valid UTF-8 under the name of a one-byte encoding.
    """
    encoding = head.encoding if head.certain else _chosen(option) or head.encoding
    if encoding.startswith("utf-16"):
        raise Rejected(ENCODING.at("UTF-16 is declared, one byte a character is written", byte=0))
    if payload.isascii():
        return payload
    try:
        text = payload.decode(encoding)
    except UnicodeDecodeError as error:
        detail = f"byte 0x{payload[error.start]:02x} does not occur like this in {encoding}"
        raise Rejected(ENCODING.at(detail, byte=error.start)) from None
    if encoding == "utf-8":
        return payload
    if not option and _is_utf8(payload):
        first = next(i for i, byte in enumerate(payload) if byte > 0x7F)
        raise Rejected(ENCODING.at(f"{encoding} is declared, UTF-8 is written", byte=first))
    return text.encode()


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def begins_document(first: bytes, roots: frozenset[bytes]) -> bool:
    """Whether these first bytes of a record are the start of a document, not its middle.

    A document starts with an XML declaration or, behind comments and processing instructions, with
    one of the ``roots`` by local name or any element that declares a namespace.
    """
    text = _plain(first).removeprefix(_BOM).lstrip()
    if text.startswith(b"<?xml"):
        return True
    if b"\0" in first[:2]:
        # Without a byte order mark UTF-16 must declare itself. Every second place where it may
        # be cut looks like the start of UTF-16 of the other byte order.
        return False
    before = _BEFORE_ROOT.match(text)
    tag = _TAG_START.match(text, before.end() if before else 0)
    if tag is None:
        return False
    return tag[1].rpartition(b":")[2] in roots or re.search(rb"\sxmlns[:=]", tag[2]) is not None


def is_prolog(gap: bytes) -> bool:
    """Whether this is the start of a document up to its first element, and no more."""
    return bool(gap.strip()) and _BEFORE_ROOT.fullmatch(gap.removeprefix(_BOM)) is not None


def _plain(first: bytes) -> bytes:
    """The first bytes as UTF-8, as far as they can be read."""
    try:
        utf16 = _utf16(first)
    except Refused:
        return first
    return Transcoder(utf16)(first) if utf16 else first

"""What goes between the hub and its second process, and how it is written.

Everything is data of fixed form: neither side can make the other run anything.
"""

from __future__ import annotations

import socket
import struct
from typing import Any, TypeVar

import msgspec

from hub.effects import Effects
from hub.people.claim import Claim
from hub.steps import Step
from schemas.envelope import Flag

__all__ = [
    "AllDone",
    "Answer",
    "Done",
    "Form",
    "Made",
    "Question",
    "Told",
    "Unread",
    "Work",
    "packed",
    "receive",
    "send",
    "unpacked",
]

Question = tuple[str, ...]
"""What a translation asks beside the document: source, connector and system, a name, and whatever
it asks about."""
Answer = tuple[str | None, ...] | str | None

_LENGTH = struct.Struct(">Q")
_CHUNK_BYTES = 1 << 20

T = TypeVar("T")


class Unread(msgspec.Struct, array_like=True):
    """A message, and the way of its source."""

    source: str
    system: str
    connector: str
    options: str
    offset: int
    payload: bytes
    context: bytes
    digest: str
    joined: bool
    file: str | None
    stores: str | None


class Told(msgspec.Struct, array_like=True):
    """The answer to a question; it is known by its number from now on."""

    number: int
    question: Question
    answer: Answer


class Work(msgspec.Struct, array_like=True):
    """Messages to translate, and what has become known since the last ones."""

    told: list[Told]
    messages: list[Unread]


class Form(msgspec.Struct, array_like=True):
    """The effects of a document, all in all as ``Effects`` has them."""

    kind: str
    model: str
    mapping: str
    flags: list[tuple[str, str, str]]
    body: str
    system: str | None
    revenue: str | None
    currency: str | None
    claims: list[tuple[str, str, str]]
    index: str | None
    row: dict[str, str | int | None] | None
    links: list[dict[str, str | int | None]]
    reverses: str | None


class Made(msgspec.Struct, array_like=True):
    """A named document, and what it does or why it cannot be translated."""

    kind: str
    at: str
    name_kind: str
    content_version: int
    version: str | None
    fact: str
    business_hash: str
    further: str
    form: Form | None
    problem: str | None


class Done(msgspec.Struct, array_like=True):
    """What became of a message: its documents, or why it cannot be read.

    ``used`` are the numbers of the answers that it relied on. ``asked`` are questions to which
    there was no answer: then, and where it ``failed``, nothing else counts.
    """

    used: list[int]
    asked: list[Question] = []
    failed: bool = False
    problem: str | None = None
    documents: list[Made] = []


class AllDone(msgspec.Struct, array_like=True):
    """What became of all messages of some work, in their order, and what it took, by step."""

    done: list[Done]
    steps: dict[Step, float]


def packed(effects: Effects) -> Form:
    """Effects as they go over the wire."""
    return Form(
        effects.kind,
        effects.model,
        effects.mapping,
        [(flag.code, flag.path, flag.detail) for flag in effects.flags],
        effects.body,
        effects.system,
        effects.revenue,
        effects.currency,
        [(claim.kind, claim.value, claim.issuer) for claim in effects.claims],
        effects.index,
        effects.row,
        list(effects.links),
        effects.reverses,
    )


def unpacked(form: Form) -> Effects:
    """Effects as they were before."""
    return Effects(
        kind=form.kind,
        model=form.model,
        mapping=form.mapping,
        flags=tuple(Flag(code=c, path=path, detail=detail) for c, path, detail in form.flags),
        body=form.body,
        system=form.system,
        revenue=form.revenue,
        currency=form.currency,
        claims=tuple(Claim(*claim) for claim in form.claims),
        index=form.index,  # type: ignore[arg-type]
        row=form.row,
        links=tuple(form.links),
        reverses=form.reverses,
    )


def send(line: socket.socket, value: Any) -> None:
    """Write a value whole. Raises ``OSError`` where nobody reads."""
    data = msgspec.msgpack.encode(value)
    line.sendall(_LENGTH.pack(len(data)) + data)


def receive(line: socket.socket, form: type[T]) -> T:
    """Read a value whole. Raises ``OSError`` where nobody writes, and ``ValueError`` for another
    value than this.
    """
    (length,) = _LENGTH.unpack(_exactly(line, _LENGTH.size))
    return msgspec.msgpack.decode(_exactly(line, length), type=form)


def _exactly(line: socket.socket, size: int) -> bytes:
    parts: list[bytes] = []
    while size:
        part = line.recv(min(size, _CHUNK_BYTES))
        if not part:
            raise ConnectionResetError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)

"""The whole author surface of a connector: a manifest, a scrub profile and a few pure functions.

``split`` cuts a record into messages before anything is understood, so that one bad transaction
spoils one slice. ``decode`` turns a slice into documents that a mapping can read. ``name`` says
which fact or snapshot a document is. ``verify`` tells before all that whether a webhook comes from
who it should, and ``reply`` what its sender wants to hear afterwards. None of them reads a file, a
clock or a socket: transports belong to the hub and to the store agent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, SecretStr

from connectors.manifest import Manifest
from connectors.scrub import ScrubProfile
from schemas.problem import Cause, Problem

__all__ = [
    "DEPTH",
    "EMPTY",
    "ENCODING",
    "FOREIGN",
    "MALFORMED",
    "MARKUP_DECLARATION",
    "MESSAGE_BYTES_MAX",
    "NAMELESS",
    "NO_MESSAGE",
    "OVERSIZED",
    "TRUNCATED",
    "Connector",
    "Document",
    "Name",
    "Options",
    "Reply",
    "Request",
    "Rest",
    "Secrets",
    "Slice",
    "Stamp",
]

MESSAGE_BYTES_MAX = 4 * 1024 * 1024
"""A single message larger than this is refused with its whole record."""

EMPTY = Cause("LP-DOOR-001", "The record is empty.", "Send it again once it has content.")
OVERSIZED = Cause(
    "LP-DOOR-002",
    "One document in the record is larger than a message may be.",
    "Check that the file is what the source should send; split it at the sender.",
)
MARKUP_DECLARATION = Cause(
    "LP-DOOR-003",
    "The record carries a DOCTYPE or entity declaration, which is never allowed.",
    "Have the sender write plain XML; treat the file as hostile until you know where it is from.",
)
DEPTH = Cause(
    "LP-DOOR-004",
    "The record nests deeper than any real document does.",
    "Treat the file as hostile until you know where it is from.",
)
NO_MESSAGE = Cause(
    "LP-DOOR-005",
    "The record holds nothing that this connector understands.",
    "Check that the file was given to the right source.",
)
TRUNCATED = Cause(
    "LP-DOC-001",
    "The document ends before it is complete.",
    "Send the rest or the whole file again; the held part closes by itself when it arrives.",
)
ENCODING = Cause(
    "LP-DOC-002",
    "The bytes are not in the encoding that the document declares.",
    "Have the sender declare the right encoding, or set `encoding` of the source and release.",
)
MALFORMED = Cause(
    "LP-DOC-003",
    "The document is not well-formed.",
    "Have the sender send it again, then discard this one.",
)
FOREIGN = Cause(
    "LP-DOC-004",
    "The document is well-formed but of no kind that this connector knows.",
    "Discard it, or teach the connector this kind and release it.",
)
NAMELESS = Cause(
    "LP-DOC-005",
    "The document does not say which fact it is.",
    "Have the sender fill the named field and send it again, then discard this one.",
)


class Options(BaseModel):
    """What a source may set for its connector. A connector subclasses this to add its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoding: str | None = None
    """Overrules what documents declare, for a sender that declares it wrongly."""


Secrets: TypeAlias = tuple[SecretStr, ...]
"""The secrets of a source. While one is being changed there are two, and either will do."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it came in: ``url`` whole and as the sender wrote it, ``body`` unread.

    ``headers`` has lower-case names, and for each the values in the order in which they came.
    """

    method: str
    url: str
    headers: Mapping[str, tuple[str, ...]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header; ``None`` if it is absent, or there twice and so no answer."""
        values = self.headers.get(name, ())
        return values[0] if len(values) == 1 else None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a sender writes on a webhook beside its body.

    ``id`` is the same each time the webhook is sent. ``at`` is when it was first sent off, as UTC
    text of fixed width; of two snapshots of one version, the later one is the newer.
    """

    id: str | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a sender is answered, once what it sent is on the disk."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Slice:
    """One message, still undecoded.

    ``offset`` is where it starts in the record, in bytes; a slice that began in an earlier record
    (see ``Rest``) is ``joined``. ``context`` is what the slice needs from the record's head to be
    decoded (for XML, the encoding and the namespaces), the same object for all of a record.
    ``problem`` is set where the door can already tell that the slice will be held.
    """

    payload: bytes
    offset: int
    context: bytes = b""
    joined: bool = False
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Rest:
    """The open end of a record that stopped in the middle: yielded last, if at all.

    ``payload`` are the bytes after the last complete message: empty if the cut fell between two
    messages. The hub keeps it and offers it to the record that goes on from there.
    """

    payload: bytes
    offset: int
    context: bytes = b""


@dataclass(frozen=True, slots=True)
class Document:
    """A decoded document. ``kind`` chooses the mapping (see the manifest's ``messages``).

    ``body`` is what the mapping reads: a dict, or an lxml element with the connector's canonical
    prefixes. ``at`` is where the body lies inside its message, as a mapping path; empty if it is
    the whole message.
    """

    kind: str
    body: Any
    at: str = ""


@dataclass(frozen=True, slots=True)
class Name:
    """Which thing of its system a document is.

    ``key`` is unique in the system: store, workstation, business date and sequence number of a
    till, or a native id. ``content`` is what makes two documents of one key the same fact: the
    fields the connector declares as content, written down unambiguously. ``content_version``
    changes when that list changes. A ``snapshot`` restates its thing and carries a ``version``
    whose text order is its age; a ``fact`` is immutable and has none.
    """

    kind: Literal["fact", "snapshot"]
    key: tuple[str, ...]
    content: bytes
    content_version: int = 1
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Connector:
    """What a connector's entry point names.

    ``split(chunks, options, rest)`` reads a record as it arrives and yields ``Slice``s, then at
    most one ``Rest``. Given the ``rest`` of an earlier record, it goes on from there. Raises
    ``Refused`` for a record of which nothing may be kept.

    ``continues(head)`` tells from the first bytes whether a record starts in the middle of a
    document, so that offering it a ``rest`` makes sense.

    ``decode(payload, context, options)`` gives the documents of one slice, the principal one
    first. Raises ``Rejected``.

    ``name(document, options)`` names one document. Raises ``Rejected``.

    ``verify(request, secrets, options, now)`` passes a webhook that was signed with one of the
    secrets, at a time near ``now`` where its scheme has one, and gives what is stamped on it.
    Raises ``Denied``; ``ConfigError``, whatever the request, for secrets that its scheme cannot
    use. A connector without it takes no webhooks: its records come in with a key.

    ``again(payload, context, options, reads)`` gives what ``decode`` gave for a slice that it has
    taken before, and need not prove again that it is lawful. Plans read the whole journal by it;
    without it they take ``decode``. Nobody will look at any field of a document that is not named
    in ``reads``, unless that is ``None``: what stands there instead is no matter.

    ``reply(request, options)`` answers a webhook. Without it the sender gets the record's number.

    ``bind(options)`` gives the connector as it is under these options, for one whose scrub profile
    or ``continues`` depends on them.

    ``functions`` may be used by its mappings as ``| own NAME``: from a text, number or yes/no, and
    the arguments of the rule as texts, to another one, or ``None`` where nothing is left. Pure, and
    ``ValueError`` for what they cannot take. Reports list them, because none can look into them.
    """

    manifest: Manifest
    scrub: ScrubProfile
    split: Callable[[Iterable[bytes], Any, Rest | None], Iterator[Slice | Rest]]
    continues: Callable[[bytes], bool]
    decode: Callable[[bytes, bytes, Any], tuple[Document, ...]]
    name: Callable[[Document, Any], Name]
    options: type[Options] = Options
    verify: Callable[[Request, Secrets, Any, datetime], Stamp] | None = None
    reply: Callable[[Request, Any], Reply] | None = None
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    again: Callable[[bytes, bytes, Any, frozenset[str] | None], tuple[Document, ...]] | None = None
    bind: Callable[[Any], Connector] | None = None

    def bound(self, options: Any) -> Connector:
        """This connector under the options of a source; every door and every capture asks this."""
        return self if self.bind is None else self.bind(options)

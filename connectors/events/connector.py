"""The events connector: CloudEvents in JSON, one or a batch, each a fact of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from connectors import signature
from connectors.api import (
    FOREIGN,
    NAMELESS,
    Connector,
    Document,
    Name,
    Request,
    Rest,
    Secrets,
    Slice,
    Stamp,
)
from connectors.events import content
from connectors.events.scrub_profile import PROFILE
from connectors.formats.json_record import continues, split_record
from connectors.formats.json_text import JsonOptions, decode_json
from connectors.manifest import read
from connectors.stamp import stamped
from schemas.problem import Rejected

__all__ = ["connector"]

_NAME_LENGTH_MAX = 200
_REQUIRED = ("source", "id", "type")


def verify(request: Request, secrets: Secrets, options: JsonOptions, now: datetime) -> Stamp:
    """Pass what is signed as Standard Webhooks say, at most five minutes off. Raises ``Denied``."""
    signature.standard(request, secrets, now=now)
    return stamped(request, number="webhook-id")


def split(
    chunks: Iterable[bytes], options: JsonOptions, rest: Rest | None = None
) -> Iterator[Slice | Rest]:
    """Cut a batch, one event, or one a line; see ``formats.json_record``."""
    return split_record(chunks, wrappers=frozenset(), lists=frozenset(), rest=rest)


def decode(payload: bytes, context: bytes, options: JsonOptions) -> tuple[Document, ...]:
    """Give the event. Raises ``Rejected``.

    The causes are those of ``json_text``; FOREIGN for what is no CloudEvent of version 1 with an
    object as its data; NAMELESS without source, id or type.
    """
    event = decode_json(payload, encoding=options.encoding)
    if not isinstance(event, dict) or not str(event.get("specversion", "")).startswith("1."):
        raise Rejected(FOREIGN.at("this is no CloudEvent of version 1", path="specversion"))
    for field in _REQUIRED:
        text = event.get(field)
        if not isinstance(text, str) or not text.strip() or len(text) > _NAME_LENGTH_MAX:
            raise Rejected(NAMELESS.at(f"the event has no {field}", path=field))
    if not isinstance(event.get("data"), dict):
        raise Rejected(FOREIGN.at("the data of the event are no object", path="data"))
    return (Document("event", event),)


def name(document: Document, options: JsonOptions) -> Name:
    """Name the event as a fact by its source and id, which CloudEvents make unique together."""
    event = document.body
    key = (event["source"], event["id"])
    return Name("fact", key, content.written(event), content.VERSION)


connector = Connector(
    manifest=read(Path(__file__).with_name("manifest.toml")),
    scrub=PROFILE,
    split=split,
    continues=continues,
    decode=decode,
    name=name,
    options=JsonOptions,
    verify=verify,
)
"""What the entry point ``events`` names."""

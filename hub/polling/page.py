"""A page of what is polled: cut into its elements by the connector, each known by its name.

An element that the connector cannot read is one all the same: it is journalled and held, like any
other message, and the page goes on. A page that is no whole list is nothing at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors.api import EMPTY, NO_MESSAGE, Slice
from connectors.scrub import scrub
from hub import journal
from hub.door import Door
from hub.polling.causes import MALFORMED
from hub.polling.chosen import Stream
from schemas.problem import Refused

__all__ = ["Element", "Page", "read", "utc_text"]

_FIRST_YEAR = 1970
_raw_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raw_list = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Element:
    """A thing on a page. ``place`` is which message of the record it is."""

    place: int
    key: str
    digest: str
    changed: str | None
    """When it changed, as it says itself, in UTC text of fixed width."""


@dataclass(frozen=True, slots=True)
class Page:
    """The record that a page becomes, and what is in it."""

    record: bytes
    elements: tuple[Element, ...]


def read(door: Door, stream: Stream, body: bytes) -> Page:
    """Take a page apart. Raises ``Refused`` for one that is no whole list."""
    record = _list_of(body, stream.items)
    if record is None:
        return Page(b"", ())
    try:
        pieces = list(door.connector.split([record], door.options, None))
    except Refused as refusal:
        if refusal.problem.code in (EMPTY.code, NO_MESSAGE.code):
            raise Refused(MALFORMED.at("there is nothing in it that the connector knows")) from None
        raise
    whole = [piece for piece in pieces if isinstance(piece, Slice)]
    if len(whole) < len(pieces):
        raise Refused(MALFORMED.at("it ends in the middle"))
    return Page(record, tuple(_element(door, stream, *each) for each in enumerate(whole)))


def _list_of(body: bytes, items: str | None) -> bytes | None:
    """The list alone, under its key if it has one, as connectors know it; ``None`` if it is empty.

    What is no JSON as a whole may still be a list in which one element is broken: the connector
    cuts that out, if the page begins as it should.
    """
    names = items.split(".") if items else []
    found = body
    try:
        for name in names:
            found = bytes(_raw_object.decode(found)[name])
        if not _raw_list.decode(found):
            return None
    except KeyError:
        raise Refused(MALFORMED.at("the list is not there", path=items)) from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        if not _begins(body, names):
            raise Refused(MALFORMED.at("there is no list", path=items)) from None
        return body
    return b'{"%s":%s}' % (names[-1].encode(), found) if names else found


def _begins(body: bytes, names: list[str]) -> bool:
    """Whether a page that cannot be read as a whole begins as one that has the list."""
    head = b"".join(rb'\s{0,64}\{\s{0,64}"%s"\s{0,64}:' % re.escape(n.encode()) for n in names)
    return re.match(head + rb"\s{0,64}\[", body) is not None


def _element(door: Door, stream: Stream, place: int, piece: Slice) -> Element:
    payload = scrub(piece.payload, door.connector.scrub)
    digest = journal.digest(payload)
    try:
        documents = door.connector.decode(payload, piece.context, door.options)
        key = "/".join(door.connector.name(documents[0], door.options).key)
        changed = _changed(documents[0].body, stream.changed)
    except Exception:  # noqa: BLE001
        # It is the message that has the problem: settling will find it and say which.
        return Element(place, f"?{digest}", digest, None)
    return Element(place, key, digest, changed)


def _changed(body: Any, field: str) -> str | None:
    found = body
    for name in field.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return utc_text(found) if isinstance(found, str) else None


def utc_text(text: str) -> str | None:
    """A time in UTC text of fixed width, if it is one; without an offset it is in UTC already."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        utc = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    # Nothing of ours is older, and years of three digits would not sort as text.
    return utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if utc.year >= _FIRST_YEAR else None

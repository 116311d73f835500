"""Attempts: what a draft makes of a document, value by value, and nothing of it is kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from connectors import registry
from connectors.api import Slice
from connectors.scrub import scrub, scrub_text
from hub import explain, journal, library, publication
from hub.authoring.draft import Draft
from hub.bootstrap import Hub
from hub.causes import FILE_MISSING, NOT_FOUND
from hub.explain import Explained
from hub.journal import Stored
from hub.publication import Target
from hub.translate import Translator
from mappings.mapping import Mapping
from schemas.envelope import Flag
from schemas.model import Canonical
from schemas.problem import LynchpinError, Problem, Refused, Rejected

__all__ = ["Attempt", "attempted", "of_file", "of_message"]

_BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one document became: its values and flags, or why its message would be held."""

    message: int
    fact: str | None
    values: tuple[Explained, ...] = ()
    flags: tuple[Flag, ...] = ()
    model: Canonical | None = None
    problem: Problem | None = None
    further: str | None = None
    """Which of the further documents of its message it is; ``None`` for the document itself."""


def of_message(connection: Connection, number: int) -> list[Stored]:
    """A message of the journal. Raises ``Rejected`` if there is none of this number."""
    stored = journal.entry(connection, number)
    if stored is None:
        raise Rejected(NOT_FOUND.at(f"there is no message {number}"))
    assert stored.said is not None
    return [stored]


def of_file(hub: Hub, file: Path, target: Target, source: str | None) -> list[Stored]:
    """The messages of a file as the door would cut and scrub them, numbered from 1.

    ``source`` is the one whose options and zone hold; else the first of this connector. Raises
    ``Refused`` for what the door would turn away.
    """
    name = source or _first_source(hub, target.connector)
    options, system = _options(hub, name, target.connector)
    connector = registry.load(target.connector)
    pieces = connector.split(iter([_content(file)]), options, None)
    return [
        Stored(
            id=number,
            record_id=0,
            offset=piece.offset,
            payload=scrub(piece.payload, connector.scrub),
            digest="",
            joined=piece.joined,
            state="pending",
            context=scrub(piece.context, connector.scrub),
            source=name or "",
            system=system,
            connector=target.connector,
            file=scrub_text(file.name),
        )
        for number, piece in enumerate((p for p in pieces if isinstance(p, Slice)), 1)
    ]


def _first_source(hub: Hub, connector: str) -> str | None:
    sources = hub.settings.sources
    return next((name for name in sources if sources[name].connector == connector), None)


def _options(hub: Hub, source: str | None, connector: str) -> tuple[object, str]:
    if source is None:
        return registry.load(connector).options(), connector
    door = hub.door(source)
    return door.options, door.system


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(_BYTES_MAX + 1)
    except OSError as error:
        raise Refused(FILE_MISSING.at(error.strerror or "", file=file.name)) from None
    if len(content) > _BYTES_MAX:
        raise Refused(FILE_MISSING.at(f"more than {_BYTES_MAX} bytes", file=file.name))
    return content


def attempted(
    hub: Hub, connection: Connection, draft: Draft, messages: list[Stored], *, reveal: bool
) -> Iterator[Attempt]:
    """What the documents of these messages become that the draft is for; others are passed over.

    A message that cannot be decoded gives one attempt with its problem.
    """
    kinds = {target.kind for target in publication.siblings(draft.target)}
    for stored in messages:
        translator = _through(hub, connection, stored, draft, kinds)
        try:
            named_ones = translator.named(stored)
        except LynchpinError as error:
            yield Attempt(stored.id, None, problem=error.problem)
            continue
        for named in named_ones:
            if named.document.kind not in kinds:
                continue
            about = named.further or None
            try:
                made = translator.translated(stored, named)
            except LynchpinError as error:
                yield Attempt(stored.id, named.fact, problem=error.problem, further=about)
                continue
            values = explain.explained(
                made.mapping,
                stored,
                named,
                made.model,
                made.kind,
                translator.reference,
                reveal=reveal,
            )
            yield Attempt(
                stored.id, named.fact, tuple(values), made.flags, made.model, further=about
            )


def _through(
    hub: Hub, connection: Connection, stored: Stored, draft: Draft, kinds: set[str]
) -> Translator:
    """The way of a message with the draft in place of what is in force."""

    def mapping(kind: str) -> Mapping:
        mine = kind in kinds and stored.connector == draft.target.connector
        return draft.mapping if mine else library.in_force(connection, stored.connector, kind)

    return dataclasses.replace(hub.translator(connection, stored), mapping=mapping)

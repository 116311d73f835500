"""A record's way through a connector without a hub: split, scrub, decode, name, map.

Serves the contract suite, and whoever wants to see what a file becomes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from connectors import registry
from connectors.api import Document, Name, Rest, Slice
from connectors.scrub import scrub
from mappings.mapping import Mapping, load
from schemas.model import Canonical
from schemas.problem import Problem, Refused, Rejected

__all__ = ["EXPECTED", "Outcome", "Taken", "documents", "mapping", "pieces", "samples", "take_in"]

EXPECTED = ".canonical.json"
"""Ends the name of the file that says what the messages of a sample become."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A document on the way: decoded, named, and as its canonical model."""

    document: Document
    name: Name
    model: Canonical


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a record became. Of a ``refused`` one nothing is kept; the problem says why."""

    taken: tuple[Taken, ...]
    problems: tuple[Problem, ...]
    refused: bool = False


def samples(connector: str) -> tuple[Path, ...]:
    """The sample files of a connector, in the order of their names."""
    folder = registry.folder(connector) / "samples"
    found = folder.iterdir() if folder.is_dir() else ()
    return tuple(sorted(path for path in found if not path.name.endswith(EXPECTED)))


@cache
def mapping(connector: str, kind: str) -> Mapping:
    """The shipped mapping of a kind of message. Raises ``ConfigError``."""
    message = registry.manifests()[connector].messages[kind]
    return load(*registry.mapping_text(connector, message.mapping))


def pieces(
    connector: str, record: bytes, *, chunk_bytes: int | None = None, rest: Rest | None = None
) -> list[Slice | Rest]:
    """Split a record that arrives in chunks of one size. Raises ``Refused``."""
    size = chunk_bytes or max(len(record), 1)
    chunks = (record[at : at + size] for at in range(0, len(record), size))
    made = registry.load(connector)
    return list(made.split(chunks, made.options(), rest))


def documents(connector: str, piece: Slice) -> tuple[Document, ...]:
    """Decode a slice after scrubbing it, as the hub does. Raises ``Rejected``."""
    made = registry.load(connector)
    payload, context = (scrub(part, made.scrub) for part in (piece.payload, piece.context))
    return made.decode(payload, context, made.options())


def take_in(connector: str, record: bytes) -> Outcome:
    """Take a record all the way. Whatever is raised is no ``Refused`` or ``Rejected``."""
    try:
        found = pieces(connector, record)
    except Refused as refusal:
        return Outcome((), (refusal.problem,), refused=True)
    taken: list[Taken] = []
    problems: list[Problem] = []
    for piece in found:
        if isinstance(piece, Rest):
            continue
        if piece.problem is not None:
            problems.append(piece.problem)
            continue
        try:
            taken += _taken(connector, piece)
        except Rejected as rejection:
            problems.append(rejection.problem)
    return Outcome(tuple(taken), tuple(problems))


def _taken(connector: str, piece: Slice) -> Iterator[Taken]:
    made = registry.load(connector)
    for document in documents(connector, piece):
        name = made.name(document, made.options())
        model, _ = mapping(connector, document.kind).build(document.body, system=connector)
        yield Taken(document, name, model)

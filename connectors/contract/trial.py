"""A record's way through a connector without a hub: split, scrub, decode, name, map.

Serves the contract suite, and whoever wants to see what a file becomes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from connectors import registry
from connectors.api import Document, Name, Rest, Slice
from connectors.scrub import scrub
from mappings.mapping import Mapping, load
from schemas.model import Canonical
from schemas.problem import Problem, Refused, Rejected

__all__ = [
    "Outcome",
    "Taken",
    "documents",
    "expected",
    "kept",
    "mapping",
    "pieces",
    "samples",
    "take",
    "take_in",
    "unplaced",
]

_EXPECTED = ".canonical.json"


@dataclass(frozen=True, slots=True)
class Taken:
    """A document on the way: decoded, named, and as its canonical model."""

    document: Document
    name: Name
    model: Canonical

    def written(self) -> dict[str, Any]:
        """The canonical document as plain JSON values."""
        plain: dict[str, Any] = self.model.model_dump(mode="json", exclude_none=True)
        return plain


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
    return tuple(sorted(path for path in found if not path.name.endswith(_EXPECTED)))


def expected(sample: Path) -> Path:
    """The file beside a sample that says what its documents become."""
    return sample.with_name(sample.stem + _EXPECTED)


@cache
def mapping(connector: str, kind: str) -> Mapping:
    """The shipped mapping of a kind of message. Raises ``ConfigError``."""
    message = registry.manifests()[connector].messages[kind]
    text, file = registry.mapping_text(connector, message.mapping)
    return load(text, file, registry.load(connector).functions)


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


def kept(connector: str, record: bytes) -> bytes:
    """All that the hub would write down of a record; of a refused one that is nothing."""
    profile = registry.load(connector).scrub
    try:
        found = pieces(connector, record)
    except Refused:
        return b""
    parts = (part for piece in found for part in (piece.payload, piece.context))
    return b"\n".join(scrub(part, profile) for part in parts)


def take(connector: str, piece: Slice) -> list[Taken]:
    """Decode, name and map a slice. Raises ``Rejected``."""
    made = registry.load(connector)
    taken = []
    for document in documents(connector, piece):
        name = made.name(document, made.options())
        by = mapping(connector, document.kind)
        model, _ = by.build(document.body, system=connector)
        for found in by.found(document.body):
            by.further[found.name].build(found.part, system=connector)
        taken.append(Taken(document, name, model))
    return taken


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
            taken += take(connector, piece)
        except Rejected as rejection:
            problems.append(rejection.problem)
    return Outcome(tuple(taken), tuple(problems))


def unplaced(value: Any) -> Any:
    """A canonical document without what the hub knows of the zone of a clock without offset."""
    if isinstance(value, list):
        return [unplaced(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "local" in value and "offset" not in value:
        return {"local": value["local"]}
    return {key: unplaced(each) for key, each in value.items()}

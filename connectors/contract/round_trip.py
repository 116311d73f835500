"""The part of the contract for mappings of both directions: what they write comes back.

A mapping that says nothing of the way back has nothing to show here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from connectors import registry
from connectors.api import Document, Slice
from connectors.contract import damage
from connectors.contract.trial import documents, expected, mapping, pieces, samples
from mappings.round_trip import broken
from schemas.problem import Refused, Rejected

__all__ = ["CHECKS"]

_DAMAGED_MAX = 40
"""How many records with a field less are tried for each sample, spread over all of it."""


def samples_come_back(connector: str) -> None:
    """What is written from the canonical form of a sample says what the sample says.

    That form is the one that lies beside the sample, if there is one, so that a rule is caught that
    reads and writes the same wrong thing.
    """
    for sample in samples(connector) if _goes_back(connector) else ():
        found = list(_documents(connector, sample.read_bytes()))
        entries: list[dict[str, Any]] = [{} for _ in found]
        if expected(sample).is_file():
            entries = json.loads(expected(sample).read_text("utf-8"))
        for document, entry in zip(found, entries, strict=True):
            _check(connector, document, sample.name, entry.get("document"))


def samples_with_less_come_back(connector: str) -> None:
    """The same without any one field, as far as that becomes canonical at all."""
    syntax = registry.manifests()[connector].format
    for sample in samples(connector) if _goes_back(connector) else ():
        less = list(damage.without_each_leaf(sample.read_bytes(), syntax))
        for leaf, record in less[:: 1 + len(less) // _DAMAGED_MAX]:
            what = f"{sample.name} without {'.'.join(leaf.path)}"
            for document in _documents(connector, record):
                _check(connector, document, what, None)


CHECKS = (samples_come_back, samples_with_less_come_back)
"""The checks of this part, the cheap one first."""


def _goes_back(connector: str) -> bool:
    messages = registry.manifests()[connector].messages
    return any(mapping(connector, kind).spec.declared.both for kind in messages)


def _documents(connector: str, record: bytes) -> Iterator[Document]:
    """The documents of a record that can be read at all; the rest is the business of others."""
    try:
        found = pieces(connector, record)
    except Refused:
        return
    for piece in found:
        if isinstance(piece, Slice) and piece.problem is None:
            try:
                yield from documents(connector, piece)
            except Rejected:
                continue


def _check(connector: str, document: Document, what: str, canonical: dict[str, Any] | None) -> None:
    found = mapping(connector, document.kind)
    if not found.spec.declared.both:
        return
    try:
        problems = broken(found, document.body, canonical)
    except Rejected:
        assert canonical is None, f"{what}: cannot be read"
        return
    assert not problems, f"{what}: {problems[0]}"

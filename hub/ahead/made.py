"""What a second process has made of a message, as the hub would have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.api import Document, Name
from hub.ahead.wire import Done, Made, unpacked
from hub.effects import Effects
from hub.translate import Named
from schemas.problem import Problem

__all__ = ["Prepared", "prepared"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message that was translated ahead: its documents, and what each does or what it fails on.

    Their bodies stayed where they were read. ``problem`` says why the message cannot be read.
    """

    named: tuple[Named, ...]
    effects: tuple[Effects | Problem, ...]
    problem: Problem | None = None


def prepared(done: Done) -> Prepared:
    """What is done of a message. Raises ``ValueError`` where that is nothing the hub knows."""
    if done.problem is not None:
        return Prepared((), (), Problem.model_validate_json(done.problem))
    return Prepared(
        tuple(_named(made) for made in done.documents),
        tuple(_effects(made) for made in done.documents),
    )


def _named(made: Made) -> Named:
    kind: Any = made.name_kind
    name = Name(kind, (), b"", made.content_version, made.version)
    document = Document(made.kind, None, made.at)
    return Named(document, name, made.fact, made.business_hash, made.further)


def _effects(made: Made) -> Effects | Problem:
    if made.form is not None:
        return unpacked(made.form)
    return Problem.model_validate_json(made.problem or "")

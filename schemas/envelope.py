"""The Envelope: a canonical document with its name. This is what leaves the hub, a line each."""

from __future__ import annotations

from typing import Any, Literal

from schemas.control import Control
from schemas.customer import Customer
from schemas.interaction import Interaction
from schemas.model import Canonical, Code, Id, Text
from schemas.order import Order
from schemas.reversal import Reversal
from schemas.transaction import Transaction

__all__ = ["DOCUMENTS", "DocumentKind", "Envelope", "Flag", "model_name"]

DocumentKind = Literal["Transaction", "Control", "Order", "Reversal", "Customer", "Interaction"]

DOCUMENTS: dict[str, type[Canonical]] = {
    "Transaction": Transaction,
    "Control": Control,
    "Order": Order,
    "Reversal": Reversal,
    "Customer": Customer,
    "Interaction": Interaction,
}
"""Every kind of document that a message can become."""


def model_name(kind: str) -> str:
    """Name and version of a model's JSON Schema: ``transaction.v1`` for ``Transaction``."""
    return f"{kind.lower()}.v1"


class Flag(Canonical):
    """Something a person should know about a document that was accepted all the same."""

    code: Code
    path: Text
    detail: Text


class Envelope(Canonical):
    """A document and what names it.

    ``fact`` is unique for ever and free of the source it came through. ``version`` orders the
    snapshots of one restatable thing and is absent on immutable facts.
    """

    kind: DocumentKind
    model: Code
    """Name and version of the JSON Schema, such as ``transaction.v1``."""
    fact: Id
    version: Text | None = None
    flags: tuple[Flag, ...] = ()
    document: dict[str, Any]

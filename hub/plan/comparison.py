"""One document through two texts of a mapping, and what each makes of it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from connectors.api import Document, Name
from hub.bootstrap import Hub
from hub.failure import problem_of
from hub.journal import Stored
from hub.people.claim import Claim, claims_of
from hub.plan.prune import Pair
from hub.translate import Named, Translated, Translator
from mappings.compiler import Unknown
from mappings.mapping import Mapping
from schemas.order import Order
from schemas.problem import Problem
from schemas.transaction import Transaction

__all__ = ["NAME", "Comparison", "Made", "decoded", "failed"]

_GIVES_UP = (ValueError, TypeError, AttributeError, KeyError, ArithmeticError)
NAME = Name("fact", (), b"")
"""Nothing is applied here, so what a document is called by the hub does not matter."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a text makes of a document, as the hub would store it."""

    values: dict[str, Any]
    flags: frozenset[tuple[str, str]]
    claims: frozenset[Claim]
    money: tuple[str, Decimal] | None


@dataclass(slots=True)
class Comparison:
    """Two texts of one mapping, and the ways of messages to them in one transaction.

    What they make of a document is compared before it is placed in time and validated, because
    what is equal then is equal afterwards: everything that follows is the same for both.
    """

    hub: Hub
    connection: Connection
    published: Mapping
    proposed: Mapping
    pair: Pair
    """What the two texts do not share, which is all that has to be run to see that they agree."""
    _ways: dict[tuple[str, str], Translator] = field(default_factory=dict)

    def way(self, stored: Stored) -> Translator:
        """The way of a message; those of one source share it."""
        key = (stored.source, stored.system)
        if key not in self._ways:
            self._ways[key] = self.hub.translator(self.connection, stored)
        return self._ways[key]

    def agree(self, stored: Stored, document: Document) -> bool:
        """Whether both texts make the same of a document; not so where one of them fails."""
        known = self.way(stored).reference
        then: Unknown = []
        now: Unknown = []
        try:
            before = self.pair.old(document.body, then, known)
            after = self.pair.new(document.body, now, known)
        except _GIVES_UP:
            return False
        # Equal numbers may still be written with other digits.
        return then == now and before == after and repr(before) == repr(after)

    def made(self, stored: Stored, document: Document, mapping: Mapping) -> Made | Problem:
        """What one of the texts makes of a document, or why its message would be held."""
        way = dataclasses.replace(self.way(stored), mapping=lambda _: mapping)
        try:
            return _made(way.translated(stored, Named(document, NAME, "", "")))
        except Exception as error:  # noqa: BLE001
            return problem_of(error)


def _made(translated: Translated) -> Made:
    model = translated.model
    return Made(
        json.loads(model.model_dump_json(exclude_none=True)),
        frozenset((flag.code, flag.path) for flag in translated.flags),
        frozenset(claims_of(model, region=translated.region)),
        _money(model),
    )


def _money(model: object) -> tuple[str, Decimal] | None:
    """What a document is worth: a Transaction its revenue, an Order its total."""
    if isinstance(model, Order) or (isinstance(model, Transaction) and model.is_revenue):
        return model.currency, model.total
    return None


def decoded(
    way: Translator, stored: Stored, kinds: set[str], reads: frozenset[str] | None = None
) -> dict[str, Document]:
    """The documents of a message that are of these kinds, by where they lie in it.

    Only the fields in ``reads`` need be there, if it is given. Raises ``Rejected`` as decoding
    does.
    """
    # What a document was made from was decoded when it came; what is held need not have been.
    again = way.connector.again if stored.state == "applied" else None
    if again is None:
        found = way.connector.decode(stored.said, stored.context, way.options)
    else:
        found = again(stored.said, stored.context, way.options, reads)
    return {document.at: document for document in found if document.kind in kinds}


def failed(made: Made | Problem | None) -> bool:
    """Whether a text could make nothing of a document."""
    return isinstance(made, Problem)

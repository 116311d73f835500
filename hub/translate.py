"""From a stored message to named canonical documents: decode, name, map, place, check.

Nothing here touches the database, so the same steps serve receiving, replay and explanation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from connectors.api import Connector, Document, Name
from hub import checks, naming, placing
from hub.delivery.outbox import Outbox
from hub.journal import Stored
from hub.steps import Steps, clock
from mappings.mapping import Mapping
from mappings.reference import NOTHING, Reference
from schemas.envelope import Flag
from schemas.model import Canonical
from schemas.problem import Cause, LynchpinError, Rejected

__all__ = ["Named", "Translated", "Translator", "Zone", "further"]

HALVES = Cause(
    "LP-HUB-010",
    "The document was joined from two records, and its parts do not add up.",
    "Compare both records; release it if the halves belong together, else discard it.",
)


OTHER_STORE = Cause(
    "LP-HUB-011",
    "The document is of a store that its sender may not send for.",
    "Give the sender a key for this store; release the message if the document is right.",
)


@dataclass(frozen=True, slots=True)
class Zone:
    """The zone a store's clocks show, whether a Location says so, and the country it is in."""

    name: str
    located: bool
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A decoded document with its unique name, before anyone maps it.

    ``further`` is the name that the mapping has for it, and ``principal`` the document that it was
    found in, if it is a further one of that.
    """

    document: Document
    name: Name
    fact: str
    business_hash: str
    further: str = ""
    principal: Named | None = None

    @property
    def label(self) -> str:
        """What kind of document it is, as its fact id begins: ``order`` or ``order+delivery``."""
        kind = self.document.kind
        return naming.further_kind(kind, self.further) if self.further else kind

    @property
    def source(self) -> str:
        """Where the paths begin, in its message, that its mapping reads."""
        return (self.principal or self).document.at


@dataclass(frozen=True, slots=True)
class Translated:
    """A canonical document ready to be applied."""

    named: Named
    kind: str
    model: Canonical
    flags: tuple[Flag, ...]
    mapping: Mapping
    region: str | None = None
    """Where a phone number without country code is from."""


@dataclass(frozen=True, slots=True)
class Translator:
    """One source's way from bytes to canonical documents.

    ``mapping`` gives the mapping in force for a kind of document, ``zone`` that of a store;
    ``reference`` is what mappings look up.
    """

    connector: Connector
    options: object
    mapping: Callable[[str], Mapping]
    zone: Callable[[str | None], Zone]
    reference: Reference = NOTHING
    outbox: Outbox | None = None
    """Who is told of what comes of its messages the first time."""
    steps: Steps = field(default_factory=Steps)

    def named(self, stored: Stored) -> tuple[Named, ...]:
        """Decode a message and name its documents, the further ones last. Raises ``Rejected``."""
        since = clock()
        principals = self.principals(stored)
        found = list(principals)
        with _located(stored):
            for named in principals:
                found += further(stored.system, named, self.mapping(named.document.kind))
        self.steps.add("decode", since)
        return tuple(found)

    def principals(self, stored: Stored) -> tuple[Named, ...]:
        """Decode a message and name what its connector decodes. Raises ``Rejected``."""
        with _located(stored):
            documents = self.connector.decode(stored.said, stored.context, self.options)
            return tuple(self._named(stored, document) for document in documents)

    def _named(self, stored: Stored, document: Document) -> Named:
        name = self.connector.name(document, self.options)
        fact = naming.fact_id(stored.system, name.key)
        return Named(document, name, fact, naming.business_hash(name))

    def _check_stores(self, stored: Stored, named: Named, values: dict[str, object]) -> None:
        """A further document is of the store of the document around it, whatever itself says."""
        _check_store(stored, values.get("store"))
        if stored.stores is not None and named.principal is not None:
            around = named.principal.document
            said, _ = self.mapping(around.kind).run(around.body, self.reference)
            _check_store(stored, said.get("store"))

    def translated(self, stored: Stored, named: Named) -> Translated:
        """Map a named document and say what does not fit. Raises ``Rejected``."""
        document, mapping = named.document, self.mapping(named.document.kind)
        if named.further:
            mapping = mapping.further[named.further]
        since = clock()
        with _located(stored):
            values, flags = mapping.run(document.body, self.reference)
            since = self.steps.add("map", since)
            store = values.get("store")
            zone = self.zone(store if isinstance(store, str) else None)
            found = [*flags, *_place(values, zone)]
            model = mapping.validated(
                document.body, values, system=stored.system, reference=self.reference
            )
            self._check_stores(stored, named, values)
        contradictions = checks.check(model, self.connector.manifest)
        if stored.joined and contradictions:
            raise Rejected(HALVES.at(contradictions[0].detail, file=stored.file))
        self.steps.add("validate", since)
        kind = mapping.spec.to
        flagged = (*found, *contradictions)
        return Translated(named, kind, model, flagged, mapping, zone.country)


def further(system: str, principal: Named, mapping: Mapping) -> Iterator[Named]:
    """Name the further documents that a mapping finds in a document. Raises ``Rejected``.

    What they are called, and what makes two of them the same, comes from the source alone.
    """
    above = principal.document
    for found in mapping.found(above.body):
        at = ".".join(part for part in (above.at, found.place) if part)
        name = Name(
            kind="fact" if found.version is None else "snapshot",
            key=(naming.further_kind(above.kind, found.name), *found.key),
            content=found.content,
            version=found.version,
        )
        yield Named(
            Document(above.kind, found.part, at),
            name,
            naming.fact_id(system, name.key),
            naming.business_hash(name),
            further=found.name,
            principal=principal,
        )


def _check_store(stored: Stored, store: object) -> None:
    """Raises ``Rejected`` where a sender that is limited to stores speaks for another one."""
    if stored.stores is not None and store is not None and store not in json.loads(stored.stores):
        raise Rejected(OTHER_STORE.at(path="store", value=store))


def _place(values: dict[str, object], zone: Zone) -> list[Flag]:
    flags: list[Flag] = []
    for name, moment in values.items():
        if isinstance(moment, dict) and "local" in moment:
            flags += placing.place(moment, zone=zone.name, located=zone.located, path=name)
    return flags


@contextmanager
def _located(stored: Stored) -> Iterator[None]:
    """Add the file and the byte in it to whatever is rejected inside the block."""
    try:
        yield
    except LynchpinError as error:
        problem = error.problem
        where = {
            "file": problem.file or stored.file,
            "byte": stored.offset + (problem.byte or 0),
        }
        error.problem = problem.model_copy(update=where)
        raise

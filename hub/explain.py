"""Explaining: which message, source path, rule and mapping version a canonical value came from.

Origins are not stored. They are recomputed from the journalled message and the text of the
mapping that made the document, so they hold for every document at no cost to the hot path.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from hub import journal, library
from hub.bootstrap import Hub
from hub.causes import NOT_FOUND
from hub.journal import Stored
from hub.naming import fact_id, further_kind
from hub.people import masking
from hub.store.tables import document
from hub.translate import Named, Translator, further
from mappings.mapping import Mapping
from mappings.reference import Reference
from schemas.model import Canonical
from schemas.problem import Rejected

__all__ = ["Explained", "explain", "explained"]

_ZONE = {"location": "the zone of the Location", "assumed": "the zone that the source assumes"}


@dataclass(frozen=True, slots=True)
class Explained:
    """Where one canonical value came from."""

    path: str
    value: Any
    message_id: int
    file: str | None
    byte: int
    source: str
    """Path in the source document, ``= text`` for a constant, or what the hub did."""
    sent: Any
    """The value as the source sent it, as plain JSON."""
    rule: str
    mapping: str
    line: int | None
    version: str


def explain(
    hub: Hub, connection: Connection, fact: str, path: str = "", *, reveal: bool = False
) -> list[Explained]:
    """Explain the value at a path, every value below it, or with no path every value.

    Values that tell who a person is are masked, those as sent are hidden; with ``reveal`` nothing
    is. Raises ``Rejected`` if there is no such document, or nothing at that path.
    """
    columns = (
        document.c.message_id,
        document.c.mapping,
        document.c.body,
        document.c.kind,
        document.c.further,
    )
    row = connection.execute(select(*columns).where(document.c.fact == fact)).one_or_none()
    if row is None:
        raise Rejected(NOT_FOUND.at("nothing goes by this name"))
    stored = journal.entry(connection, row[0])
    assert stored is not None
    translator = hub.translator(connection, stored)
    mapping = library.version(connection, row[1], stored.connector)
    named = _named(translator, stored, mapping, fact, row[4])
    mapping = mapping.further[row[4]] if row[4] else mapping
    model = mapping.spec.model.model_validate_json(row[2])
    rows = [
        each
        for each in explained(
            mapping, stored, named, model, row[3], translator.reference, reveal=reveal
        )
        if not path or each.path == path or each.path.startswith((f"{path}.", f"{path}["))
    ]
    if not rows:
        raise Rejected(NOT_FOUND.at("the document has nothing at this path", path=path))
    return rows


def _named(
    translator: Translator, stored: Stored, mapping: Mapping, fact: str, name: str | None
) -> Named:
    """The document that goes by a fact id, a further one by the mapping that found it."""
    for named in translator.principals(stored):
        if name is None:
            if named.fact == fact:
                return named
        elif fact.startswith(fact_id(stored.system, (further_kind(named.document.kind, name), ""))):
            found = (each for each in further(stored.system, named, mapping) if each.fact == fact)
            if (first := next(found, None)) is not None:
                return first
    raise Rejected(NOT_FOUND.at("its message no longer holds it"))


def explained(
    mapping: Mapping,
    stored: Stored,
    named: Named,
    model: Canonical,
    kind: str,
    known: Reference,
    *,
    reveal: bool,
) -> list[Explained]:
    """Explain every value of what a mapping made of a source document; masked as ``explain``."""
    origins = mapping.trace(named.document.body, known).origins
    values = model.model_dump(mode="json", exclude_none=True)
    shown = values if reveal else masking.body(kind, values)
    rows = []
    # A masked document has the paths of the one that it masks.
    for (where, value), (_, said) in zip(_leaves(values), _leaves(shown), strict=True):
        origin = origins.get(where) or origins.get(where.rpartition(".")[0])
        by_hub = _by_hub(where, values)
        found = origin and (f"{named.source}.{origin.source}" if named.source else origin.source)
        rows.append(
            Explained(
                path=where,
                value=said,
                message_id=stored.id,
                file=stored.file,
                byte=stored.offset,
                source=by_hub or found or "the default of the model",
                sent=None if by_hub or origin is None else _sent(origin.value, open_=said == value),
                rule=mapping.rule(origin.line) if origin and not by_hub else "",
                mapping=mapping.spec.file,
                line=origin.line if origin and not by_hub else None,
                version=mapping.version,
            )
        )
    return rows


def _sent(value: Any, *, open_: bool) -> Any:
    if value is None:
        return None
    return json.loads(json.dumps(value, default=str)) if open_ else masking.HIDDEN


def _by_hub(where: str, document: dict[str, Any]) -> str | None:
    """What the hub did itself, in words; ``None`` for what the mapping did."""
    if where == "system":
        return "the system of the source that took it in"
    moment, _, name = where.rpartition(".")
    origin = document[moment].get("zone_origin") if isinstance(document.get(moment), dict) else None
    return _ZONE.get(origin or "") if name in ("utc", "zone", "zone_origin") else None


def _leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        inner = [_leaves(v, f"{path}.{k}" if path else k) for k, v in value.items()]
    elif isinstance(value, list):
        inner = [_leaves(v, f"{path}[{i}]") for i, v in enumerate(value)]
    else:
        return [(path, value)]
    return [leaf for leaves in inner for leaf in leaves]

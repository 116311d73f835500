"""Effects: what a canonical document does to the tables, as plain values.

They come from the document alone, without a look at the database, so they can be worked out before
its turn comes and by another process. What becomes of them is decided in ``hub.apply``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from hub.naming import fact_id
from hub.people.claim import Claim, claims_of
from hub.translate import Translated
from schemas.control import Control
from schemas.envelope import Flag, model_name
from schemas.order import Order
from schemas.reversal import Reversal
from schemas.transaction import Transaction, TransactionRef

__all__ = ["Effects", "Index", "effects_of"]

Index = Literal["transaction_index", "control_index", "order_index"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """A document as its row has it, and the rows by which it is found.

    ``mapping`` is the version that made it. ``index`` names the table that ``row`` is of, where
    there is one. ``reverses`` is the fact of the order that it takes something back of.
    """

    kind: str
    model: str
    mapping: str
    flags: tuple[Flag, ...]
    body: str
    system: str | None = None
    revenue: str | None = None
    currency: str | None = None
    claims: tuple[Claim, ...] = ()
    index: Index | None = None
    row: dict[str, Any] | None = None
    links: tuple[dict[str, Any], ...] = ()
    reverses: str | None = None


def effects_of(translated: Translated) -> Effects:
    """What a translated document does."""
    fact, model = translated.named.fact, translated.model
    more: dict[str, Any] = {}
    if isinstance(model, Transaction):
        more = {
            "index": "transaction_index",
            "row": _transaction_row(fact, model),
            "links": tuple(_links_of(fact, model)),
        }
        if model.is_revenue:
            more |= {"revenue": str(model.total), "currency": model.currency}
    elif isinstance(model, Control):
        more = {"index": "control_index", "row": _control_row(fact, model)}
    elif isinstance(model, Order):
        more = {"index": "order_index", "row": _order_row(fact, model)}
    elif isinstance(model, Reversal):
        to = fact_id(model.system, ("order", model.order))
        more = {"links": (_link_row(fact, 0, "reversal", to),), "reverses": to}
    return Effects(
        kind=translated.kind,
        model=model_name(translated.kind),
        mapping=translated.mapping.version,
        flags=translated.flags,
        body=model.model_dump_json(exclude_none=True),
        system=getattr(model, "system", None),
        claims=claims_of(model, region=translated.region),
        **more,
    )


def _place_row(fact: str, model: Transaction | Control) -> dict[str, Any]:
    number = int(model.sequence) if model.sequence.isascii() and model.sequence.isdigit() else None
    return {
        "fact": fact,
        "system": model.system,
        "store": model.store,
        "workstation": model.workstation,
        "business_date": model.business_date.isoformat(),
        "sequence_number": number if number is None or number < 2**63 else None,
    }


def _control_row(fact: str, model: Control) -> dict[str, Any]:
    return {**_place_row(fact, model), "kind": model.kind}


def _transaction_row(fact: str, model: Transaction) -> dict[str, Any]:
    return {
        **_place_row(fact, model),
        "sequence": model.sequence,
        "occurred_utc": model.occurred_at.utc,
        "receipt": model.receipt,
        "native_id": model.native_id,
        "status": model.status,
    }


def _order_row(fact: str, model: Order) -> dict[str, Any]:
    return {
        "fact": fact,
        "system": model.system,
        "native_id": model.id,
        "number": model.number,
        "channel": model.channel,
        "placed_utc": model.placed_at.utc,
        "life": model.life,
        "payment": model.payment,
        "fulfilment": model.fulfilment,
        "store": model.store,
    }


def _links_of(fact: str, model: Transaction) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for named in model.links:
        rows.append(_ref_row(fact, len(rows), named.kind, named.to, model))
    for line in model.lines:
        if line.kind == "return" and line.origin is not None:
            rows.append(_ref_row(fact, len(rows), "return", line.origin, model, line.number))
    return rows


def _ref_row(
    fact: str,
    position: int,
    kind: str,
    ref: TransactionRef,
    model: Transaction,
    line: str | None = None,
) -> dict[str, Any]:
    """A link as a row; what it names by its place has a fact id, whether it arrived or not."""
    to = None
    if ref.workstation and ref.sequence and ref.business_date:
        key = (
            ref.store or model.store,
            ref.workstation,
            ref.business_date.isoformat(),
            ref.sequence,
        )
        to = fact_id(model.system, key)
    row = _link_row(fact, position, kind, to)
    return {**row, "line": line, "to_ref": ref.model_dump_json(exclude_none=True)}


def _link_row(fact: str, position: int, kind: str, to: str | None) -> dict[str, Any]:
    return {
        "from_fact": fact,
        "position": position,
        "kind": kind,
        "line": None,
        "to_fact": to,
        "to_ref": "{}",
    }

"""Applying: what a translated document does to the state of the hub, decided by its name.

A ``Batch`` collects the effects of many messages and writes them in one database transaction.
Exactly-once rests on the primary key of ``document``: whatever is delivered twice finds its name
taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from hub import folds, placing
from hub.delivery.outbox import News, Outbox
from hub.naming import fact_id
from hub.people.claim import Claim, claims_of
from hub.store.tables import claim, control_index, document, link, order_index, transaction_index
from hub.translate import Named, Translated
from schemas.control import Control
from schemas.envelope import Flag, model_name
from schemas.order import Order
from schemas.problem import Cause
from schemas.reversal import Reversal
from schemas.transaction import Transaction, TransactionRef

__all__ = ["CONFLICT", "SAME_VERSION", "Batch", "Known", "Outcome"]

CONFLICT = Cause(
    "LP-HUB-020",
    "The same fact came before with other content.",
    "Compare both; discard this one, or release it with the option to replace what came before.",
)
SAME_VERSION = Cause(
    "LP-HUB-021",
    "The same version of this thing came before with other content; the later arrival stands.",
    "Look at both messages if the difference matters.",
)

Outcome = Literal["applied", "duplicate", "stale", "conflict"]


@dataclass(frozen=True, slots=True)
class Known:
    """What the hub remembers of a name."""

    business_hash: str
    version: str | None
    message_id: int
    stamped_at: str | None = None
    mapping: str | None = None


@dataclass(slots=True)
class Batch:
    """The effects of some messages on their way into the database."""

    connection: Connection
    deliver: Outbox | None = None
    """Where it is written what other systems are to be told; a replay has none."""
    known: dict[str, Known] = field(default_factory=dict)
    revenue: dict[str, Decimal] = field(default_factory=dict)
    _doubled: list[str] = field(default_factory=list)
    _stored: set[str] = field(default_factory=set)
    _documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    _transactions: dict[str, dict[str, Any]] = field(default_factory=dict)
    _controls: dict[str, dict[str, Any]] = field(default_factory=dict)
    _orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    _links: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _claims: dict[str, tuple[Claim, ...]] = field(default_factory=dict)
    _news: list[News] = field(default_factory=list)

    def learn(self, facts: Iterable[str]) -> None:
        """Look up which of these names are taken, all in one statement."""
        wanted = [fact for fact in set(facts) if fact not in self.known]
        columns = (
            document.c.fact,
            document.c.business_hash,
            document.c.version,
            document.c.message_id,
            document.c.stamped_at,
            document.c.mapping,
        )
        for start in range(0, len(wanted), 500):
            chosen = document.c.fact.in_(wanted[start : start + 500])
            for fact, *known in self.connection.execute(select(*columns).where(chosen)):
                self.known[fact] = Known(*known)
                self._stored.add(fact)

    def outcome(self, named: Named, stamped_at: str | None = None) -> Outcome:
        """What this document will be, by its name and the stamp of its record alone."""
        known = self.known.get(named.fact)
        if known is None:
            return "applied"
        same = known.business_hash == named.business_hash
        if named.name.kind == "fact":
            return "duplicate" if same else "conflict"
        new, old = named.name.version or "", known.version or ""
        if new < old:
            return "stale"
        if new == old and same:
            return "duplicate"
        if new == old and stamped_at and known.stamped_at and stamped_at < known.stamped_at:
            return "stale"
        return "applied"

    def apply(
        self, translated: Translated, message_id: int, stamped_at: str | None = None
    ) -> tuple[Flag, ...]:
        """Queue the effects of a document; give all flags it now carries."""
        named, model = translated.named, translated.model
        known = self.known.get(named.fact)
        flags = translated.flags
        again = known is not None and known.message_id == message_id
        if known and not again and named.name.version and known.version == named.name.version:
            decided = stamped_at and known.stamped_at and stamped_at > known.stamped_at
            flags += () if decided else (_flag(SAME_VERSION),)
        self.known[named.fact] = Known(
            named.business_hash,
            named.name.version,
            message_id,
            stamped_at,
            translated.mapping.version,
        )
        row: dict[str, Any] = {
            "fact": named.fact,
            "kind": translated.kind,
            "model": model_name(translated.kind),
            "business_hash": named.business_hash,
            "content_version": named.name.content_version,
            "version": named.name.version,
            "message_id": message_id,
            "at": named.document.at,
            "further": named.further or None,
            "mapping": translated.mapping.version,
            "flags": json.dumps([f.model_dump() for f in flags]) if flags else None,
            "body": model.model_dump_json(exclude_none=True),
            "revenue": None,
            "currency": None,
            "stamped_at": stamped_at,
        }
        self._documents[named.fact] = row
        self._claims[named.fact] = claims_of(model, region=translated.region)
        if self.deliver is not None:
            self._news += self.deliver.news(row, model)
        if isinstance(model, Transaction):
            self._transaction(named.fact, model, row, flags)
        elif isinstance(model, Control):
            self._controls[named.fact] = _control_row(named.fact, model)
        elif isinstance(model, Order):
            self._orders[named.fact] = _order_row(named.fact, model)
        elif isinstance(model, Reversal):
            to = fact_id(model.system, ("order", model.order))
            self._links[named.fact] = [_link_row(named.fact, 0, "reversal", to)]
        return flags

    def _transaction(
        self, fact: str, model: Transaction, row: dict[str, Any], flags: tuple[Flag, ...]
    ) -> None:
        if any(f.code == placing.AMBIGUOUS.code for f in flags):
            self._doubled.append(fact)
        if model.is_revenue:
            row["revenue"], row["currency"] = str(model.total), model.currency
        self._transactions[fact] = _transaction_row(fact, model)
        self._links[fact] = _links_of(fact, model)

    def flush(self) -> None:
        """Write everything that was queued. The caller commits."""
        self._write(document, self._documents)
        self._write(transaction_index, self._transactions)
        self._write(control_index, self._controls)
        self._write(order_index, self._orders)
        stale = [{"gone": fact} for fact in self._links if fact in self._stored]
        if stale:
            self._unvoid(each["gone"] for each in stale)
            gone = delete(link).where(link.c.from_fact == bindparam("gone"))
            self.connection.execute(gone, stale)
        links = [row for rows in self._links.values() for row in rows]
        if links:
            self.connection.execute(insert(link), links)
        self._write_claims()
        self._count(self._void(links))
        if self._doubled:
            folds.go_by_sequence(self.connection, self._doubled)
            self._doubled.clear()
        if self.deliver is not None:
            self.deliver.write(self.connection, self._news)
            self._news.clear()
        self._stored.update(self._documents)
        indexed = (self._transactions, self._controls, self._orders)
        for queue in (self._documents, *indexed, self._links, self._claims):
            queue.clear()

    def _write(self, table: Table, rows: dict[str, dict[str, Any]]) -> None:
        new = [row for fact, row in rows.items() if fact not in self._stored]
        if new:
            self.connection.execute(insert(table), new)
        old = [{**row, "this": fact} for fact, row in rows.items() if fact in self._stored]
        if old:
            names = [name for name in old[0] if name not in ("fact", "this")]
            set_all = update(table).where(table.c.fact == bindparam("this"))
            values: dict[str, Any] = {name: bindparam(name) for name in names}
            self.connection.execute(set_all.values(values), old)

    def _write_claims(self) -> None:
        stale = [{"gone": fact} for fact in self._claims if fact in self._stored]
        if stale:
            self.connection.execute(delete(claim).where(claim.c.fact == bindparam("gone")), stale)
        rows = [
            {"fact": fact, "kind": each.kind, "issuer": each.issuer, "value": each.value}
            for fact, claims in self._claims.items()
            for each in claims
        ]
        if rows:
            self.connection.execute(insert(claim), rows)

    def _unvoid(self, facts: Iterable[str]) -> None:
        """Take back what these post-voids marked; those that still say so mark it again."""
        named = select(link.c.to_fact, link.c.from_fact).where(
            link.c.kind == "void", link.c.to_fact.is_not(None), link.c.from_fact.in_(list(facts))
        )
        table = transaction_index
        for this, by in self.connection.execute(named).all():
            mine = (table.c.fact == this) & (table.c.voided_by == by)
            self.connection.execute(update(table).where(mine).values(voided_by=None))

    def _void(self, links: list[dict[str, Any]]) -> set[str]:
        """Mark what a post-void names, whichever came first; give what is voided now."""
        voids = {
            r["to_fact"]: r["from_fact"] for r in links if r["kind"] == "void" and r["to_fact"]
        }
        if self._transactions:
            early = select(link.c.to_fact, link.c.from_fact).where(
                link.c.kind == "void", link.c.to_fact.in_(list(self._transactions))
            )
            voids.update({row[0]: row[1] for row in self.connection.execute(early)})
        mark = (
            update(transaction_index)
            .where(transaction_index.c.fact == bindparam("this"))
            .where(transaction_index.c.voided_by.is_(None))
            .values(voided_by=bindparam("by"))
        )
        marked = (
            this
            for this, by in voids.items()
            if self.connection.execute(mark, {"this": this, "by": by}).rowcount
        )
        return set(marked)

    def _count(self, voided: set[str]) -> None:
        """Revenue goes up by what was applied and down by earlier sales that were voided now."""
        for fact, row in self._documents.items():
            if row["revenue"] is not None and fact not in voided:
                self._add(row["currency"], Decimal(row["revenue"]))
        earlier = [fact for fact in voided if fact not in self._documents]
        if earlier:
            columns = select(document.c.currency, document.c.revenue)
            found = columns.where(document.c.fact.in_(earlier), document.c.revenue.is_not(None))
            for currency, revenue in self.connection.execute(found):
                self._add(currency, -Decimal(revenue))

    def _add(self, currency: str, amount: Decimal) -> None:
        self.revenue[currency] = self.revenue.get(currency, Decimal(0)) + amount


def _flag(cause: Cause) -> Flag:
    return Flag(code=cause.code, path="version", detail=cause.summary)


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

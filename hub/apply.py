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
from hub.effects import Effects, Index
from hub.people.claim import Claim
from hub.store.tables import claim, control_index, document, link, order_index, transaction_index
from hub.translate import Named
from schemas.envelope import Flag
from schemas.problem import Cause

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

_INDEXES: dict[Index, Table] = {
    "transaction_index": transaction_index,
    "control_index": control_index,
    "order_index": order_index,
}

Outcome = Literal["applied", "duplicate", "stale", "conflict"]


@dataclass(frozen=True, slots=True)
class Known:
    """What the hub remembers of a name."""

    business_hash: str
    version: str | None
    message_id: int
    stamped_at: str | None = None
    mapping: str | None = None
    redacted_at: str | None = None
    """When it lost who it is of: what came before and comes again is not kept."""


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
    _indexed: dict[Index, dict[str, dict[str, Any]]] = field(
        default_factory=lambda: {name: {} for name in _INDEXES}
    )
    _links: dict[str, tuple[dict[str, Any], ...]] = field(default_factory=dict)
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
            document.c.redacted_at,
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
        self, named: Named, effects: Effects, message_id: int, stamped_at: str | None = None
    ) -> tuple[Flag, ...]:
        """Queue the effects of a document; give all flags it now carries."""
        known = self.known.get(named.fact)
        flags = effects.flags
        again = known is not None and known.message_id == message_id
        if known and not again and named.name.version and known.version == named.name.version:
            decided = stamped_at and known.stamped_at and stamped_at > known.stamped_at
            flags += () if decided else (_flag(SAME_VERSION),)
        redacted = known if again and known and known.redacted_at else None
        self.known[named.fact] = Known(
            redacted.business_hash if redacted else named.business_hash,
            named.name.version,
            message_id,
            stamped_at,
            effects.mapping,
            redacted.redacted_at if redacted else None,
        )
        row: dict[str, Any] = {
            "fact": named.fact,
            "kind": effects.kind,
            "model": effects.model,
            "business_hash": self.known[named.fact].business_hash,
            "content_version": named.name.content_version,
            "version": named.name.version,
            "message_id": message_id,
            "at": named.document.at,
            "further": named.further or None,
            "mapping": effects.mapping,
            "flags": json.dumps([f.model_dump() for f in flags]) if flags else None,
            "body": effects.body,
            "revenue": effects.revenue,
            "currency": effects.currency,
            "stamped_at": stamped_at,
            "redacted_at": self.known[named.fact].redacted_at,
        }
        self._documents[named.fact] = row
        self._claims[named.fact] = () if redacted else effects.claims
        if self.deliver is not None:
            self._news += self.deliver.news(row, effects.system)
        if effects.index is not None and effects.row is not None:
            self._indexed[effects.index][named.fact] = effects.row
        if effects.links or effects.index == "transaction_index":
            self._links[named.fact] = effects.links
        if any(flag.code == placing.AMBIGUOUS.code for flag in flags):
            self._doubled.append(named.fact)
        return flags

    def flush(self) -> None:
        """Write everything that was queued. The caller commits."""
        self._write(document, self._documents)
        for name, table in _INDEXES.items():
            self._write(table, self._indexed[name])
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
        queues: list[dict[str, Any]] = [self._documents, *self._indexed.values()]
        for queue in (*queues, self._links, self._claims):
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
        if self._indexed["transaction_index"]:
            early = select(link.c.to_fact, link.c.from_fact).where(
                link.c.kind == "void", link.c.to_fact.in_(list(self._indexed["transaction_index"]))
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

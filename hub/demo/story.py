"""The story of an invented day, played through the hub's own door and checked act by act.

What must come of it is known beforehand: the ledger of the generators is the oracle, never the
hub's own tables.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from hub import bootstrap, explain, export, finding, holds, reference
from hub.bootstrap import Hub
from hub.demo import poslog_writer, shop, shop_writer, till
from hub.demo.ledger import Ledger, tally
from hub.demo.receipt import Control, Receipt
from hub.demo.retailer import CATALOGUE, STORES, Store, person
from hub.explain import Explained
from hub.home import Home
from hub.receive import Report, receive
from schemas.problem import Problem

__all__ = ["Act", "Check", "play"]

SEED = 7
ORDERS = 12


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must be so at this point of the story."""

    what: str
    expected: object
    found: object

    @property
    def well(self) -> bool:
        """Whether the story went as written."""
        return self.expected == self.found


@dataclass(frozen=True, slots=True)
class Act:
    """A part of the story: what was done, what the hub reported, and what was checked."""

    title: str
    reports: dict[str, Report] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    held: tuple[Problem, ...] = ()
    origins: tuple[Explained, ...] = ()


@dataclass(frozen=True, slots=True)
class _Day:
    """The whole day as values, and which of its sales arrives broken at first."""

    rolls: tuple[tuple[Store, tuple[Control | Receipt, ...]], ...]
    broken: Receipt
    orders: tuple[shop.Order, ...]
    refund: shop.Refund

    def ledger(self, *, with_broken: bool) -> Ledger:
        """What the day amounts to, with or without the sale that arrives broken."""
        entries = (entry for _, roll in self.rolls for entry in roll)
        counted = (e for e in entries if with_broken or e is not self.broken)
        return tally(counted, self.orders, (self.refund,))


def play(home: Home, inbox: Path) -> Iterator[Act]:
    """Play the day in a home of its own; files are written to ``inbox`` as their senders would."""
    bootstrap.create(home)
    day = _invent()
    with bootstrap.open_hub(home) as hub:
        yield _reference_data(hub, inbox)
        yield _tills(hub, inbox, day)
        yield _web_shop(hub, inbox, day)
        yield _again(hub, inbox)
        yield _mended(hub, inbox, day)


def _invent() -> _Day:
    rolls = tuple((store, till.day(store, seed=SEED)) for store in STORES)
    roll = rolls[-1][1]
    returned = {e.returns for e in roll if isinstance(e, Receipt)}
    sales = [e for e in roll if isinstance(e, Receipt) and not e.returns and e.key not in returned]
    orders = tuple(shop.orders(ORDERS, seed=SEED))
    return _Day(rolls, sales[2], orders, shop.refund(orders[4]))


def _reference_data(hub: Hub, inbox: Path) -> Act:
    stores = _table(
        inbox / "locations.csv",
        ("system", "store", "name", "zone", "currency", "phones", "mail_domains"),
        (("poslog", s.number, s.name, s.zone, s.currency, s.phone, s.mail_domain) for s in STORES),
    )
    articles = _table(
        inbox / "items.csv",
        ("item", "name", "category", "gtin", "sku", "system"),
        ((a.sku, a.name, a.department, a.gtin, a.sku, "shopify") for a in CATALOGUE),
    )
    with hub.engine.begin() as connection:
        places = reference.load_locations(connection, stores)
        items = reference.load_items(connection, articles)
    return Act(
        "The retailer's stores and items are loaded",
        checks=(
            Check("stores", len(STORES), places.added),
            Check("items", len(CATALOGUE), items.added),
        ),
    )


def _table(path: Path, header: Iterable[str], rows: Iterable[Iterable[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _tills(hub: Hub, inbox: Path, day: _Day) -> Act:
    ledger = day.ledger(with_broken=False)
    reports: dict[str, Report] = {}
    for store, roll in day.rolls:
        file = inbox / f"store-{store.number}.xml"
        pieces = (_written(entry, day) for entry in roll)
        file.write_bytes(b"".join(poslog_writer.document(pieces, dialect=store.dialect)))
        reports[file.name] = receive(hub, "poslog", [file])
    held = [problem for report in reports.values() for problem in report.problems]
    return Act(
        "Three stores send their day; one sale lost its total on the way",
        reports=reports,
        held=tuple(held),
        checks=(
            Check(
                "receipts and till events applied",
                ledger.transactions + ledger.controls,
                sum(r.applied for r in reports.values()),
            ),
            Check("sales held", 1, len(held)),
            Check("revenue", ledger.totals, _revenue(reports.values())),
            Check("receipts that do not balance", 0, sum(r.flagged for r in reports.values())),
        ),
    )


def _written(entry: Control | Receipt, day: _Day) -> bytes:
    if entry is day.broken:
        return poslog_writer.without_total(day.broken)
    return poslog_writer.transaction(entry)


def _revenue(reports: Iterable[Report]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for report in reports:
        for currency, amount in report.totals.items():
            totals[currency] = totals.get(currency, Decimal(0)) + amount
    return totals


def _web_shop(hub: Hub, inbox: Path, day: _Day) -> Act:
    first = inbox / "refund.json"
    first.write_bytes(shop_writer.refund(day.refund))
    reports = {first.name: receive(hub, "shopify", [first])}
    with hub.engine.begin() as connection:
        early = finding.show(connection, f"shopify:refund/{day.refund.id}")
    bodies = inbox / "orders"
    bodies.mkdir()
    for order in day.orders:
        (bodies / f"order-{order.number}.json").write_bytes(shop_writer.order(order))
    for number in range(3):
        (bodies / f"customer-{number}.json").write_bytes(shop_writer.customer(person(number)))
    bodies_report = receive(hub, "shopify", sorted(bodies.iterdir()))
    reports["orders and customers"] = bodies_report
    with hub.engine.begin() as connection:
        name = f"#{day.refund.order.number}"
        fact = finding.resolve(connection, name, systems=hub.systems, kinds=("Order",))
        shown = finding.show(connection, fact)
        origins = explain.explain(hub, connection, fact)
    return Act(
        "The web shop sends a refund, and only then its order",
        reports=reports,
        origins=tuple(origins),
        checks=(
            Check("the refund waits for its order", [False], [link.arrived for link in early.to]),
            Check(
                "orders and customers applied", ORDERS + 3, reports["orders and customers"].applied
            ),
            Check("total of the order, as sent", str(day.refund.order.total), shown.body["total"]),
            Check(
                "reversals that name the order",
                [f"shopify:refund/{day.refund.id}"],
                [link.other for link in shown.by],
            ),
            Check("revenue from orders", {}, _revenue(reports.values())),
        ),
    )


def _again(hub: Hub, inbox: Path) -> Act:
    before = _exported(hub)
    reports = {
        "the stores' files": receive(hub, "poslog", sorted(inbox.glob("*.xml"))),
        "the shop's bodies": receive(
            hub, "shopify", [inbox / "refund.json", *sorted((inbox / "orders").iterdir())]
        ),
    }
    total = sum(report.messages for report in reports.values())
    return Act(
        "Everybody sends everything again",
        reports=reports,
        checks=(
            Check("answered as duplicates", total, sum(r.duplicates for r in reports.values())),
            Check("revenue added", {}, _revenue(reports.values())),
            Check("the export is the same, byte for byte", before, _exported(hub)),
        ),
    )


def _exported(hub: Hub) -> str:
    with hub.engine.begin() as connection:
        return "\n".join(export.export(connection))


def _mended(hub: Hub, inbox: Path, day: _Day) -> Act:
    ledger = day.ledger(with_broken=True)
    file = inbox / "store-9002-mended.xml"
    piece = poslog_writer.transaction(day.broken)
    dialect = day.broken.store.dialect
    file.write_bytes(b"".join(poslog_writer.document([piece], dialect=dialect)))
    reports = {file.name: receive(hub, "poslog", [file])}
    with hub.engine.begin() as connection:
        waiting = [row["message_id"] for row in holds.held(connection)]
    given_up = holds.discard(hub, waiting, actor="demo", reason="the till sent it again, whole")
    with hub.engine.begin() as connection:
        rows = finding.transactions(connection, limit=10_000)
        left = holds.held(connection)
    revenue: dict[str, Decimal] = {}
    for row in rows:
        if row["revenue"] is not None:
            amount = Decimal(row["revenue"])
            revenue[row["currency"]] = revenue.get(row["currency"], Decimal(0)) + amount
    return Act(
        "The till sends the broken sale again, whole; the held one is given up",
        reports=reports,
        checks=(
            Check("held messages given up", 1, given_up),
            Check("still held", 0, len(left)),
            Check("revenue of the whole day", ledger.totals, dict(sorted(revenue.items()))),
        ),
    )

"""A hub with orders of the invented shop and sales, and hands that take steps of jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select

from hub import bootstrap, export
from hub.bootstrap import Hub
from hub.demo import poslog_writer, shop, shop_writer, till
from hub.home import Home
from hub.jobs import record
from hub.jobs.ask import Ask
from hub.jobs.plan import Plan, plan
from hub.jobs.record import Job
from hub.jobs.step import Hand
from hub.jobs.worker import Worker
from hub.messages import Sought
from hub.receive import receive
from hub.store.tables import audit
from tests.hub.plan.conftest import edited, published

ORDERS = 7
SALES = 4
PLACED = list(shop.orders(ORDERS, seed=5))
RECEIPTS = list(till.sales(SALES, seed=5, reward_percent=0))


def filled(home: Home, folder: Path) -> Iterator[Hub]:
    """With orders, of which the first comes again with a refund inside, and sales."""
    bodies = [shop_writer.order(each) for each in PLACED]
    bodies.append(shop_writer.order(PLACED[0], refunds=(shop.refund(PLACED[0]),)))
    orders = folder / "orders.jsonl"
    orders.write_bytes(b"\n".join(bodies))
    day = folder / "day.xml"
    entries = map(poslog_writer.transaction, RECEIPTS)
    day.write_bytes(b"".join(poslog_writer.document(entries, dialect="v2")))
    with bootstrap.open_hub(home) as hub:
        assert receive(hub, "shopify", [orders]).held == 0
        assert receive(hub, "poslog", [day]).held == 0
        yield hub


@pytest.fixture
def hub(home: Home, tmp_path: Path) -> Iterator[Hub]:
    yield from filled(home, tmp_path)


@pytest.fixture
def readers(hub: Hub) -> Iterator[Engine]:
    engine = hub.reader()
    yield engine
    engine.dispose()


def due(hub: Hub) -> None:
    """Put a mapping in force by which orders that are paid are due."""
    old = "paid: paid, partially_refunded"
    published(hub, edited("shopify", "order", (old, "paid: due, partially_refunded")))


def sought(**said: Any) -> Ask:
    return Ask(Sought(**said))


def planned(hub: Hub, ask: Ask) -> Plan:
    with hub.engine.begin() as connection:
        return plan(hub, connection, ask)


def started(hub: Hub, ask: Ask) -> int:
    made = planned(hub, ask)
    with hub.engine.begin() as connection:
        return record.start(connection, made, actor="ann", reason="a test", now=hub.now()).id


def hand(hub: Hub, readers: Engine, *, batch: int = 3, seconds: float = 30) -> Worker:
    """A worker of a process of its own that does a few messages a step."""

    def begin(work: Callable[[Connection], Job | None]) -> Job | None:
        with hub.engine.begin() as connection:
            return work(connection)

    return Worker(hub, readers, begin, Hand(hub.bus.shared, seconds, batch))


def done(hub: Hub, readers: Engine, ask: Ask) -> Job:
    """A job for this, begun and gone through."""
    number = started(hub, ask)
    worker = hand(hub, readers)
    while worker.step() is not None:
        pass
    return job(hub, number)


def job(hub: Hub, number: int) -> Job:
    with hub.engine.begin() as connection:
        return record.entry(connection, number)


def decided(hub: Hub, number: int, act: record.Act) -> Job:
    with hub.engine.begin() as connection:
        return record.decide(connection, number, act, actor="ann", now=hub.now())


def exported(hub: Hub) -> list[str]:
    with hub.engine.begin() as connection:
        return list(export.export(connection))


def audited(hub: Hub, act: str) -> list[dict[str, Any]]:
    """The lines of the audit about this, the oldest first."""
    lines = select(audit).where(audit.c.act.startswith(act)).order_by(audit.c.id)
    with hub.engine.begin() as connection:
        return [dict(line) for line in connection.execute(lines).mappings()]

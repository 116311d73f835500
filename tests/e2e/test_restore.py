"""A backup taken under load, a hub killed and restored: what somebody still has comes again, what
nobody has is listed, and nothing counts twice. The oracle is what was sold, sent and placed.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx2
import pytest

from hub.demo import poslog_writer, shop, shop_writer, till
from hub.demo.ledger import tally
from hub.demo.webhook import shop as signed
from tests.e2e.store import DELETED, Store, is_settled, wait_until
from tests.e2e.test_agent_killed import hub
from tests.hub.polling.conftest import described, of
from tests.hub.polling.shop import Shop, open_shop

if TYPE_CHECKING:
    from tests.e2e.conftest import House

SECRET = "invented-secret-of-a-shop"
SEED = 6
POLLED = "shop_eu"
AT_BACKUP, LOST = 20, 20
"""Sales that the hub has when the backup begins, and that come between its end and the crash."""
LOST_ORDERS = 5
"""Those of the shop that is asked which come meanwhile, at least."""


@dataclass
class Load:
    """A store that sells, a shop that pushes and one that is asked, until it is closed."""

    store: Store
    port: int
    asked: Shop
    sold: int = 0
    acknowledged: dict[str, str] = field(default_factory=dict)
    """When the hub said that it has an order, by the order's name."""
    closed: threading.Event = field(default_factory=threading.Event)

    def sell(self) -> None:
        while not self.closed.wait(0.05):
            self.store.put(f"{self.sold:04}.xml", poslog_writer.sale(self.sold, seed=SEED))
            self.sold += 1

    def push(self) -> None:
        with httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False) as client:
            for order in shop.orders(4000, seed=SEED):
                self.send(client, order)
                if self.closed.wait(0.03):
                    return

    def place(self) -> None:
        while not self.closed.wait(0.1):
            self.asked.place()

    def send(self, client: httpx2.Client, order: shop.Order) -> None:
        hook = signed(shop_writer.order(order), number=f"event-{order.id}", secret=SECRET)
        try:
            answer = client.post(hook.path, content=hook.body, headers=hook.headers)
        except httpx2.TransportError:
            return
        if answer.is_success:
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            self.acknowledged[f"shopify:order/{order.id}"] = now


def _facts(house: House, kind: str) -> list[str]:
    return [json.loads(line)["fact"] for line in house.export(kind).splitlines()]


def _polled(house: House) -> list[str]:
    """Orders of the shop that is asked."""
    with closing(sqlite3.connect(house.home / "lynchpin.db")) as raw:
        query = "SELECT fact FROM document WHERE kind = 'Order' AND fact LIKE ? ORDER BY fact"
        return [fact for (fact,) in raw.execute(query, (f"{POLLED}:%",))]


def _received(house: House) -> int:
    with closing(sqlite3.connect(house.home / "lynchpin.db")) as raw:
        query = "SELECT count(*) FROM record WHERE capture IS NOT NULL"
        return int(raw.execute(query).fetchone()[0])


def _doors(house: House, asked: Shop) -> None:
    """A shop that pushes, and one that is asked."""
    settings = house.home / "lynchpin.toml"
    told = settings.read_text()
    with_secret = told.replace('"shopify"\n', f'"shopify"\nsecrets = ["{SECRET}"]\n')
    assert with_secret != told
    poll = described("shop", **of(asked, source=POLLED, every_seconds=0.1, overlap_seconds=0.2))
    settings.write_text(f'{with_secret}\n[sources.{POLLED}]\nconnector = "shopify"\n\n{poll}')


@pytest.fixture
def asked() -> Iterator[Shop]:
    with open_shop() as shop:
        yield shop


def test_agents_and_polls_heal_what_they_own_and_what_was_pushed_is_listed(
    house: House, port: int, asked: Shop
) -> None:
    _doors(house, asked)
    key = house.key("source", "--source", "poslog")
    store = Store(house.folder, f"http://127.0.0.1:{port}", key, {"sales": DELETED})
    backup = house.folder / "today.backup"
    load = Load(store, port, asked)
    threads = [threading.Thread(target=work) for work in (load.sell, load.push, load.place)]
    try:
        with store.agent():
            with hub(house, port):
                for thread in threads:
                    thread.start()
                wait_until(lambda: _received(house) >= AT_BACKUP, "nothing arrives")
                taken = house.lynchpin("db", "backup", str(backup), "--json")
                assert taken.returncode == 0, taken.stderr
                at_crash, orders = _received(house) + LOST, len(_polled(house)) + LOST_ORDERS
                wait_until(lambda: _received(house) >= at_crash, "nothing arrives")
                wait_until(lambda: len(_polled(house)) >= orders, "nothing is read")
                read = _polled(house)
            # Killed. The store goes on selling, and the shop pushing against a closed door.
            done = house.lynchpin("db", "restore", str(backup), "--replace", "--json")
            assert done.returncode == 0, done.stderr
            restored = json.loads(done.stdout)
            assert _received(house) <= at_crash - LOST
            # What the poll had read is gone as well, and the shop will not tell of it by itself.
            assert len(_polled(house)) <= len(read) - LOST_ORDERS
            assert restored["rewound"] == ["shop"]
            before = set(load.acknowledged)
            with hub(house, port):
                load.closed.set()
                for thread in threads:
                    thread.join()
                wait_until(store.is_done, "it does not heal")
                placed = sorted(f"{POLLED}:order/{number}" for number in asked.orders)
                wait_until(lambda: _polled(house) == placed, "the poll does not heal")
                wait_until(lambda: is_settled(house.home), "it does not settle")
                _check_pushed(house, load, before, restored["unverified"])
    finally:
        load.closed.set()
        for thread in threads:
            thread.join()
    sales = _facts(house, "Transaction")
    ledger = tally(till.sales(load.sold, seed=SEED))
    assert len(sales) == len(set(sales))
    assert len(sales) == ledger.transactions
    assert house.held() == []
    assert store.status()["sales"]["problems"] == []


def _check_pushed(
    house: House, load: Load, before: set[str], windows: list[dict[str, str]]
) -> None:
    """What is missing was acknowledged within the window, and nothing outside of it is missing."""
    assert [window["source"] for window in windows] == ["shopify"]
    [window] = windows
    orders = _facts(house, "Order")
    assert len(orders) == len(set(orders))
    missing = before - set(orders)
    assert missing
    for name in missing:
        assert window["since_at"] <= load.acknowledged[name] <= window["until_at"], name
    # The shop sends again what the hub's list of the window lacks.
    with httpx2.Client(base_url=f"http://127.0.0.1:{load.port}", trust_env=False) as client:
        for order in shop.orders(4000, seed=SEED):
            if f"shopify:order/{order.id}" in missing:
                load.send(client, order)
    wait_until(lambda: is_settled(house.home), "it does not settle")
    assert before <= set(_facts(house, "Order"))
    told = house.lynchpin("db", "reconciled", "shopify", "--reason", "sent again")
    assert told.returncode == 0, told.stderr
    assert json.loads(house.lynchpin("db", "unverified", "--json").stdout) == []

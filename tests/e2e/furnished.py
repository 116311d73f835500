"""A house in which something of everything has happened, and more that may come in."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors import registry
from hub import library
from hub.demo import poslog_writer, shop, shop_writer, till
from hub.demo.receipt import Receipt
from hub.demo.retailer import NEW_YORK

if TYPE_CHECKING:
    from tests.e2e.conftest import House

RECEIPTS = [entry for entry in till.day(NEW_YORK, seed=3) if isinstance(entry, Receipt)]
ORDER = next(iter(shop.orders(1, seed=3)))
SHOPPER = ORDER.person
SALE = "/".join(RECEIPTS[0].key)
_SAMPLES = registry.folder("poslog") / "samples"
PROGRAM = Path(sys.executable).with_name("lynchpin")
FILES = {
    "again.xml": [poslog_writer.transaction(RECEIPTS[0])],
    "conflict.xml": [
        poslog_writer.transaction(RECEIPTS[1]).replace(b"<Quantity>", b"<Quantity>1", 1)
    ],
    "held.xml": [poslog_writer.without_total(RECEIPTS[2])],
    "täg 100%.xml": [poslog_writer.transaction(RECEIPTS[3])],
    "many.xml": [*poslog_writer.sales(450, seed=9)],
}
TABLES = {
    "locations.csv": "system,store,zone,currency\nposlog,9001,America/New_York,USD\n",
    "workstations.csv": "system;store;workstation\nposlog;9001;1\n",
    "items.csv": "item,gtin\nSAMPLE-001,9520000000019\n",
    "wrong.csv": "system,store\nposlog,1\n",
    "broken.csv": "system,store,zone,currency\nposlog,1,Nowhere/Land,USD\n",
}

_SHIPPED, _ = library.shipped_text("poslog", "retail")
_EXAMPLE = "  - {from: a-sale.xml, expect: a-sale.json}\n"
MAPPINGS = {
    # Makes the same, as another version.
    "own.yaml": f"{_SHIPPED}# ours\n",
    # With an example that the connector does not bring.
    "examples.yaml": f"{_SHIPPED}{_EXAMPLE}",
    "a-sale.xml": (_SAMPLES / "v2-cash-sale-with-change.xml").read_text("utf-8"),
    "a-sale.json": (_SAMPLES / "v2-cash-sale-with-change.canonical.json").read_text("utf-8"),
    "broken.yaml": _SHIPPED.replace("BusinessDayDate", "NoSuchDay", 1),
}


def day(*transactions: bytes) -> bytes:
    return b"".join(poslog_writer.document(transactions, dialect="v2"))


def furnish(house: House) -> House:
    """With a day and an order in it, one message held, and files to send beside it."""
    sales = [poslog_writer.transaction(receipt) for receipt in RECEIPTS]
    house.send("poslog", day(*sales[:2], *sales[4:-1]), "day.xml")
    house.send("poslog", day(poslog_writer.without_total(RECEIPTS[-1])), "torn.xml")
    house.send("shopify", shop_writer.order(ORDER), "order.json")
    house.send("shopify", shop_writer.customer(SHOPPER), "customer.json")
    for name, transactions in FILES.items():
        house.file(day(*transactions), name)
    for name, text in TABLES.items():
        house.file(text.encode(), name)
    for name, text in MAPPINGS.items():
        house.file(text.encode(), name)
    house.file(b"", "empty.xml")
    return house


def select(house: House, query: str) -> list[tuple[Any, ...]]:
    database = f"{(house.home / 'lynchpin.db').as_uri()}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        return connection.execute(query).fetchall()

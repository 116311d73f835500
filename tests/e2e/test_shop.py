"""Orders, refunds and customers of a shop: as sent to the last digit, in any order of arrival."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from hub.demo import shop, shop_writer

if TYPE_CHECKING:
    from tests.e2e.conftest import House

ORDER = next(iter(shop.orders(1, seed=5)))
REFUND = shop.refund(ORDER)


def _texts(content: bytes) -> Any:
    """JSON in which every number is the text that was sent."""
    return json.loads(content, parse_float=str, parse_int=str)


def _shop_files(samples: Path) -> list[Path]:
    names = ("order", "refund", "customer", "customers_search", "customer_saved_search_customers")
    return [samples / "shopify" / f"{name}.json" for name in names]


def test_every_order_refund_and_customer_of_the_samples_is_received(
    house: House, samples: Path
) -> None:
    report = house.receive("shopify", *_shop_files(samples))
    assert report.held == report.refused == 0
    assert report.messages == report.applied + report.duplicates + report.stale
    exported = {json.loads(line)["fact"] for line in house.export().splitlines()}
    for file in _shop_files(samples):
        content = _texts(file.read_bytes())
        for noun in ("order", "refund", "customer"):
            things = [content[noun]] if noun in content else content.get(f"{noun}s", [])
            assert {f"shopify:{noun}/{thing['id']}" for thing in things} <= exported


@pytest.mark.parametrize("noun", ["order", "refund", "customer"])
def test_a_sample_is_the_same_bare_and_wrapped(
    fresh: Callable[[], House], samples: Path, noun: str
) -> None:
    wrapped = (samples / "shopify" / f"{noun}.json").read_bytes()
    start, end = wrapped.index(b"{", 1), wrapped.rstrip().rindex(b"}")
    one, other = fresh(), fresh()
    one.send("shopify", wrapped)
    other.send("shopify", wrapped[start:end])
    assert one.export() == other.export() != ""


def test_amounts_of_the_sample_order_are_those_of_its_text(house: House, samples: Path) -> None:
    content = (samples / "shopify" / "order.json").read_bytes()
    sent = _texts(content)["order"]
    house.send("shopify", content)
    body = house.show(f"order/{sent['id']}").body
    named = {
        "total": "total_price",
        "subtotal": "subtotal_price",
        "tax_total": "total_tax",
        "lines_total": "total_line_items_price",
        "discount_total": "total_discounts",
    }
    assert {to: body[to] for to in named} == {to: sent[at] for to, at in named.items()}
    assert [(line["id"], line["unit_price"], line["quantity"]) for line in body["lines"]] == [
        (line["id"], line["price"], line["quantity"]) for line in sent["line_items"]
    ]
    assert [t["amount"] for t in body["taxes"]] == [t["price"] for t in sent["tax_lines"]]
    assert [s["amount"] for s in body["shipping"]] == [s["price"] for s in sent["shipping_lines"]]


def test_payments_of_the_sample_refund_are_those_of_its_text(house: House, samples: Path) -> None:
    content = (samples / "shopify" / "refund.json").read_bytes()
    sent = _texts(content)["refund"]
    house.send("shopify", content)
    body = house.show(f"shopify:refund/{sent['id']}").body
    assert [p["amount"] for p in body["payments"]] == [t["amount"] for t in sent["transactions"]]
    assert [line["order_line"] for line in body["lines"]] == [
        line["line_item_id"] for line in sent["refund_line_items"]
    ]


@pytest.mark.parametrize("price", ["199.00", "199.0", "199", "0.10000000", "1234567890123456.78"])
@pytest.mark.parametrize("quoted", [True, False], ids=["text", "number"])
def test_digits_of_an_amount_stay_as_they_were_sent(
    house: House, price: str, *, quoted: bool
) -> None:
    body = json.loads(shop_writer.order(ORDER))
    body["total_price"] = "@"
    content = json.dumps(body).replace('"@"', f'"{price}"' if quoted else price)
    house.send("shopify", content.encode())
    assert house.show(f"#{ORDER.number}").body["total"] == price


def _arrivals(order: shop.Order, refund: shop.Refund) -> list[tuple[bytes, ...]]:
    alone = shop_writer.refund(refund)
    inside = shop_writer.order(order, refunds=(refund,))
    before = shop_writer.order(order)
    return [*permutations((alone, inside)), *permutations((before, alone, inside)), (inside,)]


def test_a_refund_is_the_same_in_any_order_of_arrival(fresh: Callable[[], House]) -> None:
    exports = set()
    for arrival in _arrivals(ORDER, REFUND):
        house = fresh()
        for content in arrival:
            assert house.send("shopify", content).held == 0
        exports.add(house.export())
        shown = house.show(f"shopify:refund/{REFUND.id}")
        assert [(link.other, link.arrived) for link in shown.to] == [
            (f"shopify:order/{ORDER.id}", True)
        ]
        by = [link.other for link in house.show(f"#{ORDER.number}").by]
        assert by == [f"shopify:refund/{REFUND.id}"]
    assert len(exports) == 1


def test_a_refund_before_its_order_waits_with_an_open_link(house: House) -> None:
    house.send("shopify", shop_writer.refund(REFUND))
    assert [link.arrived for link in house.show(f"shopify:refund/{REFUND.id}").to] == [False]
    house.send("shopify", shop_writer.order(ORDER))
    assert [link.arrived for link in house.show(f"shopify:refund/{REFUND.id}").to] == [True]


def test_orders_are_no_revenue(house: House) -> None:
    assert house.send("shopify", shop_writer.order(ORDER)).totals == {}


def _order(**changes: Any) -> bytes:
    return json.dumps(json.loads(shop_writer.order(ORDER)) | changes).encode()


def test_an_older_snapshot_that_comes_later_is_stale(house: House) -> None:
    newer = _order(updated_at="2026-03-02T12:00:00+01:00", note="newer")
    older = _order(updated_at="2026-03-02T11:59:59+01:00", note="older")
    house.send("shopify", newer)
    report = house.send("shopify", older)
    assert (report.stale, report.applied, report.held) == (1, 0, 0)
    assert house.show(f"#{ORDER.number}").body["note"] == "newer"


def test_the_age_of_a_snapshot_is_an_instant_not_a_text(house: House) -> None:
    house.send("shopify", _order(updated_at="2026-03-02T12:00:00+01:00", note="older"))
    house.send("shopify", _order(updated_at="2026-03-02T11:30:00Z", note="newer"))
    assert house.show(f"#{ORDER.number}").body["note"] == "newer"


def test_the_same_version_with_other_content_stands_and_is_flagged(house: House) -> None:
    house.send("shopify", _order(note="one"))
    report = house.send("shopify", _order(note="another"))
    shown = house.show(f"#{ORDER.number}")
    assert (report.applied, report.flagged) == (1, 1)
    assert shown.body["note"] == "another"
    assert "LP-HUB-021" in {flag["code"] for flag in shown.flags}


def test_the_same_snapshot_again_is_a_duplicate(house: House) -> None:
    house.send("shopify", _order())
    assert house.send("shopify", _order()).duplicates == 1


def test_a_refund_of_other_content_is_a_conflict(house: House) -> None:
    other = json.loads(shop_writer.refund(REFUND))
    other["transactions"][0]["amount"] = "0.01"
    house.send("shopify", shop_writer.refund(REFUND))
    before = house.export()
    report = house.send("shopify", json.dumps(other).encode())
    assert [problem.code for problem in report.problems] == ["LP-HUB-020"]
    assert house.export() == before


@pytest.mark.parametrize("shape", ["bare", "wrapped", "list", "list of a wrapper", "lines"])
def test_orders_cut_anywhere_and_sent_on_are_the_same_orders(
    fresh: Callable[[], House], shape: str
) -> None:
    bodies = [shop_writer.order(order) for order in shop.orders(4, seed=6)]
    record = {
        "bare": bodies[0],
        "wrapped": b'{"order": ' + bodies[0] + b"}",
        "list": b"[" + b",\n".join(bodies) + b"]",
        "list of a wrapper": b'{"orders": [' + b",".join(bodies) + b"]}",
        "lines": b"\n".join(bodies),
    }[shape]
    whole = fresh()
    whole.send("shopify", record)
    assert len(whole.export().splitlines()) == (1 if "bare" in shape or shape == "wrapped" else 4)
    dice = Random(shape)
    for cut in (1, len(record) - 1, *(dice.randrange(1, len(record)) for _ in range(12))):
        for rest in (record[cut:], record):
            house = fresh()
            house.send("shopify", record[:cut])
            house.send("shopify", rest)
            assert house.export() == whole.export(), f"cut at {cut}"
            assert not house.held(), f"cut at {cut}"


def test_one_record_may_hold_bare_and_wrapped_bodies(house: House) -> None:
    record = shop_writer.order(ORDER) + b'\n{"refund": ' + shop_writer.refund(REFUND) + b"}\n"
    report = house.send("shopify", record)
    assert (report.applied, report.held) == (2, 0)

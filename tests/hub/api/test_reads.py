"""Reading over HTTP, and what an operator decides."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hub.demo import poslog_writer, shop, shop_writer
from hub.demo.retailer import NEW_YORK
from hub.door import Taken, take_in
from hub.steps import NAMES

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tests.hub.api.conftest import Serving

SALE = poslog_writer.sale(seed=3)
ORDER = next(iter(shop.orders(1, seed=5)))


def _order(serving: Serving, order: shop.Order = ORDER) -> None:
    door = serving.hub.door("shopify")
    content = shop_writer.order(order)

    def work(connection: Connection) -> Taken:
        return take_in(connection, door, [content], name="x", now=serving.hub.now())

    serving.writer.submit(work).result()


def _held(serving: Serving) -> int:
    """Two sales of one number with other contents: the second is held."""
    serving.send(SALE)
    serving.send(SALE.replace(b"<Quantity>2<", b"<Quantity>3<", 1))
    assert serving.settled() == {"applied": 1, "held": 1}
    (hold,) = serving.call("reader", "GET", "/holds").json()["items"]
    return int(hold["message_id"])


def test_a_transaction_is_listed_and_shown(serving: Serving) -> None:
    serving.send(SALE)
    serving.settled()
    (row,) = serving.call("reader", "GET", "/transactions").json()["items"]
    shown = serving.call("agent", "GET", f"/transactions/{row['fact']}").json()
    assert shown["fact"] == row["fact"]
    assert shown["kind"] == "Transaction"
    assert shown["body"]["store"] == row["store"]
    assert serving.call("reader", "GET", "/transactions?store=none").json()["items"] == []
    assert serving.call("agent", "GET", f"/orders/{row['fact']}").status_code == 404


def test_an_order_is_listed_and_shown_by_number_too(serving: Serving) -> None:
    _order(serving)
    serving.settled()
    (row,) = serving.call("reader", "GET", "/orders").json()["items"]
    for name in (row["fact"], row["native_id"]):
        assert serving.call("agent", "GET", f"/orders/{name}").json()["fact"] == row["fact"]


def test_who_looks_at_a_document_or_into_a_message_is_kept(serving: Serving) -> None:
    _order(serving)
    serving.settled()
    (row,) = serving.call("reader", "GET", "/orders").json()["items"]
    serving.call("operator", "GET", "/messages/1")
    assert serving.audited() == []
    why = {"reason": " where is it? "}
    serving.call("agent", "GET", f"/orders/{row['fact']}")
    serving.call("agent", "POST", f"/orders/{row['fact']}/reveal", json=why)
    serving.call("operator", "POST", "/messages/1/reveal", json=why)
    revealed = {"reason": "where is it?"}
    assert [(act, subject, detail) for _, act, subject, detail in serving.audited()] == [
        ("read", row["fact"], None),
        ("reveal", row["fact"], revealed),
        ("reveal", "message 1", revealed),
    ]
    actors = [actor.rpartition(" ")[2] for actor, *_ in serving.audited()]
    assert actors == ["agent", "agent", "operator"]


def test_an_order_is_masked_until_it_is_revealed(serving: Serving) -> None:
    _order(serving)
    serving.settled()
    path = f"/orders/{ORDER.id}"
    shopper = ORDER.person
    private = (shopper.family_name, shopper.email, shopper.phone, shopper.street)
    masked = serving.call("agent", "GET", path)
    assert masked.json()["masked"]
    assert not any(value in masked.text for value in private)
    whole = serving.call("agent", "POST", f"{path}/reveal", json={"reason": "x"})
    assert not whole.json()["masked"]
    assert all(value in whole.text for value in private)
    assert whole.json().keys() == masked.json().keys()


@pytest.mark.parametrize("body", ["", "{}", '{"reason": "  "}', '{"reason": 1}', "[]", '{"x": 1}'])
def test_nothing_is_revealed_without_a_reason(serving: Serving, body: str) -> None:
    _order(serving)
    serving.settled()
    for role, path in (("agent", f"/orders/{ORDER.id}"), ("operator", "/messages/1")):
        answer = serving.call(role, "POST", f"{path}/reveal", content=body.encode())
        assert (answer.status_code, answer.json()["code"]) == (422, "LP-API-006")
    assert serving.audited() == []


def test_what_the_audit_cannot_keep_is_not_shown(serving: Serving) -> None:
    _order(serving)
    serving.settled()
    serving.writer.close()
    for method, path in (
        ("GET", f"/orders/{ORDER.id}"),
        ("POST", f"/orders/{ORDER.id}/reveal"),
        ("POST", "/messages/1/reveal"),
        ("POST", "/messages/1/original"),
        ("GET", f"/customers?q={ORDER.person.email}"),
        ("GET", f"/customers/shopify:order/{ORDER.id}"),
        ("POST", f"/customers/shopify:order/{ORDER.id}/reveal"),
    ):
        body = {"reason": "x"} if method == "POST" else None
        answer = serving.call("operator", method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (503, "LP-HUB-040"), path


def test_a_message_is_shown_as_it_came_to_who_says_why(serving: Serving) -> None:
    serving.send(SALE)
    serving.settled()
    shown = serving.call("reader", "GET", "/messages/1").json()
    assert "payload" not in shown
    assert serving.call("agent", "POST", "/messages/1/reveal").status_code == 403
    told = serving.call("operator", "POST", "/messages/1/reveal", json={"reason": "x"}).json()
    assert told["payload"] in SALE.decode()
    assert told["payload"].startswith("<Transaction")
    assert {**shown, "payload": told["payload"]} == told
    assert shown["length"] == len(told["payload"].encode())


def _pages(serving: Serving, path: str, limit: int) -> list[list[dict[str, Any]]]:
    pages, cursor = [], ""
    while True:
        mark = "&" if "?" in path else "?"
        said = serving.call("operator", "GET", f"{path}{mark}limit={limit}{cursor}").json()
        pages.append(said["items"])
        if said["next"] is None:
            return pages
        cursor = f"&cursor={said['next']}"


@pytest.mark.parametrize("path", ["/messages", "/transactions", "/transactions?store=9001"])
def test_the_pages_of_a_list_are_the_list(serving: Serving, path: str) -> None:
    serving.send(poslog_writer.day(NEW_YORK, seed=3))
    serving.settled()
    (whole,) = _pages(serving, path, 1000)
    pages = _pages(serving, path, 7)
    assert len(whole) > 7
    assert {len(page) for page in pages[:-1]} == {7}
    assert [row for page in pages for row in page] == whole
    assert _pages(serving, path, len(whole)) == [whole]


def test_the_pages_of_orders_and_holds_are_the_list(serving: Serving) -> None:
    for order in shop.orders(9, seed=5):
        # Several of one moment, so that it is the name that tells them apart.
        _order(serving, replace(order, placed_at=ORDER.placed_at.replace(minute=order.id % 3)))
    day = poslog_writer.day(NEW_YORK, seed=3)
    serving.send(day)
    serving.send(day.replace(b"<Quantity>1<", b"<Quantity>3<"))
    serving.settled()
    for path in ("/orders", "/holds"):
        (whole,) = _pages(serving, path, 1000)
        assert len(whole) >= 9
        pages = _pages(serving, path, 2)
        assert [row for page in pages for row in page] == whole


def test_what_arrives_meanwhile_moves_nothing_to_another_page(serving: Serving) -> None:
    for index in range(6):
        serving.send(poslog_writer.sale(index, seed=3))
    serving.settled()
    first = serving.call("reader", "GET", "/messages?limit=3").json()
    serving.send(poslog_writer.sale(6, seed=3))
    path = f"/messages?limit=3&cursor={first['next']}"
    second = serving.call("reader", "GET", path).json()
    assert [row["id"] for row in first["items"] + second["items"]] == [6, 5, 4, 3, 2, 1]
    assert second["next"] is None


@pytest.mark.parametrize("path", ["/messages", "/transactions", "/orders", "/holds"])
def test_what_is_no_cursor_of_a_list_is_refused(serving: Serving, path: str) -> None:
    for wrong in (
        "x",
        "",
        "bnVsbA",
        "WyJ4Il0",
        "WzEsMiwzLDQsNSw2XQ",
        "WzkyMjMzNzIwMzY4NTQ3NzU4MDhd",
    ):
        answer = serving.call("operator", "GET", f"{path}?cursor={wrong}")
        assert (answer.status_code, answer.json()["code"]) == (422, "LP-PEOPLE-001"), wrong


def test_a_held_message_is_released_and_replaces(serving: Serving) -> None:
    number = _held(serving)
    again = serving.call("operator", "POST", f"/holds/{number}/release", json={}).json()
    assert again["state"] == "held"
    assert again["problem"]["code"]
    done = serving.call("operator", "POST", f"/holds/{number}/release", json={"replace": True})
    assert done.json() == {"state": "applied", "problem": None}
    gone = serving.call("operator", "POST", f"/holds/{number}/release", json={})
    assert (gone.status_code, gone.json()["code"]) == (409, "LP-HUB-006")


def test_a_held_message_is_discarded_with_a_reason(serving: Serving) -> None:
    number = _held(serving)
    path = f"/holds/{number}/discard"
    for wrong in ({}, {"reason": ""}, {"reason": "x", "more": 1}):
        answer = serving.call("operator", "POST", path, json=wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "LP-API-006")
    done = serving.call("operator", "POST", path, json={"reason": "sent by mistake"})
    assert done.json() == {"state": "discarded", "problem": None}
    assert serving.call("reader", "GET", "/holds").json()["items"] == []


def test_a_body_of_any_size_is_not_read_where_a_small_one_is_due(serving: Serving) -> None:
    answer = serving.call("operator", "POST", "/holds/1/release", content=b" " * 100_000)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/messages?limit=0", 422),
        ("GET", "/messages?limit=x", 422),
        ("GET", "/messages/0", 422),
        ("GET", f"/messages/{2**63}", 422),
        ("GET", "/messages/77", 404),
        ("GET", "/orders/%00", 404),
        ("GET", "/orders/%ff%f0", 404),
        ("GET", "/nowhere", 404),
        ("DELETE", "/messages", 405),
        ("POST", "/holds/77/release", 422),
    ],
)
def test_every_error_is_a_problem(serving: Serving, method: str, path: str, status: int) -> None:
    answer = serving.call("operator", method, path)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["code"].startswith("LP-")
    assert problem["title"]
    assert problem["next_step"]


def test_metrics_count_what_was_settled_and_what_waits(serving: Serving) -> None:
    _held(serving)
    lines = serving.call("reader", "GET", "/metrics").text.splitlines()
    assert 'lynchpin_messages_settled_total{state="applied"} 1.0' in lines
    assert "lynchpin_messages_held 1.0" in lines
    assert "lynchpin_messages_pending 0.0" in lines
    assert any(line.startswith("lynchpin_writer_queue ") for line in lines)


def test_metrics_say_what_the_time_goes_into(serving: Serving) -> None:
    _held(serving)
    text = serving.call("reader", "GET", "/metrics").text
    found = re.findall(r'^lynchpin_step_seconds_total\{step="(\w+)"\} (\S+)$', text, re.MULTILINE)
    assert [name for name, _ in found] == list(NAMES)
    assert all(float(seconds) > 0 for _, seconds in found)


def test_a_hub_whose_disk_fails_is_alive_and_not_ready(serving: Serving) -> None:
    serving.writer.trouble = True
    assert serving.call(None, "GET", "/health/live").status_code == 200
    assert serving.call(None, "GET", "/health/ready").status_code == 503

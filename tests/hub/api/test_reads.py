"""Reading over HTTP, and what an operator decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hub.demo import poslog_writer, shop, shop_writer
from hub.door import take_in

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tests.hub.api.conftest import Serving

SALE = poslog_writer.sale(seed=3)
ORDER = next(iter(shop.orders(1, seed=5)))


def _order(serving: Serving) -> None:
    door = serving.hub.door("shopify")
    content = shop_writer.order(ORDER)

    def work(connection: Connection) -> int:
        return take_in(connection, door, [content], name="x", now=serving.hub.now())

    serving.writer.submit(work).result()


def _held(serving: Serving) -> int:
    """Two sales of one number with other contents: the second is held."""
    serving.send(SALE)
    serving.send(SALE.replace(b"<Quantity>2<", b"<Quantity>3<", 1))
    assert serving.settled() == {"applied": 1, "held": 1}
    (hold,) = serving.call("reader", "GET", "/holds").json()
    return int(hold["message_id"])


def test_a_transaction_is_listed_and_shown(serving: Serving) -> None:
    serving.send(SALE)
    serving.settled()
    (row,) = serving.call("reader", "GET", "/transactions").json()
    shown = serving.call("agent", "GET", f"/transactions/{row['fact']}").json()
    assert shown["fact"] == row["fact"]
    assert shown["kind"] == "Transaction"
    assert shown["body"]["store"] == row["store"]
    assert serving.call("reader", "GET", "/transactions?store=none").json() == []
    assert serving.call("agent", "GET", f"/orders/{row['fact']}").status_code == 404


def test_an_order_is_listed_and_shown_by_number_too(serving: Serving) -> None:
    _order(serving)
    serving.settled()
    (row,) = serving.call("reader", "GET", "/orders").json()
    for name in (row["fact"], row["native_id"]):
        assert serving.call("agent", "GET", f"/orders/{name}").json()["fact"] == row["fact"]


def test_who_looks_at_a_document_or_a_message_is_kept(serving: Serving) -> None:
    _order(serving)
    serving.settled()
    (row,) = serving.call("reader", "GET", "/orders").json()
    assert serving.reads() == []
    serving.call("agent", "GET", f"/orders/{row['fact']}")
    serving.call("operator", "GET", "/messages/1")
    (first, order), (second, message) = serving.reads()
    assert first.endswith(" agent")
    assert second.endswith(" operator")
    assert (order, message) == (row["fact"], "message 1")


def test_a_message_is_shown_as_it_came(serving: Serving) -> None:
    serving.send(SALE)
    shown = serving.call("operator", "GET", "/messages/1").json()
    assert shown["payload"] in SALE.decode()
    assert shown["payload"].startswith("<Transaction")


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
    assert serving.call("reader", "GET", "/holds").json() == []


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


def test_a_hub_whose_disk_fails_is_alive_and_not_ready(serving: Serving) -> None:
    serving.writer.trouble = True
    assert serving.call(None, "GET", "/health/live").status_code == 200
    assert serving.call(None, "GET", "/health/ready").status_code == 503


def test_the_document_describes_every_route_with_its_errors(serving: Serving) -> None:
    document: Any = serving.call(None, "GET", "/openapi.json").json()
    served = {route.path.replace(":path", "") for route in serving.app.routes}  # type: ignore[attr-defined]
    assert set(document["paths"]) == served - {"/openapi.json"}
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["description"]
            assert {"401", "403", "422", "500", "503"} <= set(operation["responses"])
            success = next(a for s, a in operation["responses"].items() if s.startswith("2"))
            assert success["content"]
    assert "ProblemAnswer" in document["components"]["schemas"]

"""A poll that fails says why, is tried again, and keeps nobody else waiting."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from hub.doctor import examine
from hub.polling import poller
from hub.polling.causes import (
    FAILED,
    FORBIDDEN,
    LEADS_AWAY,
    MALFORMED,
    SLOW_DOWN,
    TOO_LONG,
    TURNED_AWAY,
    UNANSWERED,
    UNFORESEEN,
)
from schemas.problem import Cause
from tests.hub.polling.conftest import NUMBERED, ORDERS, REFUNDS, Wired
from tests.hub.polling.shop import Call, Reply, open_shop

Wire = Callable[..., Wired]
PAGE = b'{"orders":[]}'


def always(*reply: object) -> Callable[[Call], Reply | None]:
    return lambda call: reply  # type: ignore[return-value]


WRONG: list[tuple[Reply, Cause, str]] = [
    ((500, {}, b"planted"), FAILED, "it answered 500"),
    ((302, {"Location": "/admin/refunds.json"}, b""), FAILED, "it answered 302"),
    ((404, {}, b""), FAILED, "it answered 404"),
    ((204, {}, b""), FAILED, "it answered 204"),
    ((401, {}, b"planted"), TURNED_AWAY, "it answered 401"),
    ((403, {}, b""), TURNED_AWAY, "it answered 403"),
    ((429, {}, b""), SLOW_DOWN, "it answered 429"),
    ((200, {}, b"<html>planted: please log in</html>"), MALFORMED, "there is no list"),
    ((200, {}, b""), MALFORMED, "there is no list"),
    ((200, {}, b'{"errors":"planted"}'), MALFORMED, "the list is not there"),
    ((200, {}, b'{"orders":"planted"}'), MALFORMED, "there is no list"),
    ((200, {}, b"[]"), MALFORMED, "there is no list"),
    ((200, {}, b'{"orders":[{"id":1},'), MALFORMED, "it ends in the middle"),
    ((200, {}, b'{"orders":[{"id":1'), MALFORMED, "it ends in the middle"),
    ((200, {"Content-Encoding": "gzip"}, PAGE), MALFORMED, "it is packed although"),
    ((200, {}, b'{"orders":[' + b" " * 70_000 + b"]}"), TOO_LONG, "more than 65536 bytes"),
    ((200, {"Content-Length": "900"}, PAGE), UNANSWERED, "the page was cut off"),
    ((200, {"Link": '<//evil.example/x>; rel="next"'}, PAGE), LEADS_AWAY, "another system"),
    (
        (200, {"Link": '<https://evil.example/x>; rel="next"'}, PAGE),
        LEADS_AWAY,
        "another system",
    ),
    ((200, {"Link": "</admin/orders.json>; rel=next"}, PAGE), LEADS_AWAY, "the same page"),
]


def test_what_is_wrong_is_said(wired: Wire) -> None:
    poll = wired(shop={"page_bytes_max": 65_536})
    poll.shop.place(1)
    for count, (reply, cause, detail) in enumerate(WRONG, 1):
        poll.shop.before = always(*reply)
        # Longer than anything was to be waited for.
        poll.poll_later(4000)
        status = poll.status()
        assert status.problem is not None
        assert (status.problem.code, status.failures) == (cause.code, count), reply
        assert (status.problem.detail or "").startswith(detail)
        assert "planted" not in status.model_dump_json()
        assert (status.cursor, status.polled_at, poll.records()) == (None, None, 0)
        assert len(poll.shop.calls) == count
    # And it comes by itself once the other side is well.
    poll.shop.before = lambda call: None
    poll.poll_later(4000)
    assert (poll.count("Order"), poll.status().failures, poll.status().problem) == (1, 0, None)


def test_nobody_answers(wired: Wire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    poll = wired(shop={"url": f"http://127.0.0.1:{port}"})
    poll.poll()
    problem = poll.status().problem
    assert problem is not None
    assert (problem.code, problem.detail) == (UNANSWERED.code, "ConnectionRefusedError")


def test_who_answers_nothing_is_given_up(wired: Wire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        poll = wired(shop={"url": f"http://127.0.0.1:{port}", "timeout_seconds": 0.2})
        poll.poll()
    problem = poll.status().problem
    assert problem is not None
    assert problem.code == UNANSWERED.code


def test_our_own_network_is_not_asked_unless_a_person_said_so(wired: Wire) -> None:
    poll = wired(shop={"url": "https://127.0.0.1/admin", "allow_private": False})
    poll.poll()
    problem = poll.status().problem
    assert problem is not None
    assert problem.code == FORBIDDEN.code
    assert poll.shop.calls == []


def test_the_secret_is_shown_to_nobody_else(wired: Wire) -> None:
    poll = wired(shop={})
    with open_shop() as other:
        address = other.url.replace("127.0.0.1", "localhost")
        link = {"Link": f'<{address}/orders.json>; rel="next"'}
        poll.shop.before = always(200, link, PAGE)
        poll.poll()
        poll.shop.before = always(307, {"Location": f"{other.url}/orders.json"}, b"")
        poll.poll_later(10)
        assert other.calls == []
    assert poll.status().failures == 2


def test_how_it_shows_who_it_is(wired: Wire) -> None:
    for chosen, header, value in (
        ({"header": "X-Shop-Token", "secret": "abc"}, "x-shop-token", "abc"),
        ({"header": "Authorization", "secret": "abc"}, "authorization", "Bearer abc"),
        ({"header": "Authorization", "secret": "Basic YTpi"}, "authorization", "Basic YTpi"),
    ):
        poll = wired(shop=chosen)
        poll.clock.pass_by(10_000)
        poll.poll()
        assert poll.shop.calls[-1].headers[header] == value


def test_it_is_tried_again_later_each_time(wired: Wire) -> None:
    poll = wired(shop={})
    poll.shop.before = always(500, {}, b"")
    for _ in range(60):
        poll.poll_later(200)
    # 12,000 seconds, by a limit that doubles from 5 to 3600.
    assert 5 < len(poll.shop.calls) < 30
    assert poll.status().failures == len(poll.shop.calls)


def test_who_says_for_how_long_is_left_alone_with_all_of_its_streams(wired: Wire) -> None:
    poll = wired(shop={"streams": {"orders": ORDERS, "refunds": REFUNDS}})
    poll.shop.place(1)
    poll.shop.before = always(429, {"Retry-After": "600"}, b"")
    poll.poll()
    assert len(poll.shop.calls) == 1
    poll.shop.before = lambda call: None
    poll.poll_later(599)
    assert len(poll.shop.calls) == 1
    poll.poll_later(1)
    assert [call.path for call in poll.shop.calls[1:]] == [
        "/admin/orders.json",
        "/admin/refunds.json",
    ]
    assert poll.count("Order") == 1


def test_one_stream_that_fails_keeps_neither_the_others_nor_other_polls(wired: Wire) -> None:
    poll = wired(shop={"streams": {"bad": {**ORDERS, "path": "/x"}, "orders": ORDERS}}, other={})
    poll.shop.place(2)
    poll.poll()
    assert poll.status("bad").failures == 1
    assert poll.status("orders").failures == 0
    assert poll.count("Order") == 2
    poll.poll("other")
    assert poll.status("orders", "other").polled_at is not None


BROKEN = [
    b'{"id":null,"line_items":[],"financial_status":"paid"}',
    b'{"planted":1}',
    b'{"id":1,"id":2}',
    b'{"id":01}',
    b"[1,2]",
    b'"text"',
    b"17",
    b'{"admin_graphql_api_id":"gid://shopify/Ord\xff\xfe/1"}',
]


def test_one_element_that_is_broken_is_held_and_the_page_goes_on(wired: Wire) -> None:
    poll = wired(shop={})
    poll.shop.place(2)
    for count, bad in enumerate(BROKEN, 1):

        def broken(call: Call, bad: bytes = bad) -> Reply:
            status, headers, body = poll.shop.answer(call)
            return status, headers, body.replace(b'{"orders": [', b'{"orders": [' + bad + b", ")

        poll.shop.before = broken
        poll.poll_later()
        states = sorted(state for state, _ in poll.messages())
        assert states == ["applied", "applied", *["held"] * count], bad
        assert (poll.status().failures, poll.status().cursor) == (0, "2031-01-01T00:00:00.000000Z")
        # It comes again with every poll, and is known by its bytes.
        poll.poll_later()
        assert len(poll.messages()) == 2 + count


def test_a_stream_that_never_ends_gives_the_others_their_turn(wired: Wire) -> None:
    poll = wired(shop={"pages_max": 3, "streams": {"endless": NUMBERED, "orders": ORDERS}})
    poll.shop.place(1)

    def endless(call: Call) -> Reply | None:
        if call.path != "/admin/numbered.json":
            return None
        page = call.query["page"]
        return 200, {}, b'{"data":{"orders":[{"planted":%s}]}}' % page.encode()

    poll.shop.before = endless
    # A round that reads so many pages at most, and once only.
    _round(poll)
    assert len(poll.shop.asked("/numbered.json")) == 3
    assert poll.status("orders").taken == 1
    _round(poll)
    assert [query["page"] for query in poll.shop.asked("/numbered.json")[3:]] == ["4", "5", "6"]


def _round(poll: Wired) -> None:
    from hub.polling.poller import polled_by

    with polled_by(poll.hub, "shop") as poller:
        poller.round()


def test_the_doctor_says_what_fails(wired: Wire) -> None:
    poll = wired(shop={})
    poll.poll()
    findings = {each.what: each for each in examine(poll.hub.home)}
    assert findings["polls"].well
    poll.shop.before = always(401, {}, b"")
    poll.poll_later()
    findings = {each.what: each for each in examine(poll.hub.home)}
    assert not findings["poll shop/orders"].well
    assert TURNED_AWAY.code in findings["poll shop/orders"].detail


def test_a_failure_of_our_own_is_said_and_tried_again(
    wired: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll = wired(shop={})
    poll.shop.place(1)
    with monkeypatch.context() as patch:
        # As a connector of somebody else's might.
        patch.setattr(poller, "read", lambda door, stream, body: body["planted"])
        poll.poll()
    problem = poll.status().problem
    assert problem is not None
    assert problem.code == UNFORESEEN.code
    assert "planted" not in problem.line()
    poll.poll_later(10)
    assert (poll.count("Order"), poll.status().problem) == (1, None)

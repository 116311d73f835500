"""What a shop has is here, once, whatever its ``updated_at`` says and however often it is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from connectors.api import Stamp
from hub.door import take_in
from hub.polling import deciding, progress, reading
from hub.store.tables import document
from hub.store.tables import poll as table
from tests.hub.polling.conftest import NUMBERED, ORDERS, RECENT, REFUNDS, Wired
from tests.hub.polling.shop import Call

pytestmark = pytest.mark.databases

Wire = Callable[..., Wired]


def test_orders_come_in_and_are_asked_for_from_where_the_last_poll_was(wired: Wire) -> None:
    poll = wired(shop={"streams": {"orders": {**ORDERS, "query": {"status": "any"}}}})
    poll.shop.place(3)
    poll.poll()
    assert [state for state, _ in poll.messages()] == ["applied"] * 3
    assert poll.shop.asked("/orders.json") == [{"status": "any"}]
    poll.clock.pass_by(1000)
    poll.shop.place(2)
    poll.poll()
    assert poll.count("Order") == 5
    assert poll.shop.asked("/orders.json")[1:] == [
        {"status": "any", "updated_at_min": "2030-12-31T23:55:00Z"}
    ]
    assert poll.status().cursor == "2031-01-01T00:16:40.000000Z"


def test_nothing_is_asked_before_it_is_due(wired: Wire) -> None:
    poll = wired(shop={"every_seconds": 60})
    poll.poll()
    poll.poll_later(59)
    assert len(poll.shop.calls) == 1
    poll.poll_later(1)
    assert len(poll.shop.calls) == 2


def test_what_has_not_changed_costs_no_message(wired: Wire) -> None:
    poll = wired(shop={"streams": {"orders": {**ORDERS, "reread": {**RECENT, "every": 1}}}})
    numbers = poll.shop.place(3)
    for _ in range(4):
        poll.poll_later()
    assert len(poll.messages()) == 3
    assert poll.records() == 1
    poll.shop.change(numbers[1], note="wrap it")
    for _ in range(4):
        poll.poll_later()
    assert poll.messages()[3:] == [("applied", f"shopify:order/{numbers[1]}")]
    assert (poll.status().taken, poll.status().seen) == (4, sum(_seen(poll)))


def _seen(poll: Wired) -> list[int]:
    """Every poll read all three again, but for those of what had changed before the overlap."""
    return [3 for _ in poll.shop.calls]


def test_control_without_digests_each_reading_costs_messages(
    wired: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_fresh", lambda connection, source, stream, elements: elements)
    poll = wired(shop={})
    poll.shop.place(3)
    for _ in range(4):
        poll.poll_later()
    states = [state for state, _ in poll.messages()]
    assert states == ["applied"] * 3 + ["duplicate"] * 9


def test_a_refund_that_moves_no_time_is_found_by_its_own_stream(wired: Wire) -> None:
    poll = wired(shop={"streams": {"orders": ORDERS, "refunds": REFUNDS}})
    number, _ = poll.shop.place(2)
    poll.poll()
    poll.clock.pass_by(7200)
    poll.shop.place(1)
    poll.poll()
    refund = poll.shop.refund(number)
    poll.poll_later()
    assert poll.messages()[3:] == [("applied", f"shopify:refund/{refund}")]
    assert poll.count("Reversal") == 1


def test_a_refund_that_moves_no_time_is_found_by_reading_the_recent_again(wired: Wire) -> None:
    poll = wired(shop={"streams": {"orders": {**ORDERS, "reread": RECENT}}})
    number, _ = poll.shop.place(2)
    poll.poll()
    poll.clock.pass_by(7200)
    poll.shop.place(1)
    poll.poll()
    poll.shop.refund(number)
    poll.poll_later()
    assert poll.count("Reversal") == 0
    poll.poll_later()
    assert poll.count("Reversal") == 1
    # The order itself says another state, under the version that it had.
    with poll.hub.engine.begin() as connection:
        fact = f"shopify:order/{number}"
        row = connection.execute(select(document).where(document.c.fact == fact)).one()
    assert (row.version, row.flags) == ("2031-01-01T00:00:00.000000Z", None)
    asked = [query.get("created_at_min") for query in poll.shop.asked("/orders.json")]
    assert asked == [None, None, None, "2030-12-31T02:02:00Z", None]


def test_what_is_open_is_read_again_however_old_it_is(wired: Wire) -> None:
    again = {"query": {"status": "open"}, "every": 1}
    poll = wired(shop={"streams": {"orders": {**ORDERS, "reread": again}}})
    number, _ = poll.shop.place(2)
    poll.poll()
    poll.clock.pass_by(400 * 86_400)
    poll.shop.refund(number)
    poll.poll_later()
    assert poll.count("Reversal") == 1


def test_control_by_its_time_alone_the_refund_is_never_found(wired: Wire) -> None:
    poll = wired(shop={})
    number, _ = poll.shop.place(2)
    poll.poll()
    poll.clock.pass_by(7200)
    poll.shop.place(1)
    poll.poll()
    poll.shop.refund(number)
    for _ in range(10):
        poll.poll_later()
    assert poll.count("Reversal") == 0


@pytest.mark.parametrize(("overlap", "found"), [(300, True), (0, False)])
def test_what_is_late_to_be_committed_is_found_by_the_overlap(
    wired: Wire, overlap: float, *, found: bool
) -> None:
    poll = wired(shop={"overlap_seconds": overlap})
    poll.shop.place(1)
    poll.poll()
    late = poll.shop.place(1, ago=timedelta(seconds=20))
    poll.poll_later()
    assert (("applied", f"shopify:order/{late[0]}") in poll.messages()) is found


def test_a_long_list_is_read_page_by_page(wired: Wire) -> None:
    poll = wired(shop={})
    poll.shop.per_page = 4
    poll.shop.place(10)
    poll.poll()
    assert poll.count("Order") == 10
    assert len(poll.shop.calls) == 3
    assert (poll.status().under_way, poll.records()) == (False, 3)


def test_the_cursor_does_not_move_before_the_last_page(wired: Wire) -> None:
    poll = wired(shop={"pages_max": 1, "every_seconds": 3600})
    poll.shop.per_page = 4
    poll.shop.place(10)
    poll.shop.before = lambda call: (500, {}, b"") if len(poll.shop.calls) == 3 else None
    poll.poll()
    assert poll.count("Order") == 8
    assert poll.status().cursor is None
    assert poll.status().under_way
    poll.poll_later(30)
    # It goes on with the page that failed, and not from the start.
    assert "page_info" in poll.shop.calls[-1].query
    assert len(poll.shop.calls) == 4
    assert poll.count("Order") == 10
    assert poll.status().cursor == "2031-01-01T00:00:00.000000Z"


def test_a_page_that_is_known_no_more_begins_the_reading_anew(wired: Wire) -> None:
    poll = wired(shop={"pages_max": 1})
    poll.shop.per_page = 4
    poll.shop.place(10)
    poll.shop.before = lambda call: (
        (400, {}, b"the cursor is over") if "page_info" in call.query else None
    )
    poll.poll()
    poll.shop.before = lambda call: None
    poll.poll_later(30)
    assert "page_info" not in poll.shop.calls[2].query
    assert poll.count("Order") == 10
    assert [state for state, _ in poll.messages()] == ["applied"] * 10


def _shifting(poll: Wired) -> None:
    """While the second page is asked for, an order of the first one changes and goes to the end."""
    first = next(iter(poll.shop.orders))

    def change(call: Call) -> None:
        if len(poll.shop.calls) == 1:
            poll.clock.pass_by(5)
            poll.shop.change(first, note="changed")

    poll.shop.after = change


def test_what_moves_over_the_border_of_two_pages_is_not_missed(wired: Wire) -> None:
    poll = wired(shop={"streams": {"orders": NUMBERED}})
    poll.shop.per_page = 4
    poll.shop.place(10)
    _shifting(poll)
    poll.clock.pass_by(600)
    poll.poll()
    assert poll.count("Order") == 10


def test_control_read_once_it_is_missed_for_good(
    wired: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_TURNS_MAX", 1)
    poll = wired(shop={"streams": {"orders": NUMBERED}})
    poll.shop.per_page = 4
    poll.shop.place(10)
    _shifting(poll)
    poll.clock.pass_by(600)
    poll.poll()
    poll.poll_later()
    poll.poll_later()
    assert poll.count("Order") == 9


def test_numbered_pages_end_where_the_last_one_comes_again(wired: Wire) -> None:
    poll = wired(shop={"streams": {"orders": NUMBERED}})
    poll.shop.per_page = 4
    poll.shop.place(6)

    def last_again(call: Call) -> tuple[int, dict[str, str], bytes] | None:
        if int(call.query["page"]) <= 2:
            return None
        return poll.shop.answer(Call(call.path, {**call.query, "page": "2"}, call.headers))

    poll.shop.before = last_again
    poll.poll()
    assert poll.count("Order") == 6
    # Twice through: pages of numbers are read until nothing has moved.
    assert [call.query["page"] for call in poll.shop.calls] == ["1", "2", "3"] * 2


def test_a_change_in_the_future_does_not_hide_the_present(wired: Wire) -> None:
    poll = wired(shop={})
    number, _ = poll.shop.place(2)
    poll.shop.orders[number]["updated_at"] = "2099-01-01T00:00:00Z"
    poll.poll()
    assert poll.status().cursor == "2031-01-01T00:00:00.000000Z"
    poll.clock.pass_by(60)
    poll.shop.place(1)
    poll.poll()
    assert poll.count("Order") == 3


def test_what_was_read_later_is_newer_than_a_webhook_of_the_same_version(wired: Wire) -> None:
    poll = wired(shop={"streams": {"orders": {**ORDERS, "reread": {**RECENT, "every": 1}}}})
    (number,) = poll.shop.place(1)
    poll.poll()
    poll.clock.pass_by(10)
    poll.shop.orders[number]["note"] = "unseen by its time"
    webhook = json.dumps(poll.shop.orders[number] | {"note": "on its way"}).encode()
    triggered = poll.clock()
    poll.clock.pass_by(10)
    poll.poll_later()
    with poll.hub.engine.begin() as connection:
        door, stamp = poll.hub.door("shopify"), Stamp("event-1", triggered)
        take_in(connection, door, [webhook], name="webhook", now=poll.clock(), stamp=stamp)
    poll.poll_later()
    assert [state for state, _ in poll.messages()] == ["applied", "applied", "stale"]
    with poll.hub.engine.begin() as connection:
        found = connection.execute(select(document.c.body, document.c.flags)).one()
    assert json.loads(found.body)["note"] == "unseen by its time"
    assert found.flags is None


def test_a_page_that_was_asked_for_before_a_rewind_is_not_kept(wired: Wire) -> None:
    poll = wired(shop={})
    poll.shop.place(3)
    poll.poll()
    poll.clock.pass_by(7200)
    poll.shop.place(1)

    def rewound(call: Call) -> None:
        # While it is on its way. The cursor stays where the person put it.
        if len(poll.shop.calls) == 2:
            with poll.hub.engine.begin() as connection:
                to = "2026-01-01T00:00:00.000000Z"
                deciding.rewind(connection, poll.hub, "shop", to=to, stream=None, actor="ann")

    poll.shop.before = rewound
    poll.poll()
    since = [query.get("updated_at_min") for query in poll.shop.asked("/orders.json")]
    assert since == [None, "2030-12-31T23:55:00Z", "2025-12-31T23:55:00Z"]
    assert poll.count("Order") == 4


def test_the_row_of_another_version_is_begun_anew(wired: Wire) -> None:
    poll = wired(shop={})
    poll.shop.place(1)
    poll.poll()
    with poll.hub.engine.begin() as connection:
        connection.execute(update(table).values(reading='{"kind": 7}'))
    poll.poll_later()
    assert (poll.status().failures, poll.status().under_way) == (0, False)

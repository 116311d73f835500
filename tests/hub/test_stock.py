"""What was translated ahead, in the order in which its turn comes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.ahead import stock as module
from hub.ahead.stock import SLOWER, Portion, Stock
from hub.ahead.wire import Done
from hub.journal import Stored

PAYLOAD = b"0123456789"
KEPT = 4
MESSAGES = range(1, 9)


def message(number: int) -> Stored:
    return Stored(
        id=number,
        record_id=1,
        offset=0,
        payload=PAYLOAD,
        digest=f"digest {number}",
        joined=False,
        state="pending",
        context=b"",
        source="till",
        system="till",
        connector="poslog",
        file=None,
    )


@pytest.fixture
def stock() -> Stock:
    """Eight messages, of which the process was not sent the fourth."""
    sent = [(number, f"digest {number}") for number in MESSAGES if number != KEPT]
    stock = Stock()
    stock.add(
        Portion(sent, [(number, len(PAYLOAD)) for number in MESSAGES]),
        [Done([]) for _ in sent],
    )
    return stock


def test_each_message_is_taken_once(stock: Stock) -> None:
    taken = [number for number in MESSAGES if stock.take(message(number)) is not None]
    assert taken == [number for number in MESSAGES if number != KEPT]
    assert not stock
    assert stock.take(message(1)) is None


def test_what_says_something_else_by_now_is_not_taken(stock: Stock) -> None:
    assert stock.take(replace(message(1), digest="another")) is None


def test_what_somebody_else_has_settled_goes_with_what_stood_before_it(stock: Stock) -> None:
    assert stock.take(message(6)) is not None
    assert stock.within(100) == 2
    assert stock.take(message(2)) is None


def test_messages_that_were_kept_count_as_long_as_they_take(stock: Stock) -> None:
    assert stock.within(100) == len(MESSAGES)
    assert stock.within(len(MESSAGES)) < len(MESSAGES)
    assert stock.within(len(MESSAGES) - 1 + SLOWER) == len(MESSAGES)
    assert stock.within(1) == 1
    stock.clear()
    assert stock.within(100) == 0


def test_it_is_full_by_messages_or_by_bytes(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stock.is_full(len(MESSAGES) - 1)
    assert not stock.is_full(len(MESSAGES))
    monkeypatch.setattr(module, "_BYTES_MAX", len(MESSAGES) * len(PAYLOAD) - 1)
    assert stock.is_full(len(MESSAGES))
    stock.take(message(1))
    assert not stock.is_full(len(MESSAGES))


def test_it_says_what_it_lacks(stock: Stock) -> None:
    assert stock.lacks([KEPT, 9])
    assert not stock.lacks([3, 9])

from __future__ import annotations

from random import Random

import pytest

from hub.delivery.post import Answer
from hub.delivery.schedule import FAILURES, Verdict, asked, closed_for, later, verdict, wait

NOW = "2031-01-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("statuses", "meaning"),
    [
        ((200, 201, 204, 299), "delivered"),
        ((410,), "gone"),
        ((400, 401, 403, 404, 409, 413, 422, 451), "refused"),
        ((None, 100, 199, 300, 301, 302, 304, 307, 408, 425, 429, 500, 502, 503, 504), "failed"),
    ],
)
def test_what_a_status_means(statuses: tuple[int | None, ...], meaning: Verdict) -> None:
    assert {verdict(Answer(status)) for status in statuses} == {meaning}


def test_the_wait_is_anywhere_up_to_a_limit_that_doubles_to_an_hour() -> None:
    limits = []
    for attempts in (1, 2, 3, 8, 20, 10_000):
        drawn = [wait(attempts, Random(seed)) for seed in range(400)]
        assert min(drawn) < max(drawn) / 20
        limits.append(max(drawn))
    assert [round(limit / 5, -1 if limit > 50 else 0) for limit in limits] == [
        *(1, 2, 4),
        *(130, 720, 720),
    ]


def test_a_destination_is_closed_for_minutes_at_most() -> None:
    dice = Random(1)
    assert closed_for(FAILURES - 1, dice) == 0
    assert 5 <= closed_for(FAILURES, dice) <= 10
    assert 150 <= closed_for(100_000, dice) <= 300


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("9" * 5000, 86_400),
        ("-5", 0),
        ("\u0665", 0),
        ("soon", 0),
        ("Wed, 01 Jan 2031 00:02:00 GMT", 120),
        ("Wed, 01 Jan 2031 00:02:00 -0000", 120),
        ("Wed, 01 Jan 2031 02:02:00 +0200", 120),
        ("Tue, 31 Dec 2030 23:00:00 GMT", 0),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 86_400),
        ("Wed, 99 Jan 2031 99:99:99 GMT", 0),
    ],
)
def test_for_how_long_it_asks_to_be_left_alone(text: str | None, seconds: float) -> None:
    assert asked(Answer(503, text), NOW) == seconds


def test_a_later_moment_sorts_after() -> None:
    assert later(NOW, 0) == NOW
    assert later(NOW, 3 * 86_400 + 0.5) == "2031-01-04T00:00:00.500000Z"

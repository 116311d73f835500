"""Where a window begins, as people say it."""

from __future__ import annotations

import pytest

from hub.since import moment
from schemas.problem import Refused

NOW = "2031-05-06T20:15:00.000000Z"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("30m", "2031-05-06T19:45:00.000000Z"),
        ("12h", "2031-05-06T08:15:00.000000Z"),
        ("7d", "2031-04-29T20:15:00.000000Z"),
        ("2w", "2031-04-22T20:15:00.000000Z"),
        # Before year 1000, where a year of three digits would come after ours as text.
        ("60000w", "0881-06-03T20:15:00.000000Z"),
        ("2031-05-01", "2031-05-01T00:00:00.000000Z"),
        ("2031-05-01T20:15:00Z", "2031-05-01T20:15:00.000000Z"),
        ("2031-05-01T20:15:00.5+02:00", "2031-05-01T18:15:00.500000Z"),
        (NOW, NOW),
    ],
)
def test_a_window_begins_in_the_width_of_the_clock(text: str, meant: str) -> None:
    assert moment(text, NOW) == meant


@pytest.mark.parametrize(
    "text",
    [
        *("", "7", "d", "0d", "-7d", "07d", "7y", "7 d", "100000d", "yesterday"),
        *("2031-13-01", "2031-05-01 20:15", "20310501", "2031-05-01T25:00:00Z"),
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_what_says_no_time_is_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        moment(text, NOW)
    assert caught.value.problem.code == "LP-HUB-007"

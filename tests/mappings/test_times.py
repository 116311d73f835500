"""Dates and times of every writing become the same moments, and what is in doubt stays open."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.transforms import COERCIONS, TRANSFORMS


def transform(name: str, *arguments: str) -> Any:
    return TRANSFORMS[name](*arguments)


TIMES: list[tuple[str, tuple[str, ...], Any, dict[str, str]]] = [
    ("moment", ("YYYYMMDDHHmmss",), "20260301170509", {"local": "2026-03-01T17:05:09"}),
    ("moment", ("DD.MM.YYYY", "HH:mm"), "01.03.2026 17:05", {"local": "2026-03-01T17:05:00"}),
    ("moment", ("M/D/YYYY", "h:mm", "A"), "3/1/2026 12:05 AM", {"local": "2026-03-01T00:05:00"}),
    ("moment", ("M/D/YYYY", "h:mm", "A"), "3/1/2026 12:05 pm", {"local": "2026-03-01T12:05:00"}),
    (
        "moment",
        ("YYYY-MM-DDTHH:mm:ss.SS",),
        "2026-03-01T01:02:03.45",
        {"local": "2026-03-01T01:02:03.45"},
    ),
    (
        "moment",
        ("DD", "MMM", "YYYY", "HH:mm:ss", "Z"),
        "01 Mar 2026 17:05:09 +0100",
        {"local": "2026-03-01T17:05:09", "offset": "+01:00", "utc": "2026-03-01T16:05:09Z"},
    ),
    ("moment", (), "2026-03-01 17:05", {"local": "2026-03-01T17:05:00"}),
    (
        "moment",
        ("seconds",),
        0,
        {"local": "1970-01-01T00:00:00", "offset": "+00:00", "utc": "1970-01-01T00:00:00Z"},
    ),
    (
        "moment",
        ("seconds",),
        "1772381109.5",
        {"local": "2026-03-01T16:05:09.5", "offset": "+00:00", "utc": "2026-03-01T16:05:09.5Z"},
    ),
    (
        "moment",
        ("milliseconds",),
        1772381109120,
        {"local": "2026-03-01T16:05:09.120", "offset": "+00:00", "utc": "2026-03-01T16:05:09.120Z"},
    ),
    (
        "moment",
        ("seconds",),
        253402300799,
        {"local": "9999-12-31T23:59:59", "offset": "+00:00", "utc": "9999-12-31T23:59:59Z"},
    ),
    (
        "zone",
        ("Europe/Vienna",),
        "2026-07-01T17:05:00.25",
        {
            "local": "2026-07-01T17:05:00.25",
            "zone": "Europe/Vienna",
            "utc": "2026-07-01T15:05:00.25Z",
        },
    ),
    (
        "zone",
        ("Europe/Vienna",),
        "2026-07-01T17:05:00+02:00",
        {
            "local": "2026-07-01T17:05:00",
            "offset": "+02:00",
            "utc": "2026-07-01T15:05:00Z",
            "zone": "Europe/Vienna",
        },
    ),
    (
        # Twice on that day; the offset says which of them.
        "zone",
        ("Europe/Vienna",),
        "2026-10-25T02:30:00+01:00",
        {
            "local": "2026-10-25T02:30:00",
            "offset": "+01:00",
            "utc": "2026-10-25T01:30:00Z",
            "zone": "Europe/Vienna",
        },
    ),
    (
        # Another zone than the offset claims: the offset holds.
        "zone",
        ("Europe/Vienna",),
        "2026-07-01T17:05:00+01:00",
        {"local": "2026-07-01T17:05:00", "offset": "+01:00", "utc": "2026-07-01T16:05:00Z"},
    ),
    (
        # In winter London has the offset of UTC; that the clock is London's nobody said.
        "zone",
        ("Europe/London",),
        "2026-01-01T17:05:00Z",
        {"local": "2026-01-01T17:05:00", "offset": "+00:00", "utc": "2026-01-01T17:05:00Z"},
    ),
    # Twice on that day, and never.
    (
        "zone",
        ("Europe/Vienna",),
        "2026-10-25T02:30",
        {"local": "2026-10-25T02:30:00", "zone": "Europe/Vienna"},
    ),
    (
        "zone",
        ("Europe/Vienna",),
        "2026-03-29T02:30",
        {"local": "2026-03-29T02:30:00", "zone": "Europe/Vienna"},
    ),
    # A time before the year 1000 keeps its zeros.
    (
        "zone",
        ("UTC",),
        "0999-01-01T00:00",
        {"local": "0999-01-01T00:00:00", "zone": "UTC", "utc": "0999-01-01T00:00:00Z"},
    ),
]


@pytest.mark.parametrize(("name", "arguments", "value", "result"), TIMES)
def test_times(name: str, arguments: tuple[str, ...], value: Any, result: dict[str, str]) -> None:
    found = COERCIONS["moment"](transform(name, *arguments)(value))
    origin = {"zone_origin": "source"} if len(result) > 1 else {}
    assert type(found) is dict
    assert found == {**result, **origin}


@pytest.mark.parametrize(
    ("text", "local", "offset", "utc"),
    [
        ("2026-03-01T17:05:09", "2026-03-01T17:05:09", None, None),
        ("2026-03-01 17:05", "2026-03-01T17:05:00", None, None),
        ("2026-03-01T17:05:09.120", "2026-03-01T17:05:09.120", None, None),
        ("2026-03-01t17:05:09z", "2026-03-01T17:05:09", "+00:00", "2026-03-01T17:05:09Z"),
        ("2026-03-01T00:05:09+0130", "2026-03-01T00:05:09", "+01:30", "2026-02-28T22:35:09Z"),
        (
            "2026-03-01T17:05:09.5 -05:00",
            "2026-03-01T17:05:09.5",
            "-05:00",
            "2026-03-01T22:05:09.5Z",
        ),
        ("0999-01-01T00:00:00Z", "0999-01-01T00:00:00", "+00:00", "0999-01-01T00:00:00Z"),
    ],
)
def test_moments(text: str, local: str, offset: str | None, utc: str | None) -> None:
    moment = COERCIONS["moment"](text)
    assert moment.get("local") == local
    assert moment.get("offset") == offset
    assert moment.get("utc") == utc
    assert moment.get("zone_origin") == ("source" if offset else None)


@given(st.dates(), st.times())
def test_a_pattern_reads_what_it_writes(day: date, time: time) -> None:
    written = (
        f"{day.day}.{day.month:02}.{day.year:04} {time.hour:02}:{time.minute:02}:{time.second:02}"
    )
    found = transform("moment", "D.MM.YYYY", "HH:mm:ss")(written)
    assert found == {"local": f"{day.isoformat()}T{time.replace(microsecond=0).isoformat()}"}


DAWN = datetime(1970, 1, 1)  # noqa: DTZ001


@given(st.datetimes(min_value=DAWN))
def test_seconds_since_1970(moment: datetime) -> None:
    seconds = (moment - DAWN) // timedelta(seconds=1)
    found = transform("moment", "seconds")(seconds)
    assert found["utc"] == moment.replace(microsecond=0).isoformat() + "Z"
    thousandths = (moment - DAWN) // timedelta(milliseconds=1)
    found = transform("moment", "milliseconds")(thousandths)
    assert found["utc"] == moment.isoformat(timespec="milliseconds") + "Z"


@pytest.mark.parametrize("written", ["01x03x2026", "01.03x2026", "0110312026"])
def test_what_stands_between_the_digits_of_a_pattern_stands_for_itself(written: str) -> None:
    assert transform("date", "DD.MM.YYYY")("01.03.2026") == "2026-03-01"
    with pytest.raises(ValueError, match=r"DD\.MM\.YYYY"):
        transform("date", "DD.MM.YYYY")(written)


@pytest.mark.parametrize("mark", ["(", "[", "*", "+", "?", "|", "^", "$", "{"])
def test_a_mark_of_a_pattern_is_no_expression(mark: str) -> None:
    read = transform("date", f"DD{mark}MM{mark}YYYY")
    assert read(f"01{mark}03{mark}2026") == "2026-03-01"

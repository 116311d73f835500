"""Stamps: what headers say of a webhook, and nothing where they say nonsense."""

from __future__ import annotations

import pytest

from connectors.api import Request, Stamp
from connectors.stamp import stamped


def _stamp(**headers: str | tuple[str, ...]) -> Stamp:
    named = {name: (v,) if isinstance(v, str) else v for name, v in headers.items()}
    return stamped(Request("POST", "", named, b""), number="id", at="at")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2031-05-06T09:00:00.877041743Z", "2031-05-06T09:00:00.877041Z"),
        ("2031-05-06T11:00:00+02:00", "2031-05-06T09:00:00.000000Z"),
        ("2031-05-06T09:00:00", None),
        ("yesterday", None),
        ("", None),
        ("0001-01-01T00:00:00+23:59", None),
    ],
)
def test_a_time_is_utc_of_fixed_width(text: str, at: str | None) -> None:
    assert _stamp(at=text) == Stamp(None, at)


@pytest.mark.parametrize(
    ("text", "number"),
    [("e-1", "e-1"), ("x" * 200, "x" * 200), ("x" * 201, None), ("a\x7fb", None), ("", None)],
)
def test_an_id_is_short_and_can_be_printed(text: str, number: str | None) -> None:
    assert _stamp(id=text) == Stamp(number, None)


def test_a_header_that_comes_twice_or_not_at_all_says_nothing() -> None:
    assert _stamp(id=("a", "b"), at=("2031-05-06T09:00:00Z",) * 2) == Stamp()
    assert _stamp() == Stamp()

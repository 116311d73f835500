"""Gaps: what is missing is said, and nothing else, however a till counts."""

from __future__ import annotations

import pytest

from hub.gaps import _missing

MON, TUE, WED = "2031-05-05", "2031-05-06", "2031-05-07"


@pytest.mark.parametrize(
    ("days", "missing"),
    [
        ([], []),
        ([(MON, [7])], []),
        ([(MON, [1, 2, 3])], []),
        ([(MON, [1, 2, 5])], [(MON, 3, 4)]),
        ([(MON, [1, 3, 5])], [(MON, 2, 2), (MON, 4, 4)]),
        # It goes on counting over night.
        ([(MON, [8, 9]), (TUE, [10, 11])], []),
        ([(MON, [8, 9]), (TUE, [12])], [(TUE, 10, 11)]),
        ([(MON, [8, 9]), (WED, [12])], [(WED, 10, 11)]),
        # It begins again each day, or at its end.
        ([(MON, [1, 2, 3]), (TUE, [1, 2])], []),
        ([(MON, [8, 9]), (TUE, [3, 4])], [(TUE, 1, 2)]),
        ([(MON, [9998, 9999]), (TUE, [1, 2])], []),
        ([(MON, [9998, 9999]), (TUE, [0, 1])], []),
        # A receipt after midnight belongs to the day before.
        ([(MON, [100, 101, 103]), (TUE, [102, 104])], []),
        ([(MON, [100, 101, 104]), (TUE, [102, 105])], [(MON, 103, 103)]),
        # The hour that a clock shows twice.
        ([(MON, [5, 5, 6])], []),
    ],
)
def test_missing_numbers(
    days: list[tuple[str, list[int]]], missing: list[tuple[str, int, int]]
) -> None:
    assert list(_missing(days)) == missing

"""How the agent shares the machine with the till."""

from __future__ import annotations

from store_agent.run import _pause


def test_a_large_folder_is_looked_through_less_often() -> None:
    assert [_pause(seconds, busy=False) for seconds in (0.001, 0.05, 3)] == [0.2, 1.0, 5]


def test_the_next_file_does_not_wait_for_the_time_that_many_others_took() -> None:
    assert _pause(30, busy=True) == 0.2

"""The short form of ``make faults``: harmed while a store sends, a hub holds what was sold, once
and in order; with the guard taken out that stands against the harm, the same run is red.
"""

from __future__ import annotations

from dataclasses import astuple

from faults.harm import FAULTS, suffered

MESSAGES = 800


def test_answers_that_are_cut_after_the_commit_double_nothing() -> None:
    fault = FAULTS["cut"]
    assert astuple(suffered(fault, MESSAGES)) == (MESSAGES, 0, 0, 0)
    assert suffered(fault, MESSAGES, variant=fault.control).doubled > 0

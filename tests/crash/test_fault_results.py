"""What is kept of ``make faults``: fault by fault, and as figures of all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench import figure
from faults import __main__ as program
from faults import results
from faults.ledger import Verdict
from faults.results import Result

if TYPE_CHECKING:
    from pathlib import Path


def _result(fault: str = "kill", *, red: str = "lost", control: int = 7, **counts: int) -> Result:
    none = {"messages": 40_000, "lost": 0, "doubled": 0, "out_of_order": 0, "harms": 9}
    return Result(
        fault=fault,
        what=f"what {fault} is",
        verdict=Verdict(**{**none, **counts}),
        variant="early",
        red=red,
        control=control,
        tried=2_000,
        seconds=60,
        day="2026-11-29",
        commit="abc",
    )


@pytest.mark.parametrize("wrong", ["lost", "doubled", "out_of_order"])
def test_a_fault_is_well_where_nothing_went_wrong_and_its_control_did(wrong: str) -> None:
    assert _result().is_well
    broken = replace(_result().verdict, **{wrong: 1})
    assert not replace(_result(), verdict=broken).is_well
    assert not _result(control=0).is_well
    assert not _result(harms=0).is_well


def test_faults_that_run_one_by_one_are_summed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "KEPT", tmp_path / "faults.json")
    monkeypatch.setattr(program, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(program, "PAGE", tmp_path / "figures.md")
    program._keep(_result(lost=3))
    program._keep(_result("cut", red="doubled", control=5, messages=50_000))
    # Run again, it takes the place of what it was before.
    program._keep(_result(lost=1))
    assert [kept.fault for kept in results.read(tmp_path / "faults.json")] == ["cut", "kill"]
    told = {each.id: each for each in figure.read(tmp_path / "results.json")}
    lost, doubled = told["faults.lost"], told["faults.doubled"]
    assert (lost.n, lost.value, lost.control, lost.holds) == (90_000, 1, 7, False)
    assert (doubled.n, doubled.value, doubled.control, doubled.holds) == (90_000, 0, 5, True)
    assert lost.beside == {"what cut is": 0, "what kill is": 1}
    page = (tmp_path / "figures.md").read_text()
    assert "of 90,000 messages, lost" in page
    red = "early: 5 of 2,000 doubled | 60 | 2026-11-29, `abc` |"
    assert f"| what cut is | 9 | 50,000 | 0 | 0 | 0 | {red}" in page

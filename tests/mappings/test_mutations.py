"""A mapping with one thing wrong does not get by: something notices it, and the test says what."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mappings.mistakes import MISTAKES
from tests.mappings.mutants import every_mutant, noticed_by, shipped

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(f"{path.parent.name}.{path.stem}" for path in (ROOT / "mappings").glob("*/*.yaml"))

ALSO_SKIPPED = "a line with a tender is nothing else; the `otherwise` at the end skips it as well"
UNNOTICED = {
    "poslog.retail": {"left out: when Tender: skip": ALSO_SKIPPED},
    "poslog.retail_v6": {"left out: when Tender: skip": ALSO_SKIPPED},
}
"""The mutants that nothing can notice, and why: they make the same of every document there can be.
Any other rule needs a sample that tells."""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_noticed(mistake: str) -> None:
    name, right, wrong, expected = MISTAKES[mistake]
    text = shipped()[name].text
    assert text.count(right) >= 1, "the shipped mapping says something else by now"
    noticed = list(noticed_by(text.replace(right, wrong, 1), shipped()[name]))
    assert expected in noticed, f"{mistake}: noticed by {noticed or 'nothing'}"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_noticed_of_what_is_shipped(name: str) -> None:
    assert list(noticed_by(shipped()[name].text, shipped()[name])) == []


def test_every_way_of_noticing_was_seen_and_every_mapping_counted() -> None:
    assert {m[3] for m in MISTAKES.values()} == {"check", "coverage", "examples", "round trip"}
    assert set(NAMES) == set(shipped())


@pytest.mark.parametrize("name", NAMES)
def test_every_mutant_is_noticed_but_those_that_make_the_same(name: str) -> None:
    of = shipped()[name]
    mutants = list(every_mutant(of.text))
    missed = [m for m in mutants if next(noticed_by(m.text, of), None) is None]
    print(f"{name}: {len(mutants)} mutants, {len(missed)} unnoticed")  # noqa: T201 (with pytest -s)
    assert len(mutants) >= 15
    assert sorted(m.told for m in missed) == sorted(UNNOTICED.get(name, {})), missed

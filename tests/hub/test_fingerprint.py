"""What is held for the same thing has one name, whichever message shows it."""

from __future__ import annotations

import pytest

from hub.apply import CONFLICT
from hub.fingerprint import fingerprint, grouped
from schemas.problem import Problem


def problem(**said: str | int | None) -> Problem:
    found = {"code": "LP-MAP-101", "summary": "A value does not fit.", "next_step": "Mend it."}
    return Problem.model_validate(found | {"path": "lines[3].amount", "detail": "no number"} | said)


ONE = fingerprint(problem(), "shop")


@pytest.mark.parametrize(
    "said",
    [
        {"path": "lines[0].amount"},
        {"file": "other.json", "byte": 812},
        {"rule": "order.yaml:7"},
        {"value": "text of 3"},
    ],
)
def test_where_it_shows_does_not_matter(said: dict[str, str]) -> None:
    assert fingerprint(problem(**said), "shop") == ONE


def test_numbers_in_a_detail_do_not_matter() -> None:
    names = {fingerprint(problem(detail=f"{n} characters"), "shop") for n in (7, 4096)}
    assert len(names) == 1


@pytest.mark.parametrize(
    "said",
    [{"code": "LP-MAP-102"}, {"path": "lines[3].tax"}, {"detail": "no date"}, {"path": None}],
)
def test_what_is_wrong_matters(said: dict[str, str]) -> None:
    assert fingerprint(problem(**said), "shop") != ONE


def test_conflicts_of_all_facts_are_one_group() -> None:
    conflicts = [problem(code=CONFLICT.code, path=f"tills:0042/03/{n}") for n in "ab"]
    assert len({fingerprint(each, "till") for each in conflicts}) == 1


def test_what_two_connectors_read_is_not_the_same() -> None:
    assert fingerprint(problem(), "till") != ONE


def test_the_largest_group_comes_first_and_the_older_of_two() -> None:
    rows = [
        {
            "message_id": n,
            "fingerprint": name,
            "problem": problem(),
            "source": name,
            "held_at": str(n),
        }
        for n, name in enumerate("abcbca", start=1)
    ]
    rows.append({**rows[2], "message_id": 7, "held_at": "7"})
    groups = grouped(rows)
    assert [group.fingerprint for group in groups] == ["c", "a", "b"]
    assert [[row["message_id"] for row in group.rows] for group in groups] == [
        [3, 5, 7],
        [1, 6],
        [2, 4],
    ]
    assert (groups[0].first_at, groups[0].last_at) == ("3", "7")
    assert groups[0].path == "lines[].amount"
    assert groups[0].sources == ("c",)

"""Rules in vain: what is told is certain, and what may happen is never told."""

from __future__ import annotations

import pytest

from mappings.mapping import load
from mappings.unreachable import idle_tables, unreachable

HEADER = "mapping: a.b\nreads: json\nto: Interaction\nrules:\n"


def _told(rules: str) -> list[tuple[int, str]]:
    found = unreachable(load(HEADER + rules, "x.yaml").spec)
    return [(vain.line, vain.detail) for vain in found]


def _choice(*conditions: str) -> str:
    return "".join(f"  when {each}: {{agent: x}}\n" for each in conditions)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a", "a and a"),
        ("a", "a and b"),
        ("a", "a = x"),
        ("a", "a < 1"),
        ("a = x, y", "a = x"),
        ("a = x, y", "a = x and b"),
        ("a != x", "a = y"),
        ("a != x", "not a"),
        ("a != x", "a != x, y"),
        ("a < 2", "a < 1"),
        ("a > 1", "a and a > 1"),
        ("a > 1", "a > 2"),
    ],
)
def test_a_branch_after_a_wider_one_is_never_reached(first: str, second: str) -> None:
    assert _told(_choice(first, second)) == [(6, "never reached: line 5 takes all of it before")]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a and b", "a"),
        ("a = x", "a"),
        ("a = x", "a = x, y"),
        ("a", "not a"),
        ("a", "b"),
        ("a", "a != x"),
        ("a != x, y", "a != x"),
        ("not a", "a != x"),
        ("a < 1", "a < 2"),
        ("a > 2", "a > 1"),
        ("a > 1", "a < 1"),
        ("a[0]", "a[1]"),
        ("a", "/a and b"),
    ],
)
def test_a_branch_that_may_be_reached_is_not_told(first: str, second: str) -> None:
    assert _told(_choice(first, second)) == []


@pytest.mark.parametrize(
    "condition",
    [
        "a and not a",
        "a = x and not a",
        "a = x and a = y",
        "a = x and a != x, y",
        "a < 1 and a > 1",
        "a > 2 and a < 1",
    ],
)
def test_a_condition_that_contradicts_itself_is_told(condition: str) -> None:
    assert _told(_choice(condition)) == [(5, "never reached: a cannot be both")]


@pytest.mark.parametrize("condition", ["a = x and a = x, y", "a < 2 and a > 1", "a and a != x"])
def test_a_condition_that_may_hold_is_not_told(condition: str) -> None:
    assert _told(_choice(condition)) == []


def test_what_holds_around_a_choice_holds_inside() -> None:
    inside = "  when a = x:\n    when not a: {agent: b}\n    when /c: {agent: b}\n"
    assert _told(inside) == [(6, "never reached: a cannot be both")]


def test_inside_a_list_a_name_is_another_one() -> None:
    rules = "  when a = x and /b:\n    customers[] from c[]:\n      value: v\n"
    assert _told(rules + "      when not a: {kind: d}\n") == []
    assert _told(rules + "      when not /b: {kind: d}\n") == [
        (8, "never reached: /b cannot be both")
    ]
    rules = "  customers[] from c[] where d = x and not d:\n    value: v\n"
    assert _told(rules) == [(5, "no element is ever taken: d cannot be both")]


def test_a_value_that_is_replaced_in_every_case_is_told() -> None:
    always = "  agent: a\n  when b: {agent: = c}\n  otherwise: {agent: = d}\n"
    assert _told(always) == [(5, "agent is replaced on line 6 in every case")]
    for may in (
        "  agent: a\n  when b: {agent: = c}\n",
        "  agent: a\n  when b: {agent: = c}\n  otherwise: {agent: d}\n",
        "  agent: a\n  when b: {agent: = c}\n  otherwise: {store: = d}\n",
        "  when b: {agent: = c}\n  otherwise: {agent: = d}\n  agent: a\n",
    ):
        assert _told(may) == []


def test_tables_without_use_are_told() -> None:
    rules = "  agent: a | code x\n  orders: [b | code y]\n  when c: {kind: d | code z}\n"
    tables = "codes: {x: {a: b}, y: {a: b}, z: {a: b}, u: {a: b}}\n"
    assert idle_tables(load(HEADER + rules + tables, "x.yaml").spec) == ("u",)

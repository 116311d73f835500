"""What a mapping cannot express is found before anything is sent, and says why."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mappings.inverse import cannot_express, write
from mappings.mapping import load
from schemas.order import Order
from schemas.problem import ConfigError
from tests.mappings.both_ways import found, mapping, written


@pytest.mark.parametrize(
    ("rules", "document", "said"),
    [
        ("id: a", {"id": "1", "note": "x"}, ("note", "no rule writes it")),
        ("id: a | lower", {"id": "X"}, ("id", "no value of the source becomes this one")),
        ("id: a | prefix X-", {"id": "1"}, ("id", "no value of the source becomes this one")),
        (
            "total: a | times 3",
            {"total": "1"},
            ("total", "no value of the source becomes this one"),
        ),
        ("channel: = web", {"channel": "pos"}, ("channel", "it is always 'web' here")),
        ("channel: = web", {}, ("channel", "it is always 'web' here")),
        ("note: a | code t", {"note": "lost"}, ("note", "no code of t becomes this word")),
        ("note: a | code s", {"note": "rest"}, ("note", "no code of s becomes this word")),
        (
            "note: a | code s",
            {"note": "unknown:B"},
            ("note", "no value of the source becomes this"),
        ),
        ("note: a | code t", {"note": "unknown:NEW"}, ("note", "no value of the source becomes")),
        ("id: = {a}-{b}", {"id": "ab"}, ("id", "it is not put together as the rule does it")),
        ("id: = X{a}", {"id": "X"}, ("id", "it is not put together as the rule does it")),
        ("total: a | implied 2", {"total": "1.005"}, ("total", "a whole number was expected here")),
        ("id: a | pad 3", {"id": "7"}, ("id", "no value of the source becomes this one")),
        ("note: a", {"note": ""}, ("note", "no value of the source becomes this one")),
        ("tags: [a, b]", {"tags": ["1", "2", "3"]}, ("tags", "the source has 2 places for texts")),
        (
            "tags: a | split ,",
            {"tags": ["a,b"]},
            ("tags", "no value of the source becomes this one"),
        ),
        ("total: a", {"total": 1.5}, ("total", "a number was expected here")),
        ("test: a", {"test": "yes"}, ("test", "the document has no such value here")),
        ("placed_at: a", {"placed_at": {}, "total": {"x": 1}}, ("total", "no rule writes it")),
        ("id: a[5000]", {"id": "1"}, ("id", "no more than 1000 places of a list are filled up")),
        ("note: a or = x", {}, ("note", "it comes back though it is not there")),
    ],
)
def test_what_cannot_be_expressed_is_told(rules: str, document: Any, said: tuple[str, str]) -> None:
    ((place, reason),) = found(f"  {rules}\n", document)
    assert place == said[0]
    assert reason.startswith(said[1])


def test_a_finding_names_path_rule_and_the_shape_of_the_value() -> None:
    (finding,) = cannot_express(mapping("  id: a | lower\n"), {"id": "Ann 12"})
    assert finding.problem.line() == (
        "LP-MAP-301: no value of the source becomes this one [for id, rule f.yaml:8, value like "
        "'aaa 99'] Leave the value out, change it, or declare the field in the mapping."
    )
    assert not finding.declared


def test_a_one_way_field_is_not_written_and_is_told_as_declared() -> None:
    rules, document = "  id: a\n  note: b\n", {"id": "1", "note": "x"}
    made = mapping(rules, one_way="note")
    result = write(made, document)
    assert result.body == {"a": "1"}
    ((finding),) = result.findings
    assert finding.declared
    assert (finding.problem.target, finding.problem.detail) == ("note", "never")
    assert write(made, {"id": "1"}).findings == ()


def test_what_says_no_more_than_its_absence_needs_no_place() -> None:
    order = {"id": "1", "system": "shop", "test": False, "tags": [], "note": None, "customer": {}}
    assert written("  id: a\n", {"id": "1"}) == {"a": "1"}
    assert cannot_express(mapping("  id: a\n"), order) == ()
    assert found("  id: a\n", order | {"test": True}) == [("test", "no rule writes it")]


def test_a_model_is_written_like_its_document() -> None:
    document = {
        **dict.fromkeys(("id", "number", "channel", "payment", "fulfilment"), "x"),
        "placed_at": {"local": "2026-03-01T10:00:00"},
        "life": "open",
        "currency": "EUR",
        "total": "1.50",
    }
    made = mapping("".join(f"  {name}: {name}\n" for name in document))
    order = Order.model_validate(document | {"system": "shop"})
    assert write(made, order) == write(made, document)
    assert write(made, order).findings == ()
    assert write(made, order).body["total"] == Decimal("1.50")


def test_a_mapping_that_goes_in_only_has_no_way_back() -> None:
    made = load("mapping: a.b\nreads: json\nto: Order\nrules:\n  id: a\n", "f.yaml")
    with pytest.raises(ConfigError, match=r"LP-MAP-006: a\.b has no way back"):
        write(made, {"id": "1"})

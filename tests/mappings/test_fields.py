"""The canonical side of coverage: fields that nothing fills are told, or listed with a reason."""

from __future__ import annotations

import pytest

from mappings.coverage import Finding, idle_ignores, static
from mappings.fields import fields, stale, unset
from mappings.mapping import Mapping, load
from schemas.envelope import DOCUMENTS
from schemas.problem import ConfigError

HEADER = """
mapping: test.document
reads: json
to: {to}
rules:
"""
RULES = """
  id: id
  kind: = call
  occurred_at: at
"""


def _mapping(rules: str, to: str = "Interaction") -> Mapping:
    return load(HEADER.format(to=to) + rules, "test.yaml")


def _unset(rules: str, to: str = "Interaction") -> list[str]:
    return [str(field) for field in unset(_mapping(rules, to).spec)]


def test_every_field_that_nothing_fills_is_told_once() -> None:
    assert _unset(RULES) == [
        "direction",
        "ended_at",
        "store",
        "agent",
        "customers",
        "orders",
        "campaign",
        "subject",
        "outcome",
        "attribution",
    ]


@pytest.mark.parametrize(
    ("rules", "filled", "left"),
    [
        ("  agent: a", {"agent"}, set()),
        ("  orders: [a, b]", {"orders"}, set()),
        ("  when a: {agent: b}\n  when c: {store: d}", {"agent", "store"}, set()),
        (
            "  customers[] from a[]:\n    value: b",
            {"customers"},
            {"customers.kind", "customers.issuer"},
        ),
        (
            "  attribution from a: {landing: b}",
            {"attribution"},
            {"attribution.referrer", "attribution.campaign"},
        ),
        (
            "  attribution.landing: b\n  attribution.referrer: c\n  attribution.campaign: d",
            {"attribution"},
            set(),
        ),
        ("unset: {agent: nobody, customers: none}", {"agent", "customers"}, set()),
        (
            "  customers[] from a[]:\n    value: b\nunset: {customers.issuer: its own}",
            {"customers"},
            {"customers.kind"},
        ),
    ],
)
def test_what_is_filled_or_listed_is_told_no_more(
    rules: str, filled: set[str], left: set[str]
) -> None:
    assert set(_unset(RULES + rules)) == (set(_unset(RULES)) - filled) | left


def test_what_the_model_asks_for_is_marked() -> None:
    told = unset(_mapping("  id: id\n  lines[] from l[]: {id: id}", "Order").spec)
    needed = {str(field) for field in told if field.required}
    assert {"number", "channel", "placed_at", "life", "total", "lines.quantity"} <= needed
    assert "number" in needed
    assert not needed & {"note", "tags", "lines.discount", "customer"}


def test_of_several_kinds_of_line_every_field_counts() -> None:
    told = {str(field) for field in fields(DOCUMENTS["Transaction"])}
    assert {"lines.promotion", "lines.quantity", "lines.origin.line", "tenders.card.last4"} <= told
    assert "system" not in told


def test_an_entry_that_is_filled_after_all_is_stale() -> None:
    spec = _mapping(RULES + "  agent: a\nunset: {agent: nobody, store: none}").spec
    assert stale(spec) == ("agent",)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("agnet: x", "has no field 'agnet'; did you mean 'agent'?"),
        ("system: x", "system is set by the hub"),
        ('agent: ""', "say in words why agent stays empty"),
        ("agent: [x]", "a text was expected here"),
        ("a b: x", "is no name of a canonical field"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_line(entry: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _mapping(RULES + "unset:\n  " + entry)
    detail = caught.value.problem.detail or ""
    assert detail.startswith("line 11: ")
    assert said in detail


def test_what_is_found_says_what_to_write() -> None:
    rules = RULES + "  when a: {agent: b}\n  when a and b: {agent: c}\ncodes: {kind: {a: b}}\n"
    found = static(_mapping(rules + "unset: {id: none}"))
    assert (
        Finding(
            "unset", "store", "write the rule that fills it, or say why not: `unset: {store: ...}`"
        )
        in found
    )
    assert [(each.what, each.subject) for each in found if each.what != "unset"] == [
        ("stale", "id"),
        ("unreachable", "line 11"),
        ("idle_table", "kind"),
    ]


def test_a_required_field_cannot_be_excused() -> None:
    found = static(_mapping("  id: id"))
    needed = [each for each in found if each.required]
    assert [each.subject for each in needed] == ["kind"]
    assert "say why not" not in needed[0].next_step


def test_entries_of_ignore_that_hide_nothing_are_told() -> None:
    mapping = _mapping(RULES + "  agent: a.b\nignore: [a, c, d.e, a.b]")
    bodies = [{"a": {"b": 1}}, {"a": {"b": 2, "x": 1}, "d": {"e": {"f": 0}}}]
    assert idle_ignores(mapping, bodies) == {"c": "no document has it", "a.b": "all of it is read"}

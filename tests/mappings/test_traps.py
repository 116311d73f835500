"""Traps of real formats, each as small as it can be: what is left of the handling is seen here."""

from __future__ import annotations

from typing import Any

from mappings.mapping import load

JSON = "mapping: a.trap\nreads: json\nto: {to}\nrules:\n"


def _made(rules: str, body: Any, *, to: str = "Order") -> dict[str, Any]:
    mapping = load(JSON.format(to=to) + rules, "trap.yaml")
    document, _ = mapping.run(body)
    assert mapping.trace(body).document == document
    return document


def test_a_constant_is_replaced_by_a_later_branch_also_inside_a_list() -> None:
    rules = (
        "  customers[] from c[]:\n    value: v\n    kind: = loyalty\n"
        "    when t = e: {kind: = email}\n"
    )
    body = {"c": [{"v": "1", "t": "e"}, {"v": "2"}, {"t": "x"}]}
    assert _made(rules, body, to="Interaction")["customers"] == [
        {"value": "1", "kind": "email"},
        {"value": "2", "kind": "loyalty"},
    ]


def test_a_constant_after_a_branch_replaces_what_that_filled() -> None:
    rules = (
        "  customers[] from c[]:\n    value: v\n    when t = e: {kind: = email}\n"
        "    kind: = loyalty\n"
    )
    body = {"c": [{"v": "1", "t": "e"}]}
    made = _made(rules, body, to="Interaction")["customers"]
    assert made == [{"value": "1", "kind": "loyalty"}]

"""What each rule makes of JSON: what counts as there, lists, choices, alternatives, constants."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mappings.mapping import load
from schemas.problem import Rejected

HEAD = "mapping: shop.order\nreads: json\nto: Order\nrules:\n"


def made(rules: str, body: Any) -> dict[str, Any]:
    """The document that both forms make."""
    mapping = load(HEAD + rules, "order.yaml")
    document, _ = mapping.run(body)
    assert mapping.trace(body).document == document
    return document


@pytest.mark.parametrize("absent", [{}, {"a": None}, {"a": ""}])
def test_what_is_absent_leaves_its_target_out(absent: dict[str, Any]) -> None:
    assert made("  note: a\n  total: a\n  test: a\n  tags: a\n  placed_at: a", absent) == {}


@pytest.mark.parametrize(
    ("rule", "value", "result"),
    [
        ("test: a", False, False),
        ("test: a", 0, False),
        ("total: a", 0, Decimal(0)),
        ("total: a", "0.00", Decimal("0.00")),
        ("note: a", 0, "0"),
        ("note: a", False, "false"),
        ("note: a", " ", " "),
        ("note: a", Decimal("1.10"), "1.10"),
        ("id: a", "0012", "0012"),
        ("id: a", "04006381333931", "04006381333931"),
        ("id: a", 12345678901234567890, "12345678901234567890"),
        ("total: a", "199.00", Decimal("199.00")),
        ("total: a", Decimal("0.10"), Decimal("0.10")),
        ("tags: a", ["x", "", None, "y"], ["x", "y"]),
        ("tags: a", "x", ["x"]),
        ("tags: a | split ,", "x, y", ["x", "y"]),
    ],
)
def test_what_is_there_is_kept_exactly(rule: str, value: Any, result: Any) -> None:
    (found,) = made(f"  {rule}", {"a": value}).values()
    assert (type(found), str(found)) == (type(result), str(result))


def test_paths_go_down_and_may_end_anywhere() -> None:
    rule = "  note: a.b.c"
    assert made(rule, {"a": {"b": {"c": "x"}}}) == {"note": "x"}
    values: list[Any] = [None, "", {}, {"b": None}, {"b": {}}, {"b": {"c": ""}}]
    for a in values:
        assert made(rule, {"a": a}) == {}


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("a[0].c", "first"),
        ("a[1].c", "second"),
        ("a[9].c", None),
        ("a[k=x].c", "first"),
        ("a[k=y].c", "second"),
        ("a[k=z].c", None),
        ("a[n=1.10].c", "first"),
        ("a[f=true].c", "second"),
        ("a[f=True].c", None),
        ("a[d.e=deep].c", "second"),
        ("a[none=None].c", None),
        ("a[none=null].c", None),
        ("a[d={}].c", None),
        ("missing[0].c", None),
        ("missing[k=x].c", None),
        ("single[0].c", "alone"),
        ("single[k=x].c", "alone"),
    ],
)
def test_one_of_a_list(path: str, result: str | None) -> None:
    body: dict[str, Any] = {
        "a": [
            {"k": "x", "n": Decimal("1.10"), "f": False, "d": {}, "c": "first"},
            {"k": "y", "f": True, "d": {"e": "deep"}, "c": "second", "none": None},
        ],
        "single": {"k": "x", "c": "alone"},
    }
    assert made(f"  note: {path}", body) == ({"note": result} if result else {})


@pytest.mark.parametrize(
    ("lines", "ids"),
    [
        (None, []),
        ("", []),
        ([], []),
        ([{}], []),
        ([{"id": 1}], ["1"]),
        ({"id": 1}, ["1"]),
        ([{"id": 1}, {"other": 2}, {"id": 3}], ["1", "3"]),
        ([{"id": "01"}, {"id": None}], ["01"]),
    ],
)
def test_a_list_of_none_one_or_many(lines: Any, ids: list[str]) -> None:
    document = made("  lines[] from a[]:\n    id: id", {"a": lines})
    assert [line["id"] for line in document.get("lines", [])] == ids
    assert ("lines" in document) == bool(ids)


def test_a_list_of_plain_values() -> None:
    rules = "  customer.identifiers[] from a[]:\n    kind: = customer\n    value: ."
    document = made(rules, {"a": ["x", None, "", 0]})
    found = document["customer"]["identifiers"]
    assert [i["value"] for i in found] == ["x", "0"]
    assert made(rules, {"a": "x"})["customer"]["identifiers"][0]["value"] == "x"


def test_several_rules_fill_one_list() -> None:
    rules = (
        "  customer.identifiers[] from a[]:\n    value: .\n"
        "  number: n\n"
        "  customer.identifiers[] from b[]:\n    value: id\n"
    )
    document = made(rules, {"a": [1, 2], "n": "7", "b": [{"id": 3}]})
    assert [i["value"] for i in document["customer"]["identifiers"]] == ["1", "2", "3"]
    assert made(rules, {"n": "7"}) == {"number": "7"}


def test_lists_inside_lists() -> None:
    rules = (
        "  lines[] from a[]:\n    id: id\n    taxes[] from t[]:\n      name: n\n      amount: /v"
    )
    body: dict[str, Any] = {
        "a": [{"id": 1, "t": [{"n": "x"}, {"n": "y"}]}, {"id": 2}, {"t": [{"n": "z"}]}],
        "v": "5",
    }
    assert made(rules, body)["lines"] == [
        {"id": "1", "taxes": [{"name": n, "amount": Decimal(5)} for n in "xy"]},
        {"id": "2"},
        {"taxes": [{"name": "z", "amount": Decimal(5)}]},
    ]


def test_lists_of_lists_become_one() -> None:
    rules = "  lines[] from a.b[].c[].d[]:\n    id: .\n    description: /x.y"
    body = {"a": {"b": [{"c": {"d": [1, 2]}}, {}, {"c": [{"d": 3}, {"d": []}]}]}, "x": {"y": "z"}}
    assert [line["id"] for line in made(rules, body)["lines"]] == ["1", "2", "3"]
    assert {line["description"] for line in made(rules, body)["lines"]} == {"z"}
    assert made(rules, {"x": {"y": "z"}}) == {}


def test_a_list_from_the_top_inside_another() -> None:
    rules = "  lines[] from a[]:\n    id: id\n    taxes[] from /t[]:\n      name: n"
    document = made(rules, {"a": [{"id": 1}, {"id": 2}], "t": [{"n": "x"}]})
    assert [line["taxes"] for line in document["lines"]] == [[{"name": "x"}]] * 2


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("q", "123"),
        ("not q", "4"),
        ("q > 0", "13"),
        ("q < 0", "2"),
        ("q < -0.5 and id", "2"),
        ("k = x", "1"),
        ("k = x, y", "12"),
        ("k != x", "234"),
        ("k != x and q", "23"),
        ("f = true", "3"),
        ("q = 1.50", "1"),
        ("/top = t", "1234"),
        ("/top = u", ""),
        ("d.e = z", "4"),
    ],
)
def test_conditions(where: str, ids: str) -> None:
    body = {
        "top": "t",
        "a": [
            {"id": 1, "q": Decimal("1.50"), "k": "x"},
            {"id": 2, "q": "-1", "k": "y"},
            {"id": 3, "q": 1, "k": "", "f": True},
            {"id": 4, "d": {"e": "z"}},
        ],
    }
    rules = f"  lines[] from a[] where {where}:\n    id: id"
    assert "".join(line["id"] for line in made(rules, body).get("lines", [])) == ids
    rules = f"  lines[] from a[]:\n    when {where}:\n      id: id\n    otherwise: skip"
    assert "".join(line["id"] for line in made(rules, body).get("lines", [])) == ids


def test_the_first_branch_that_holds_is_taken() -> None:
    rules = (
        "  when a:\n    life: = cancelled\n  when b:\n    life: = closed\n"
        "  otherwise:\n    life: = open\n  number: n\n  when c:\n    note: = seen\n"
    )
    assert made(rules, {"a": 1, "b": 1}) == {"life": "cancelled"}
    assert made(rules, {"b": False}) == {"life": "closed"}
    assert made(rules, {"a": None, "n": 1}) == {"life": "open", "number": "1"}
    assert made(rules, {"a": "", "c": 0}) == {"life": "open", "note": "seen"}


def test_a_branch_may_say_again_what_stands_before() -> None:
    rules = "  note: a\n  when b = x:\n    note: = special\n"
    assert made(rules, {"a": "plain", "b": "x"}) == {"note": "special"}
    assert made(rules, {"a": "plain"}) == {"note": "plain"}


def test_branches_inside_branches_and_lists_inside_branches() -> None:
    rules = (
        "  lines[] from a[]:\n    when k = s:\n      id: id\n"
        "      taxes[] from t[]:\n        name: n\n"
        "      when f: skip\n      otherwise:\n        description: = sold\n"
        "    when k = r:\n      description: = back\n    quantity: q\n"
    )
    body = {
        "a": [
            {"k": "s", "id": 1, "t": [{"n": "x"}], "q": 1},
            {"k": "s", "id": 2, "f": 1, "q": 1},
            {"k": "r", "id": 3, "t": [{"n": "y"}], "q": -1},
            {"id": 4, "q": 2},
        ]
    }
    assert made(rules, body)["lines"] == [
        {"id": "1", "taxes": [{"name": "x"}], "description": "sold", "quantity": Decimal(1)},
        {"description": "back", "quantity": Decimal(-1)},
        {"quantity": Decimal(2)},
    ]


def test_skip_leaves_out_the_whole_element_from_wherever_it_is_said() -> None:
    rules = (
        "  fulfilments[] from a[]:\n    id: id\n    lines[] from l[]:\n      line: n\n"
        "      when x: skip\n    created_at: at\n    when y: skip\n"
    )
    body = {"a": [{"id": 1, "l": [{"n": 1, "x": 1}, {"n": 2}]}, {"id": 2, "y": 0}]}
    assert made(rules, body) == {"fulfilments": [{"id": "1", "lines": [{"line": "2"}]}]}


def test_alternatives_are_tried_in_order() -> None:
    rule = "  note: a or b.c or = none | upper"
    assert made(rule, {"a": "x", "b": {"c": "y"}}) == {"note": "X"}
    assert made(rule, {"a": "", "b": {"c": "y"}}) == {"note": "Y"}
    assert made(rule, {"a": None, "b": {}}) == {"note": "NONE"}
    assert made("  test: a or b", {"a": False, "b": True}) == {"test": False}
    assert made("  total: a or b", {"a": 0, "b": 1}) == {"total": 0}
    assert made("  note: a or b", {}) == {}


def test_a_constant_stands_only_beside_something_else() -> None:
    rules = (
        "  channel: = web\n"
        "  lines[] from a[]:\n    gift_card: = no\n    id: id\n"
        "  bill_to from b:\n    country: = AT\n    name: n\n"
    )
    assert made(rules, {"a": [{"id": 1}, {"x": 2}], "b": {"x": 1}}) == {
        "channel": "web",
        "lines": [{"id": "1", "gift_card": False}],
    }
    assert made(rules, {"b": {"n": "y"}})["bill_to"] == {"name": "y", "country": "AT"}


def test_constants_alone_say_that_there_was_an_element() -> None:
    rules = "  lines[] from a[]:\n    description: = one\n"
    assert made(rules, {"a": [{}, {"x": 1}]})["lines"] == [{"description": "one"}] * 2


def test_a_constant_fits_the_kind_of_its_target() -> None:
    rules = "  id: = 007\n  total: = 1.50\n  test: = no\n  tags: = a\n"
    rules += "  placed_at: = 2026-03-01T10:00:00Z\n"
    assert made(rules, {}) == {
        "id": "007",
        "total": Decimal("1.50"),
        "test": False,
        "placed_at": {
            "local": "2026-03-01T10:00:00",
            "offset": "+00:00",
            "utc": "2026-03-01T10:00:00Z",
            "zone_origin": "source",
        },
        "tags": ["a"],
    }


@pytest.mark.parametrize(
    "absent", [{}, {"a": None}, {"a": {}}, {"a": {"x": 1}}, {"a": ""}, {"a": []}]
)
def test_an_object_from_an_object_that_says_nothing(absent: dict[str, Any]) -> None:
    assert made("  bill_to from a:\n    city: c\n", absent) == {}


def test_an_object_from_an_object() -> None:
    rules = (
        "  bill_to from a.b:\n    city: c\n    name: /n\n"
        "  customer from .:\n    email: e\n  customer.phone: p\n"
    )
    body = {"a": {"b": {"c": "Linz"}}, "n": "x", "e": "e@example.org", "p": "1"}
    assert made(rules, body) == {
        "bill_to": {"city": "Linz", "name": "x"},
        "customer": {"email": "e@example.org", "phone": "1"},
    }


def test_gathering() -> None:
    rule = "  bill_to.lines: [a, b or c, d | trim, '= end']"
    assert made(rule, {"a": "1", "c": 2, "d": " "})["bill_to"]["lines"] == ["1", "2", "end"]
    assert made("  tags: [a, b]", {"a": None, "b": ""}) == {}


def test_code_tables() -> None:
    text = (
        HEAD
        + "  payment: p | lower | code pay\n  fulfilment: f | code any\n"
        + "codes:\n  pay: {1: one, true: yes, paid: paid, none: ''}\n  any: {a: b, '*': other}\n"
    )
    mapping = load(text, "order.yaml")

    def run(body: Any) -> dict[str, Any]:
        document, flags = mapping.run(body)
        assert flags == ()
        return document

    assert run({"p": "PAID", "f": "a"}) == {"payment": "paid", "fulfilment": "b"}
    assert run({"p": 1, "f": "z"}) == {"payment": "one", "fulfilment": "other"}
    assert run({"p": True}) == {"payment": "yes"}
    assert run({"p": "none"}) == {}


def test_a_code_without_entry_is_kept_and_flagged() -> None:
    rules = "  lines[] from a[]:\n    fulfilment_status: s | code c\n    when x: skip\n"
    mapping = load(HEAD + rules + "codes:\n  c: {a: b}\n", "order.yaml")
    body = {"a": [{"s": "a"}, {"s": "Ann-Marie 4"}, {"s": "skipped", "x": 1}, {"s": "x" * 300}]}
    document, flags = mapping.run(body)
    found = [line["fulfilment_status"] for line in document["lines"]]
    assert found == ["b", "unknown:Ann-Marie 4", "unknown:" + "x" * 100]
    assert [(flag.code, flag.path) for flag in flags] == [
        ("LP-MAP-201", "lines[1].fulfilment_status"),
        ("LP-MAP-201", "lines[2].fulfilment_status"),
    ]
    assert "aaa-aaaaa 9" in flags[0].detail
    assert "Ann" not in flags[0].detail


@pytest.mark.parametrize(
    ("rules", "body"),
    [
        ("  note: a", {"a": {"b": 1}}),
        ("  note: a", {"a": []}),
        ("  note: a.b", {"a": "text"}),
        ("  note: a.b", {"a": [{"b": 1}]}),
        ("  note: a[0].b", {"a": ["text"]}),
        ("  note: a | code c", {"a": {}}),
        ("  tags: a", {"a": {}}),
        ("  lines[] from a[]:\n    id: b", {"a": ["text"]}),
        ("  lines[] from a[]:\n    id: b", {"a": [None]}),
        ("  lines[] from a[].b[]:\n    id: c", {"a": [7]}),
        ("  bill_to from a:\n    city: b", {"a": [1]}),
        ("  bill_to from a:\n    city: b", {"a": "text"}),
        ("  when a < 1:\n    note: b", {"a": "much"}),
        ("  when a = 1:\n    note: b", {"a": [1]}),
        ("  total: a", {"a": "1,5"}),
        ("  total: a | negate", {"a": True}),
        ("  note: a", ["a"]),
        ("  note: a", "a"),
        ("  note: a", None),
    ],
)
def test_another_structure_is_rejected(rules: str, body: Any) -> None:
    mapping = load(HEAD + rules + "\ncodes:\n  c: {a: b}\n", "order.yaml")
    for run in (mapping.run, mapping.trace):
        with pytest.raises(Rejected) as caught:
            run(body)
        assert caught.value.problem.code == "LP-MAP-101"
        assert caught.value.problem.rule is not None


def test_a_document_is_never_changed() -> None:
    body = {"a": {"b": ["x", "y"]}, "n": "1"}
    mapping = load(HEAD + "  tags: a.b\n  number: n\n  bill_to from a:\n    lines: b", "f")
    document, _ = mapping.run(body)
    document["tags"].append("z")
    document["bill_to"]["lines"].clear()
    assert body == {"a": {"b": ["x", "y"]}, "n": "1"}
    assert mapping.run(body)[0]["tags"] == ["x", "y"]

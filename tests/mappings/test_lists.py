"""Lists are sorted, grouped, told apart and cut as the rule says, in both forms and formats."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from mappings import inverse
from mappings.coverage import unread
from mappings.direction import fields
from mappings.mapping import Mapping, load
from schemas.problem import ConfigError, Rejected

Elements = list[dict[str, str]]


def mapping(rules: str, reads: str = "json") -> Mapping:
    return load(f"mapping: a.b\nreads: {reads}\nto: Order\nrules:\n{rules}", "lists.yaml")


def made(key: str, elements: Any, inner: str = "id: id") -> list[dict[str, Any]]:
    """What the fast form makes of a list, the traced form and XML agreeing with it."""
    rules = f"  lines[] from {key}:\n    {inner}"
    body = {"items": elements}
    found, traced = mapping(rules).run(body)[0], mapping(rules).trace(body)
    assert traced.document == found
    if isinstance(elements, list):
        root = etree.Element("r")
        for element in elements:
            child = etree.SubElement(root, "items")
            for name, value in element.items():
                etree.SubElement(child, name).text = value
        xml = mapping(rules, "xml")
        assert xml.run(root)[0] == found
        assert xml.trace(root).document == found
    lines: list[dict[str, Any]] = found.get("lines", [])
    for number, line in enumerate(lines):
        origin = traced.origins[f"lines[{number}].id"]
        assert origin.value == line["id"]
        assert value_at(body, origin.source) == line["id"]
    return lines


def value_at(body: Any, path: str) -> Any:
    for part in path.replace("]", "").replace("[", ".").split("."):
        body = body[int(part)] if isinstance(body, list) else body[part]
    return body


def ids(key: str, elements: Any) -> str:
    return "".join(line["id"] for line in made(key, elements))


CUPS: Elements = [
    {"id": "a", "n": "10", "k": "x"},
    {"id": "b", "n": "9", "k": "y"},
    {"id": "c", "k": "x"},
    {"id": "d", "n": "9.0", "k": "y"},
    {"id": "e", "n": "-1"},
    {"id": "f"},
]


@pytest.mark.parametrize(
    ("clauses", "expected"),
    [
        ("sort by n", "eabdcf"),
        ("sort by n as number", "ebdacf"),
        ("sort by n as number descending", "abdecf"),
        ("sort by n descending", "dbaecf"),
        ("sort by k, n as number descending", "acbdef"),
        ("distinct by k", "abef"),
        ("distinct by n", "abcdef"),
        ("distinct by n as number", "abcef"),
        ("distinct by k, n", "abcdef"),
        ("take first", "a"),
        ("take last", "f"),
        ("sort by n as number take last", "f"),
        ("where n > 0 sort by n as number take last", "a"),
        ("where n > 99 take first", ""),
        ("group by k", "abe"),
        ("group by k sort by n as number take first", "e"),
        ("where k = y distinct by n as number sort by id descending", "b"),
    ],
)
def test_elements_are_arranged_as_the_rule_says(clauses: str, expected: str) -> None:
    assert ids(f"items[] {clauses}", CUPS) == expected


@pytest.mark.parametrize("clauses", ["sort by n", "group by n", "distinct by n", "take first"])
def test_one_alone_is_a_list_of_one_and_none_is_none(clauses: str) -> None:
    assert ids(f"items[] {clauses}", {"id": "a", "n": "1"}) == "a"
    assert ids(f"items[] {clauses}", [{"id": "a", "n": "1"}]) == "a"
    empty: list[Any] = [None, "", []]
    for nothing in empty:
        assert made(f"items[] {clauses}", nothing) == []
    assert mapping(f"  lines[] from items[] {clauses}:\n    id: id").run({})[0] == {}


_keys = st.sampled_from(["", "1", "1.0", "2", "-3", "10"])
_elements = st.lists(
    st.tuples(_keys, _keys).map(lambda each: {"n": each[0], "k": each[1]}), max_size=9
).map(lambda found: [{"id": f"i{index}", **each} for index, each in enumerate(found)])


def _order(text: str, *, number: bool, descending: bool) -> tuple[bool, Any]:
    return bool(text) != descending, Decimal(text or 0) if number else text


@given(elements=_elements, number=st.booleans(), descending=st.booleans())
def test_any_list_is_sorted_stable_with_what_is_absent_last(
    *, elements: Elements, number: bool, descending: bool
) -> None:
    words = f"{' as number' if number else ''}{' descending' if descending else ''}"
    expected = sorted(
        (each for each in elements if each["n"]),
        key=lambda each: _order(each["n"], number=number, descending=descending)[1],
        reverse=descending,
    ) + [each for each in elements if not each["n"]]
    assert ids(f"items[] sort by n{words}", elements) == "".join(e["id"] for e in expected)


@given(elements=_elements, number=st.booleans())
def test_any_list_is_grouped_in_the_order_of_first_appearance(
    *, elements: Elements, number: bool
) -> None:
    read: Callable[[str], Any] = Decimal if number else str
    groups: dict[Any, list[str]] = {}
    for each in elements:
        groups.setdefault(read(each["k"]) if each["k"] else None, []).append(each["id"])
    key = f"items[] group by k{' as number' if number else ''}"
    inner = "id: id\n    item[] from .[]:\n      value: id"
    found = [[item["value"] for item in line["item"]] for line in made(key, elements, inner)]
    assert found == list(groups.values())


def test_inside_a_group_each_value_names_the_element_that_it_came_from() -> None:
    rules = (
        "  lines[] from orders[].items[] where n > 0 group by k sort by n as number descending:\n"
        "    id: k\n"
        "    item[] from .[] where id:\n      value: id\n"
        "    taxes[] from .[].taxes[]:\n      amount: .\n"
    )
    body = {
        "orders": [
            {"items": [{"k": "x", "n": 1, "id": "a", "taxes": ["1.10"]}, {"k": "y", "n": 2}]},
            {"items": {"k": "x", "n": 3, "id": "b", "taxes": ["2", "3"]}},
        ]
    }
    trace = mapping(rules).trace(body)
    assert trace.document == mapping(rules).run(body)[0]
    assert {target: origin.source for target, origin in trace.origins.items()} == {
        "lines[0].id": "orders[0].items[1].k",
        "lines[1].id": "orders[0].items[0].k",
        "lines[1].item[0].value": "orders[0].items[0].id",
        "lines[1].item[1].value": "orders[1].items.id",
        "lines[1].taxes[0].amount": "orders[0].items[0].taxes[0]",
        "lines[1].taxes[1].amount": "orders[1].items.taxes[0]",
        "lines[1].taxes[2].amount": "orders[1].items.taxes[1]",
    }
    assert unread(mapping(rules), {**body, "other": 1}) == ("other",)


def test_skip_and_branches_go_with_arranged_lists() -> None:
    rules = (
        "  lines[] from items[] sort by id descending group by k:\n    id: id\n".replace(
            " sort by id descending group by k", " group by k sort by id descending"
        )
        + "    when n < 0: skip\n    when k = x:\n      item[] from .[]:\n        value: id\n"
    )
    found = mapping(rules).run({"items": CUPS})[0]["lines"]
    assert found == [
        {"id": "b"},
        {"id": "a", "item": [{"value": "a"}, {"value": "c"}]},
    ]
    trace = mapping(rules).trace({"items": CUPS})
    assert [target for target in trace.origins if target.endswith(".id")] == [
        "lines[0].id", "lines[1].id",
    ]  # fmt: skip


def test_a_key_that_is_no_number_holds_the_message_at_its_place() -> None:
    rules = mapping("  lines[] from items[] sort by n as number:\n    id: id")
    with pytest.raises(Rejected) as caught:
        rules.run({"items": [{"id": 1, "n": "1"}, {"id": 2, "n": "Ann 1"}]})
    problem = caught.value.problem
    assert (problem.path, problem.rule, problem.value) == ("items[1].n", "lists.yaml:5", "aaa 9")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("lines[] from a[] sort by: {id: b}", "is no step of a path"),
        ("lines[] from a[] sort by n downwards: {id: b}", "`as number` or `descending`"),
        ("lines[] from a[] group by n descending: {id: b}", "`descending` says how to sort"),
        ("lines[] from a[] sort by a, b, c, d, e: {id: b}", "more than 4 keys"),
        ("lines[] from a[] sort by b[].c: {id: b}", "stands for many"),
        ("lines[] from a[] sort by '@b': {id: b}", "path"),
        ("lines[] from .[]: {id: b}", "`.[]` stands for the elements of a group"),
        ("lines[] from .[].a: {id: b}", "must end in []"),
    ],
)
def test_what_cannot_be_meant_is_told(rule: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        mapping(f"  {rule}")
    assert said in (caught.value.problem.detail or "")
    assert caught.value.problem.rule == "lists.yaml:5"


def test_a_condition_may_end_in_the_words_of_a_clause() -> None:
    rules = mapping("  lines[] from items[] where k = take away, last:\n    id: id")
    source = {"items": [{"id": 1, "k": "take away"}, {"id": 2, "k": "last"}, {"id": 3, "k": "x"}]}
    assert [line["id"] for line in rules.run(source)[0]["lines"]] == ["1", "2"]


def test_what_was_put_together_is_declared_and_not_written_back() -> None:
    head = "mapping: a.b\nreads: json\nto: Order\ndirection: both\n"
    rules = (
        "rules:\n  id: id\n  lines[] from items[] group by k:\n    id: id\n"
        "    item[] from .[]:\n      value: id\n"
    )
    with pytest.raises(ConfigError, match="put together are not kept"):
        load(f"{head}{rules}", "lists.yaml")
    declared = load(f"{head}one_way: {{lines: sums of the day}}\n{rules}", "lists.yaml")
    document = {"id": "7", "lines": [{"id": "1", "item": [{"value": "1"}]}]}
    assert inverse.write(declared, document).body == {"id": "7"}


def test_an_arranged_list_says_that_it_has_no_way_back() -> None:
    def way(clauses: str) -> str:
        found = fields(mapping(f"  lines[] from items[]{clauses}:\n    id: id").spec)
        return next(each.way for each in found if each.target == ("lines",))

    assert way("") == "two-way"
    assert way(" sort by n") == "lossy"
    for clauses in (" distinct by n", " group by n", " take last"):
        assert way(clauses) == "one-way"


def total(expression: str, body: Any, reads: str = "json") -> tuple[Any, str | None]:
    """The note that an expression makes, the same in both forms, and where it is from."""
    rules = mapping(f"  note: {expression}", reads)
    found, trace = rules.run(body)[0], rules.trace(body)
    assert trace.document == found
    origin = trace.origins.get("note")
    return found.get("note"), origin.source if origin else None


@pytest.mark.parametrize(
    ("expression", "value", "source"),
    [
        ("sum of a[].n", "0.300", "a[0].n + a[2].n"),
        ("sum of a[].n | negate", "-0.300", "a[0].n + a[2].n"),
        ("count of a[]", "3", "a[0] + a[1] + a[2]"),
        ("count of a[].n", "2", "a[0].n + a[2].n"),
        ("sum of one[].n", "7", "one.n"),
        ("count of one[]", "1", "one"),
        ("sum of b[]", "15", "b[0] + b[1] + b[2] + 2 more"),
        ("sum of /a[].x.y", "5", "a[1].x.y"),
        ("sum of a[].c[].d", "6", "a[0].c[0].d + a[0].c[1].d + a[2].c.d"),
        ("sum of none[].n", None, None),
        ("count of none[]", "0", "none[]"),
        ("count of null[]", "0", "null[]"),
        ("sum of none[].n or b[1]", "2", "b[1]"),
        ("zero or sum of a[].n", "0.300", "a[0].n + a[2].n"),
    ],
)
def test_totals_are_exact_and_name_what_they_are_made_of(
    expression: str, value: str | None, source: str | None
) -> None:
    body = {
        "a": [
            {"n": "0.1", "c": [{"d": 1}, {"d": 2}]},
            {"n": "", "x": {"y": 5}},
            {"n": "0.200", "c": {"d": "3"}},
        ],
        "one": {"n": 7},
        "b": [1, 2, 3, 4, 5],
        "null": None,
    }
    assert total(expression, body) == (value, source)


def test_totals_read_xml() -> None:
    root = etree.fromstring(
        '<r><a n="1"><b>2.50</b></a><a><b> 0.5 </b><b/></a><c><a><b>9</b></a></c></r>'
    )
    assert total("sum of a[].b[]", root, "xml") == ("3.00", "a[0].b[0] + a[1].b[0]")
    assert total("count of a[].b[]", root, "xml")[0] == "3"
    assert total("count of a[].@n", root, "xml") == ("1", "a[0].@n")
    assert total("sum of c.a[].b", root, "xml") == ("9", "c.a[0].b")
    assert total("count of d[]", root, "xml") == ("0", "d[]")


def test_taxes_are_summed_by_rate() -> None:
    rules = mapping(
        "  taxes[] from items[].taxes[] group by rate as number sort by rate as number:\n"
        "    rate: rate\n    amount: sum of .[].amount\n    name: = {count of .[]} lines\n"
    )
    body = {
        "items": [
            {"taxes": [{"rate": "20", "amount": "0.10"}, {"rate": 10, "amount": "1"}]},
            {"taxes": {"rate": "20.0", "amount": "0.20"}},
        ]
    }
    trace = rules.trace(body)
    assert rules.run(body)[0] == trace.document
    assert trace.document["taxes"] == [
        {"rate": Decimal(10), "amount": Decimal(1), "name": "1 lines"},
        {"rate": Decimal(20), "amount": Decimal("0.30"), "name": "2 lines"},
    ]
    amount = trace.origins["taxes[1].amount"]
    assert amount.source == "items[0].taxes[0].amount + items[1].taxes.amount"
    assert unread(rules, body) == ()


@given(elements=_elements)
def test_any_sum_is_that_of_decimals(elements: Elements) -> None:
    numbers = [Decimal(each["n"]) for each in elements if each["n"]]
    rules = mapping("  total: sum of items[].n\n  note: count of items[].n")
    document = rules.run({"items": elements})[0]
    assert document == rules.trace({"items": elements}).document
    assert document.get("total") == (sum(numbers) if numbers else None)
    assert document["note"] == str(len(numbers))


def test_what_cannot_be_summed_is_told_at_its_place() -> None:
    rules = mapping("  total: sum of items[].n")
    with pytest.raises(Rejected) as caught:
        rules.run({"items": [{"n": "1"}, {"n": "Ann"}]})
    problem = caught.value.problem
    assert (problem.path, problem.target, problem.value) == ("items[1].n", "total", "aaa")
    with pytest.raises(Rejected, match="the sum has more digits than a number may have"):
        rules.run({"items": [{"n": "9" * 39}, {"n": "0.01"}]})


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("note: sum of a.b", "'a.b' is no list: write [] behind"),
        ("note: count of", "no step of a path"),
        ("note: sum of .[].b", "`.[]` stands for the elements of a group"),
        ("note: sum of a[].b[].c[].d[].e[]", "more than 4 lists"),
        ("tags: ['count of .[]']", "`.[]` stands for the elements of a group"),
    ],
)
def test_totals_that_cannot_be_meant_are_told(rule: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        mapping(f"  {rule}")
    assert said in (caught.value.problem.detail or "")


def test_a_total_has_no_way_back() -> None:
    (found,) = fields(mapping("  note: count of a[]").spec)
    assert (found.way, found.why) == ("one-way", "count of a[] does not say what each of them was")

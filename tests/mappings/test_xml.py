"""What each rule makes of XML: elements, attributes, prefixes, lists and what counts as there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from mappings.mapping import load
from schemas.problem import Rejected

HEAD = "mapping: till.sale\nreads: xml\nto: Transaction\nrules:\n"


def element(inside: str) -> Any:
    # Connectors give vendors' names a short prefix in place of the address.
    return etree.fromstring(f'<T xmlns:acs="acs" xmlns:raw="raw" top="t" acs:top="v">{inside}</T>')


def made(rules: str, inside: str) -> dict[str, Any]:
    """The document that both forms make."""
    mapping = load(HEAD + rules, "sale.yaml")
    document, _ = mapping.run(element(inside))
    assert mapping.trace(element(inside)).document == document
    return document


@pytest.mark.parametrize(
    "absent",
    ["", "<a/>", "<a></a>", "<a> \n </a>", "<a><b>x</b></a>", "<A>x</A>", "<acs:a>x</acs:a>"],
)
def test_what_is_absent_leaves_its_target_out(absent: str) -> None:
    rules = "  note: a\n  total: a\n  training: a\n  business_date: a\n  occurred_at: a\n"
    assert made(rules, absent) == {}


@pytest.mark.parametrize(
    ("rule", "text", "result"),
    [
        ("sequence: a", "0042", "0042"),
        ("sequence: a", "\n  0042\t", "0042"),
        ("sequence: a", "04006381333931", "04006381333931"),
        ("note: a", "0", "0"),
        ("note: a", "false", "false"),
        ("note: a", "a &amp; <![CDATA[<b>]]> &#228;", "a & <b> ä"),
        ("training: a", "false", False),
        ("training: a", "0", False),
        ("total: a", "0", Decimal(0)),
        ("total: a", "-12.50", Decimal("-12.50")),
        ("business_date: a", "2026-03-01Z", "2026-03-01"),
    ],
)
def test_what_is_there_is_kept_exactly(rule: str, text: str, result: Any) -> None:
    (found,) = made(f"  {rule}", f"<a>{text}</a>").values()
    assert (type(found), str(found)) == (type(result), str(result))


def test_attributes_are_not_children() -> None:
    inside = '<a x="1" acs:x="2"><x>3</x><acs:x>4</acs:x><raw:x>5</raw:x></a>'
    rules = (
        "  store: a.@x\n  workstation: a.@acs:x\n  sequence: a.x\n  receipt: a.acs:x\n"
        "  operator: a.raw:x\n  note: .@top\n  native_id: '@acs:top'\n"
    )
    assert made(rules, inside) == {
        "store": "1",
        "workstation": "2",
        "sequence": "3",
        "receipt": "4",
        "operator": "5",
        "note": "t",
        "native_id": "v",
    }
    assert made("  note: a.@y\n  store: b.@x", inside) == {}
    assert made("  note: a.@x", '<a x=""/>') == {}


def test_the_first_of_several_is_taken() -> None:
    inside = "<a>1</a><a>2</a><b/><b>3</b>"
    assert made("  note: a\n  store: b", inside) == {"note": "1"}


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("a[0]", "1"),
        ("a[1]", "2"),
        ("a[5]", None),
        ("a[@k=x]", "1"),
        ("a[@k=y]", "2"),
        ("a[@k=z]", None),
        ("a[@acs:k=v].@k", "y"),
        ("b[c=two].d", "second"),
        ("b[c.@k=q].d", "second"),
        ("b[c.e=deep].d", "first"),
        ("b[acs:c=one].d", "second"),
        ("b[none=x].d", None),
        ("none[0].d", None),
        ("none[k=x].d", None),
    ],
)
def test_one_of_several(path: str, result: str | None) -> None:
    inside = (
        '<a k="x">1</a><a k="y" acs:k="v">2</a>'
        "<b><c>one<e> deep </e></c><d>first</d></b>"
        '<b><c k="q"> two </c><acs:c>one</acs:c><d>second</d></b>'
    )
    assert made(f"  note: {path}", inside) == ({"note": result} if result else {})


@pytest.mark.parametrize(
    ("inside", "numbers"),
    [
        ("", []),
        ("<a/>", []),
        ("<a><l/></a>", []),
        ("<a><l><n>01</n></l></a>", ["01"]),
        ("<a><l><n>1</n></l><m><n>2</n></m><l><n/></l><l><n>3</n></l></a>", ["1", "3"]),
        ("<a><l><n>1</n></l></a><a><l><n>2</n></l></a>", ["1"]),
    ],
)
def test_a_list_of_none_one_or_many(inside: str, numbers: list[str]) -> None:
    document = made("  tenders[] from a.l[]:\n    number: n", inside)
    assert [tender["number"] for tender in document.get("tenders", [])] == numbers
    assert ("tenders" in document) == bool(numbers)


def test_a_list_read_by_several_rules() -> None:
    rules = (
        "  lines[] from a.l[]:\n    when t: skip\n    number: n\n"
        "  tenders[] from a.l[] where t:\n    number: n\n    code: t.@c\n"
        "  customers[] from a.l[].c[]:\n    kind: = loyalty\n    value: . | nothing_if_zero\n"
        "  customers[] from a.l[].c[].d[]:\n    kind: = card\n    value: .@no\n"
    )
    inside = (
        '<a><l><n>1</n><c>77</c><c>000</c></l><l><n>2</n><t c="01"/></l>'
        '<l><n>3</n><c>78<d no="9"/></c></l></a>'
    )
    document = made(rules, inside)
    assert [line["number"] for line in document["lines"]] == ["1", "3"]
    assert document["tenders"] == [{"number": "2", "code": "01"}]
    assert [(c["kind"], c["value"]) for c in document["customers"]] == [
        ("loyalty", "77"),
        ("loyalty", "78"),
        ("card", "9"),
    ]


def test_from_the_top_inside_lists_and_objects() -> None:
    rules = (
        "  links[] from a[]:\n    to.store: /s\n    to.sequence: q\n    reason: /.@top\n"
        "  lines[] from a[]:\n    number: q\n    item[] from /i[]:\n      value: .\n"
    )
    document = made(rules, "<s>9</s><i>x</i><i>y</i><a><q>1</q></a>")
    assert document["links"] == [{"to": {"store": "9", "sequence": "1"}, "reason": "t"}]
    assert document["lines"] == [{"number": "1", "item": [{"value": "x"}, {"value": "y"}]}]


def test_an_element_is_there_even_if_it_is_empty() -> None:
    rules = "  when a:\n    note: = there\n  otherwise:\n    note: = gone\n"
    assert made(rules, "<a/>") == {"note": "there"}
    assert made(rules, "<b/>") == {"note": "gone"}
    assert made(rules.replace("a:", "a.@x:", 1), '<a x=""/>') == {"note": "gone"}
    not_x = rules.replace("when a:", "when a != x:")
    assert made(not_x, "<a/>") == made(not_x, "") == {"note": "there"}
    assert made(not_x, "<a>x</a>") == {"note": "gone"}


def test_conditions() -> None:
    rules = (
        "  when .@top = s, t and a.q < 0 and not b:\n    note: = return\n"
        "  when a.q > 0.5:\n    note: = sale\n  otherwise:\n    note: = nothing\n"
    )
    assert made(rules, "<a><q>-1</q></a>") == {"note": "return"}
    assert made(rules, "<a><q>-1</q></a><b/>") == {"note": "nothing"}
    assert made(rules, "<a><q> 1.0 </q></a>") == {"note": "sale"}
    assert made(rules, "") == {"note": "nothing"}


def test_an_object_from_an_element() -> None:
    rules = (
        "  lines[] from l[]:\n    number: n\n"
        "    origin from o.link:\n      store: s\n      sequence: q.@n\n"
    )
    inside = '<l><n>1</n><o><link><s>9</s><q n="7"/></link></o></l><l><n>2</n><o><link/></o></l>'
    assert made(rules, inside)["lines"] == [
        {"number": "1", "origin": {"store": "9", "sequence": "7"}},
        {"number": "2"},
    ]


def test_alternatives_gathering_and_codes() -> None:
    text = (
        HEAD
        + "  sequence: a or b.@c or = none\n  status: s | code status\n"
        + "  lines[] from l[]:\n    kind: = discount\n    number: n\n"
        + "    applies_to: [x, y | trim]\n"
        + "codes:\n  status: {Done: completed, Off: cancelled}\n"
    )
    mapping = load(text, "sale.yaml")
    document, flags = mapping.run(
        element('<a/><b c="7"/><s>Done</s><l><n>1</n><x>p</x><y>q</y></l>')
    )
    assert document == {
        "sequence": "7",
        "status": "completed",
        "lines": [{"kind": "discount", "applies_to": ["p", "q"], "number": "1"}],
    }
    assert flags == ()
    assert mapping.run(element("<s>Gone</s>"))[0] == {"sequence": "none", "status": "unknown:Gone"}


def test_comments_and_instructions_are_no_children() -> None:
    inside = "<!-- a --><?a b?><a>x</a><l><!-- n --><n>1</n></l>"
    rules = "  note: a\n  tenders[] from l[]:\n    number: n"
    assert made(rules, inside) == {"note": "x", "tenders": [{"number": "1"}]}


def test_a_value_that_does_not_fit_is_rejected_with_its_place() -> None:
    mapping = load(HEAD + "  lines[] from l[]:\n    amount: p.@a", "sale.yaml")
    with pytest.raises(Rejected) as caught:
        mapping.run(element('<l><p a="1"/></l><l><p a="Ann 7"/></l>'))
    found = caught.value.problem
    assert (found.path, found.target) == ("l[1].p.@a", "lines[1].amount")
    assert (found.rule, found.value) == ("sale.yaml:6", "aaa 9")


def test_reading_leaves_the_tree_alone() -> None:
    tree = element('<a x="1"> y </a>')
    before = etree.tostring(tree)
    load(HEAD + "  note: a\n  store: a.@x", "sale.yaml").run(tree)
    assert etree.tostring(tree) == before

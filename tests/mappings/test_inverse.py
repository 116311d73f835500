"""The way back: what each part of the language writes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from mappings.inverse import Written, cannot_express, write
from tests.mappings.both_ways import found, mapping, written


@pytest.mark.parametrize(
    ("rules", "document", "source"),
    [
        ("id: a.b", {"id": "007"}, {"a": {"b": "007"}}),
        ("id: a or b", {"id": "1"}, {"a": "1"}),
        ("note: a or = none", {"note": "none"}, {}),
        ("note: a or = none", {"note": "x"}, {"a": "x"}),
        ("channel: = web", {"channel": "web"}, {}),
        ("note: a | code t", {"note": "new"}, {"a": "NEW"}),
        ("note: a | code t", {"note": "old"}, {"a": "OLD"}),
        ("note: a | code t", {"note": "unknown:what"}, {"a": "what"}),
        ("note: a | prefix X-", {"note": "X-1"}, {"a": "1"}),
        ("total: a | negate", {"total": Decimal("-1.50")}, {"a": Decimal("1.50")}),
        ("total: a | times 100", {"total": Decimal("20.0")}, {"a": Decimal("0.2")}),
        ("total: a | times 3", {"total": Decimal("0.9")}, {"a": Decimal("0.3")}),
        ("total: a | absolute | negate", {"total": Decimal(-2)}, {"a": Decimal(2)}),
        ("test: a | opposite", {"test": True}, {"a": False}),
        ("test: a", {"test": False}, {"a": False}),
        ("tags: a | split ,", {"tags": ["x", "y z"]}, {"a": "x, y z"}),
        ("tags: a", {"tags": ["x"]}, {"a": ["x"]}),
        ("tags: [a, b]", {"tags": ["x", "y"]}, {"a": "x", "b": "y"}),
        ("tags: [a, b or = no]", {"tags": ["x", "no"]}, {"a": "x"}),
        ("tags: [a, = no]", {"tags": ["x", "no"]}, {"a": "x"}),
        ("note: a[k=x].c", {"note": "1"}, {"a": [{"k": "x", "c": "1"}]}),
        ("note: a[k.l=x].c", {"note": "1"}, {"a": [{"k": {"l": "x"}, "c": "1"}]}),
        ("note: a[1]", {"note": "1"}, {"a": [{}, "1"]}),
        ("id: = X-{a}!", {"id": "X-7!"}, {"a": "7"}),
        ("id: = {a} - {b} | lower", {"id": "x - y - z"}, {"a": "x", "b": "y - z"}),
        ("id: a | pad 4", {"id": "0007"}, {"a": "7"}),
        ("id: a | pad 2 x", {"id": "xx"}, {"a": "x"}),
        ("id: a | replace , .", {"id": "1.5"}, {"a": "1,5"}),
        ("id: a | first 2", {"id": "ab"}, {"a": "ab"}),
        ("total: a | decimal , .", {"total": Decimal("-1234.50")}, {"a": "-1234,50"}),
        ("total: a | trailing_sign | decimal", {"total": Decimal("-1.5")}, {"a": "1.5-"}),
        ("total: a | implied 2", {"total": Decimal("12.50")}, {"a": "1250"}),
        ("total: a | divide 100", {"total": Decimal("0.25")}, {"a": Decimal("25.00")}),
        ("total: a | divide 3 round 2 half_up", {"total": Decimal("0.33")}, {"a": Decimal("0.99")}),
        ("total: a | round 2 half_up", {"total": Decimal("0.33")}, {"a": Decimal("0.33")}),
        ("customer.email: a.b", {"customer": {"email": "x"}}, {"a": {"b": "x"}}),
    ],
)
def test_a_rule_writes_what_it_reads(rules: str, document: Any, source: Any) -> None:
    assert written(f"  {rules}\n", document) == source


def test_a_moment_comes_back_as_one_text() -> None:
    rules, clock = "  placed_at: a\n", {"local": "2026-03-01T10:00:00.5", "offset": "-05:00"}
    made = mapping(rules)
    hub = clock | {"utc": "2026-03-01T15:00:00.5Z", "zone": "x", "zone_origin": "location"}
    for document in (clock, hub):
        result = write(made, {"placed_at": document})
        assert result == type(result)({"a": "2026-03-01T10:00:00.5-05:00"}, ())
    assert write(made, {"placed_at": {"local": "2026-03-01T10:00:00"}}).findings == ()


@pytest.mark.parametrize(
    ("transform", "source"),
    [
        ("moment", "2026-03-01T13:05:09"),
        ("moment DD.MM.YYYY HH:mm:ss", "01.03.2026 13:05:09"),
        ("moment D-MMM-YY h:mm:ssA pivot 70", "1-Mar-26 1:05:09PM"),
        ("moment YYYYMMDDTHHmmss.SSS", "20260301T130509.120"),
        ("moment YYYY/M/DD HH:mm:ssZ", "2026/3/01 13:05:09-05:00"),
        ("moment seconds", "1772370309"),
        ("moment milliseconds", "1772370309120"),
        ("zone Europe/Vienna", "2026-03-01T13:05:09"),
        ("moment DD.MM.YYYY HH:mm | zone Europe/Vienna", "01.03.2026 13:05"),
    ],
)
def test_a_time_is_written_as_the_source_writes_it(transform: str, source: str) -> None:
    made = mapping(f"  placed_at: a | {transform}\n")
    document = made.run({"a": source})[0]
    assert write(made, document) == Written({"a": source}, ())


@pytest.mark.parametrize(
    ("transform", "moment"),
    [
        ("moment DD.MM.YYYY HH:mm", {"local": "2026-03-01T13:05:09"}),
        ("moment DD.MM.YYYY HH:mm", {"local": "2026-03-01T13:05:00", "offset": "+01:00"}),
        ("moment DD.MM.YYYY HH:mmZ", {"local": "2026-03-01T13:05:00"}),
        ("moment seconds", {"local": "2026-03-01T13:05:00", "offset": "+01:00"}),
        ("moment YY-MM-DD HH:mm pivot 70", {"local": "1926-03-01T13:05:00"}),
    ],
)
def test_a_time_that_the_pattern_has_no_place_for_is_found(transform: str, moment: Any) -> None:
    ((place, _),) = found(f"  placed_at: a | {transform}\n", {"placed_at": moment})
    assert place == "placed_at"


def test_a_day_is_written_by_its_pattern() -> None:
    made = mapping("  born_on: a | date DD.MM.YYYY\n", to="Customer")
    assert write(made, {"born_on": "2026-03-01"}) == Written({"a": "01.03.2026"}, ())


@pytest.mark.parametrize("value", ["Quokka", "2026-13-01", "2026-03-01T10:00", "", 20260301])
def test_no_reason_quotes_a_value(value: Any) -> None:
    born = mapping("  born_on: a | date DD.MM.YYYY\n", to="Customer")
    placed = mapping("  placed_at: a | moment DD.MM.YYYY HH:mm\n")
    for made, document in ((born, {"born_on": value}), (placed, {"placed_at": {"local": value}})):
        for finding in cannot_express(made, document):
            assert not value or str(value) not in str(finding.problem.detail)


def test_an_object_is_written_from_an_object() -> None:
    rules = "  bill_to from address:\n    city: town\n    lines: [street]\n"
    document = {"bill_to": {"city": "Linz", "lines": ["Hof 1"]}}
    assert written(rules, document) == {"address": {"town": "Linz", "street": "Hof 1"}}


LISTS = """\
  id: id
  customer.email: customer.mail
  customer.identifiers[] from id[]:
    kind: = number
    value: .
  customer.identifiers[] from customer[]:
    kind: = customer
    value: no
  customer.identifiers[] from cards[] where type = L:
    kind: = loyalty
    value: number
  customer.identifiers[] from cards[] where type = M:
    kind: = member
    value: number
"""


def test_rules_that_fill_one_list_are_told_apart_by_their_constants() -> None:
    kinds = [
        ("number", "1"),
        ("customer", "c"),
        ("loyalty", "l"),
        ("loyalty", "k"),
        ("member", "m"),
    ]
    identifiers = [{"kind": kind, "value": value} for kind, value in kinds]
    document = {"id": "1", "customer": {"email": "x@y", "identifiers": identifiers}}
    # What is read without a list elsewhere stands without one.
    assert written(LISTS, document) == {
        "id": "1",
        "customer": {"mail": "x@y", "no": "c"},
        "cards": [
            {"type": "L", "number": "l"},
            {"type": "L", "number": "k"},
            {"type": "M", "number": "m"},
        ],
    }


def test_what_no_rule_of_a_list_makes_is_found() -> None:
    def identifiers(*pairs: tuple[str, str]) -> dict[str, Any]:
        return {"customer": {"identifiers": [{"kind": k, "value": v} for k, v in pairs]}}

    assert found(LISTS, identifiers(("visitor", "v"))) == [
        ("customer.identifiers[0]", "no rule makes it")
    ]
    # Those behind it keep their places.
    several = identifiers(("customer", "a"), ("customer", "b"), ("loyalty", "l"))
    assert found(LISTS, several) == [("customer.identifiers[1]", "the source has one customer")]
    wrong_order = found(LISTS, identifiers(("member", "m"), ("loyalty", "l")))
    assert {place for place, _ in wrong_order} == {
        f"customer.identifiers[{i}].{name}" for i in (0, 1) for name in ("kind", "value")
    }


def test_what_the_one_rule_of_a_list_does_not_make_is_found() -> None:
    rules = "  lines[] from a[]:\n    description: = gift\n    id: b\n"
    lines = [{"id": "1", "description": "cup"}, {"id": "2", "description": "gift"}]
    assert found(rules, {"lines": lines}) == [("lines[0]", "it is always 'gift' here")]
    gift = {"id": "1", "description": "gift", "gift_card": True}
    assert found(rules, {"lines": [gift]}) == [("lines[0].gift_card", "no rule writes it")]


def test_another_value_at_one_place_is_found() -> None:
    document = {"id": "1", "customer": {"identifiers": [{"kind": "number", "value": "2"}]}}
    said = found(LISTS, document)
    assert ("customer.identifiers[0].value", "another rule writes another value to .") in said


def test_lists_inside_lists() -> None:
    rules = (
        "  lines[] from a[].b[]:\n    id: n\n    item[] from ean[]:\n      kind: = gtin\n"
        "      value: .\n    description: /title\n"
    )
    item = [{"kind": "gtin", "value": v} for v in ("1", "2")]
    document = {
        "lines": [
            {"id": "x", "item": item, "description": "t"},
            {"id": "y", "item": item[:1], "description": "t"},
        ]
    }
    source = {"a": [{"b": [{"n": "x", "ean": ["1", "2"]}, {"n": "y", "ean": "1"}]}], "title": "t"}
    assert written(rules, document) == source
    document["lines"][1]["description"] = "other"
    said = found(rules, document)
    assert said == [("lines[1].description", "another rule writes another value to title")]


CHOICE = """\
  id: id
  cancelled_at: gone
  when gone:
    life: = cancelled
  when state = done:
    life: = closed
  otherwise:
    life: = open
"""


def test_a_branch_is_chosen_by_its_constants_and_its_condition() -> None:
    gone = {"local": "2026-03-01T10:00:00"}
    assert written(CHOICE, {"id": "1", "life": "open"}) == {"id": "1"}
    assert written(CHOICE, {"id": "1", "life": "closed"}) == {"id": "1", "state": "done"}
    cancelled = {"id": "1", "cancelled_at": gone, "life": "cancelled"}
    assert written(CHOICE, cancelled) == {"id": "1", "gone": "2026-03-01T10:00:00"}


def test_a_branch_that_another_would_overtake_is_found() -> None:
    gone = {"local": "2026-03-01T10:00:00"}
    (said,) = found(CHOICE, {"id": "1", "cancelled_at": gone, "life": "open"})
    assert said == ("life", "the condition in line 12 would be taken")
    (said,) = found(CHOICE, {"id": "1", "life": "cancelled"})
    assert said == ("life", "the condition on gone would not hold")


def test_a_condition_that_nothing_asks_for_is_not_made_to_hold() -> None:
    rules = (
        "  lines[] from a[]:\n    id: b\n    when void = yes:\n      quantity: c | absolute\n"
        "    otherwise:\n      quantity: c\n"
    )
    assert written(rules, {"lines": [{"id": "1"}]}) == {"a": [{"b": "1"}]}


def test_a_branch_may_say_what_a_plain_rule_says() -> None:
    rules = "  test: t\n  when not t:\n    note: = x\n  id: n\n  when c = yes:\n    test: = true\n"
    assert written(rules, {"note": "x", "id": "1", "test": True}) == {"n": "1", "c": "yes"}
    assert written(rules, {"id": "1", "test": True}) == {"n": "1", "t": True}


def test_what_one_rule_of_a_list_makes_comes_before_what_the_next_one_makes() -> None:
    rules = "".join(
        f"  customer.identifiers[] from {name}[]:\n    kind: = {kind}\n    value: .\n"
        for name, kind in (("a", "k"), ("b", "m"), ("c", "k"))
    )
    pairs = [("k", "1"), ("m", "2"), ("k", "3")]
    document = {"customer": {"identifiers": [{"kind": k, "value": v} for k, v in pairs]}}
    assert written(rules, document) == {"a": "1", "b": "2", "c": "3"}


XML = """\
  id: No
  total: Total[@Type=grand]
  tax_total: acs:Total
  test: .@Test
  note: Total[@Type=tax].@Note
  lines[] from Line[]:
    when Payment: skip
    id: No
    quantity: Sale.Quantity.@Count
    unit_price: Sale.Price
    when Gift:
      gift_card: = true
"""


def test_xml_has_attributes_prefixes_and_chosen_elements() -> None:
    lines = [
        {"id": "1", "quantity": Decimal(2), "unit_price": Decimal("1.00")},
        {"id": "2", "gift_card": True},
    ]
    document = {
        "id": "7",
        "total": Decimal("2.00"),
        "tax_total": Decimal("0.10"),
        "test": True,
        "note": "a < b",
        "lines": lines,
    }
    body = written(XML, document, reads="xml")
    assert etree.tostring(body).decode() == (
        '<Sale Test="true"><No>7</No><ns0:Total xmlns:ns0="acs">0.10</ns0:Total>'
        '<Line><No>1</No><Sale><Quantity Count="2"/><Price>1.00</Price></Sale></Line>'
        "<Line><No>2</No><Gift/></Line>"
        '<Total Type="grand">2.00</Total><Total Type="tax" Note="a &lt; b"/></Sale>'
    )


def test_what_xml_cannot_hold_is_found() -> None:
    assert found(XML, {"id": "a\0b"}, reads="xml") == [("id", "XML has no such characters")]
    ((place, reason),) = found("  tags: A\n", {"tags": ["a", "b"]}, reads="xml")
    assert (place, reason) == ("tags", "an element holds one text, and these are several")
    assert found(XML, {"id": " a "}, reads="xml") == [("id", "it comes back as something else")]

"""Lineage and errors: a value names its place and rule, a problem its cause and nobody's data."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from mappings.mapping import Mapping, load
from schemas.problem import Problem, Rejected

ORDER = """\
mapping: shop.order
reads: json
to: Order
rules:
  id: id
  number: name or number
  channel: = web
  placed_at: made.at
  currency: money
  total: total
  payment: status | code payment
  fulfilment: = none
  tags: tags | split ,
  when cancelled:
    life: = cancelled
  otherwise:
    life: = open
  customer.email: buyer.mail
  customer.identifiers[] from buyer[]:
    kind: = customer
    value: id
  bill_to from addresses[type=bill]:
    city: town
    lines: [street, extra or more]
    country: /land
  lines[] from items[]:
    id: no
    when gift: skip
    quantity: count
    unit_price: price
    discount: off
    item[] from sku[]:
      kind: = sku
      value: .
    taxes[] from /taxes[] where rate > 0:
      amount: rate
codes:
  payment: {P: paid, '*': due}
"""
BODY = {
    "id": 7,
    "number": "A-7",
    "made": {"at": "2026-03-01T10:00:00Z"},
    "money": "EUR",
    "total": "3.50",
    "status": "X",
    "tags": "a, b",
    "buyer": {"id": 12, "mail": "ann@example.org"},
    "addresses": [
        {"type": "ship"},
        {"type": "bill", "town": "Linz", "street": "Hof 1", "more": "x"},
    ],
    "land": "AT",
    "items": [
        {"no": "g", "gift": True, "count": 9, "sku": "G"},
        {"no": "a", "count": 1, "price": "1.50", "sku": "S"},
        {"no": "b", "count": "2", "price": "1.00", "sku": ["T", "", "U"]},
    ],
    "taxes": [{"rate": 0}, {"rate": "0.2"}],
}


@pytest.fixture(scope="module")
def order() -> Mapping:
    return load(ORDER, "shop/order.yaml")


def changed(**changes: Any) -> dict[str, Any]:
    return {**BODY, **changes}


def problem(mapping: Mapping, body: Any) -> Problem:
    with pytest.raises(Rejected) as caught:
        mapping.build(body, system="shop")
    assert "Ann" not in str(caught.value)
    return caught.value.problem


def leaves(value: Any, path: str = "") -> list[str]:
    if isinstance(value, dict) and "local" not in value:
        return [p for k, v in value.items() for p in leaves(v, f"{path}.{k}" if path else k)]
    if isinstance(value, list) and path != "tags":
        return [p for n, v in enumerate(value) for p in leaves(v, f"{path}[{n}]")]
    return [path]


def test_every_value_names_its_source_its_rule_and_what_was_sent(order: Mapping) -> None:
    origins = order.trace(BODY).origins
    assert {target: (o.source, o.line, o.value) for target, o in origins.items()} == {
        "id": ("id", 5, 7),
        "number": ("number", 6, "A-7"),
        "channel": ("= web", 7, "web"),
        "placed_at": ("made.at", 8, "2026-03-01T10:00:00Z"),
        "currency": ("money", 9, "EUR"),
        "total": ("total", 10, "3.50"),
        "payment": ("status", 11, "X"),
        "fulfilment": ("= none", 12, "none"),
        "tags": ("tags", 13, "a, b"),
        "life": ("= open", 17, "open"),
        "customer.email": ("buyer.mail", 18, "ann@example.org"),
        "customer.identifiers[0].kind": ("= customer", 20, "customer"),
        "customer.identifiers[0].value": ("buyer.id", 21, 12),
        "bill_to.city": ("addresses[type=bill].town", 23, "Linz"),
        "bill_to.lines[0]": ("addresses[type=bill].street", 24, "Hof 1"),
        "bill_to.lines[1]": ("addresses[type=bill].more", 24, "x"),
        "bill_to.country": ("land", 25, "AT"),
        "lines[0].id": ("items[1].no", 27, "a"),
        "lines[0].quantity": ("items[1].count", 29, 1),
        "lines[0].unit_price": ("items[1].price", 30, "1.50"),
        "lines[0].item[0].kind": ("= sku", 33, "sku"),
        "lines[0].item[0].value": ("items[1].sku", 34, "S"),
        "lines[0].taxes[0].amount": ("taxes[1].rate", 36, "0.2"),
        "lines[1].id": ("items[2].no", 27, "b"),
        "lines[1].quantity": ("items[2].count", 29, "2"),
        "lines[1].unit_price": ("items[2].price", 30, "1.00"),
        "lines[1].item[0].kind": ("= sku", 33, "sku"),
        "lines[1].item[0].value": ("items[2].sku[0]", 34, "T"),
        "lines[1].item[1].kind": ("= sku", 33, "sku"),
        "lines[1].item[1].value": ("items[2].sku[2]", 34, "U"),
        "lines[1].taxes[0].amount": ("taxes[1].rate", 36, "0.2"),
    }


def test_no_more_and_no_less_than_what_was_made(order: Mapping) -> None:
    trace = order.trace(BODY)
    assert sorted(leaves(trace.document)) == sorted(trace.origins)


def test_a_line_of_the_file_can_be_shown(order: Mapping) -> None:
    assert order.rule(6) == "number: name or number"
    assert order.rule(0) == order.rule(10_000) == ""


def test_a_skipped_element_leaves_no_trace(order: Mapping) -> None:
    items = [*BODY["items"], {"no": "c", "gift": 1}]  # type: ignore[misc]
    trace = order.trace(changed(items=items))
    assert trace.origins == order.trace(BODY).origins


def test_an_object_from_the_element_at_hand_adds_no_step() -> None:
    text = (
        "mapping: a\nreads: json\nto: Order\nrules:\n  customer from .:\n    email: e\n"
        "  lines[] from l[]:\n    presentment_price from .:\n      amount: p\n"
        "    discount: d\n    taxes[] from t[]:\n      name: /e\n      amount: /.\n"
    )
    mapping = load(text.replace("      amount: /.\n", ""), "f")
    origins = mapping.trace({"e": "x", "l": [{"p": 1, "d": 2, "t": [3]}]}).origins
    assert {target: o.source for target, o in origins.items()} == {
        "customer.email": "e",
        "lines[0].presentment_price.amount": "l[0].p",
        "lines[0].discount": "l[0].d",
        "lines[0].taxes[0].name": "e",
    }
    found = problem(load(text, "f"), {"e": "x", "l": [{"t": [3]}]})
    assert (found.path, found.target) == (".", "lines[0].taxes[0].amount")


def test_lineage_of_xml() -> None:
    text = (
        "mapping: till.sale\nreads: xml\nto: Transaction\nrules:\n"
        "  training: .@train\n  store: s.@acs:no\n"
        "  customers[] from a.l[].c[]:\n    value: .\n    issuer: .@by\n"
        "  lines[] from a.l[] where n > 1:\n    number: n\n"
        "    origin from o:\n      store: .\n      sequence: .@q\n"
    )
    tree = etree.fromstring(
        '<T xmlns:acs="acs" train="1"><s acs:no="9"/><a><x/><l><n>1</n><c>7</c><c by="b">8</c></l>'
        '<l><n>2</n><o q="5">4</o></l></a></T>'
    )
    origins = load(text, "f").trace(tree).origins
    assert {target: o.source for target, o in origins.items()} == {
        "training": "@train",
        "store": "s.@acs:no",
        "customers[0].value": "a.l[0].c[0]",
        "customers[1].value": "a.l[0].c[1]",
        "customers[1].issuer": "a.l[0].c[1].@by",
        "lines[0].number": "a.l[1].n",
        "lines[0].origin.store": "a.l[1].o",
        "lines[0].origin.sequence": "a.l[1].o.@q",
    }


@pytest.mark.parametrize(
    ("changes", "line", "path", "target", "value"),
    [
        ({"total": "Ann 7,50"}, 10, "total", "total", "aaa 9,99"),
        ({"total": True}, 10, "total", "total", "aaaa"),
        ({"total": ["Ann"]}, 10, "total", "total", None),
        ({"made": {"at": "Ann 1.3."}}, 8, "made.at", "placed_at", "aaa 9.9."),
        ({"made": "Ann"}, 8, "made.at", "placed_at", None),
        ({"name": {"Ann": 1}}, 6, "name", "number", None),
        ({"number": {"Ann": 1}}, 6, "number", "number", None),
        ({"status": ["Ann"]}, 11, "status", "payment", None),
        ({"buyer": ["Ann"]}, 18, "buyer.mail", "customer.email", None),
        (
            {"items": [{"no": "a"}, {"no": "b", "count": "Ann"}]},
            29,
            "items[1].count",
            "lines[1].quantity",
            "aaa",
        ),
        ({"items": ["Ann"]}, 27, "items[0].no", "lines[0].id", None),
        (
            {"taxes": [{"rate": 1}, {"rate": "Ann"}]},
            35,
            "taxes[1].rate",
            "lines[0].taxes[1]",
            "aaa",
        ),
        (
            {"addresses": [{"type": "bill", "town": {"Ann": 1}}]},
            23,
            "addresses[type=bill].town",
            "bill_to.city",
            None,
        ),
        (
            {"addresses": [{"type": "bill", "more": {"Ann": 1}}]},
            24,
            "addresses[type=bill].more",
            "bill_to.lines",
            None,
        ),
    ],
)
def test_a_value_that_does_not_fit(
    order: Mapping,
    changes: dict[str, Any],
    line: int,
    path: str,
    target: str,
    value: str | None,
) -> None:
    found = problem(order, changed(**changes))
    assert found.code == "LP-MAP-101"
    assert found.rule == f"shop/order.yaml:{line}"
    assert found.path == path
    assert found.target == target
    assert found.value == value


@pytest.mark.parametrize(
    ("changes", "line", "path", "target", "value"),
    [
        ({"number": None}, 6, "name or number", "number", None),
        ({"made": None}, 8, "made.at", "placed_at", None),
        ({"money": "Ann"}, 9, "money", "currency", "aaa"),
        ({"id": "Ann" * 100}, 5, "id", "id", "aaa" * 10 + "aa... (300 characters)"),
        ({"id": ""}, 5, "id", "id", None),
        ({"total": "1.123456789"}, 10, "total", "total", "9.999999999"),
        ({"items": [{"no": "a", "count": 1}]}, 30, "items[0].price", "lines[0].unit_price", None),
        (
            {"items": [{"gift": 1}, {"count": 1, "price": 2}]},
            27,
            "items[1].no",
            "lines[0].id",
            None,
        ),
        (
            {"items": [{"no": "a", "count": 1, "price": 1, "off": "1E20"}]},
            31,
            "items[0].off",
            "lines[0].discount",
            "9a99",
        ),
        (
            {"items": [{"no": "a", "count": 1, "price": 1, "sku": ["x", "Ann" * 100]}]},
            34,
            "items[0].sku[1]",
            "lines[0].item[1].value",
            "aaa" * 10 + "aa... (300 characters)",
        ),
    ],
)
def test_what_the_model_does_not_take(
    order: Mapping, changes: dict[str, Any], line: int, path: str, target: str, value: str | None
) -> None:
    found = problem(order, changed(**changes))
    assert found.code == "LP-MAP-102"
    assert (found.rule, found.path) == (f"shop/order.yaml:{line}", path)
    assert (found.target, found.value) == (target, value)
    assert (found.detail or "").startswith(f"{target}: ")


def test_what_a_branch_would_have_filled_names_the_branch() -> None:
    found = problem(load(ORDER.replace("  otherwise:\n    life: = open\n", ""), "f.yaml"), BODY)
    assert (found.target, found.rule, found.path) == ("life", "f.yaml:15", "= cancelled")


def test_what_no_rule_fills_is_told_too() -> None:
    text = (
        "mapping: a\nreads: json\nto: Order\nrules:\n  id: id\n  lines[] from a.b[]:\n    id: id\n"
        "  customer from c:\n    identifiers[] from d[]:\n      issuer: e\n"
    )
    found = problem(load(text, "f.yaml"), {"id": 1})
    assert (found.target, found.rule, found.path) == ("number", None, None)
    full = ORDER.replace("    quantity: count\n", "").replace("    value: id\n", "    issuer: id\n")
    found = problem(load(full, "f.yaml"), {**BODY, "items": []})
    assert (found.target, found.rule) == ("customer.identifiers[0].value", "f.yaml:19")
    found = problem(load(full, "f.yaml"), {**BODY, "buyer": None})
    assert (found.target, found.rule, found.path) == ("lines[0].quantity", "f.yaml:26", "items[1]")


@pytest.mark.parametrize(("kind", "value"), [("Ann", None), (None, None)])
def test_a_line_of_no_known_kind(kind: str | None, value: str | None) -> None:
    text = (
        "mapping: a\nreads: json\nto: Transaction\nrules:\n  store: s\n  workstation: s\n"
        "  business_date: d\n  sequence: s\n  occurred_at: t\n  currency: c\n  total: s\n"
        "  lines[] from l[]:\n    kind: k\n    number: n\n    amount: n\n"
    )
    body = {
        "s": 1,
        "d": "2026-03-01",
        "t": "2026-03-01T10:00:00",
        "c": "EUR",
        "l": [{"n": 1, "k": kind}],
    }
    found = problem(load(text, "f.yaml"), body)
    assert (found.code, found.target, found.rule) == ("LP-MAP-102", "lines[0].kind", "f.yaml:13")
    assert found.path == "l[0].k"


def test_a_field_of_a_line_is_named_without_the_kind_of_the_line() -> None:
    text = (
        "mapping: a\nreads: json\nto: Transaction\nrules:\n  store: s\n  workstation: s\n"
        "  business_date: d\n  sequence: s\n  occurred_at: t\n  currency: c\n  total: s\n"
        "  lines[] from l[]:\n    kind: = sale\n    number: n\n    amount: n\n    quantity: n\n"
        "    discount: x\n"
    )
    body = {
        "s": 1,
        "d": "2026-03-01",
        "t": "2026-03-01T10:00:00",
        "c": "EUR",
        "l": [{"n": 1, "x": "0.123456789"}],
    }
    found = problem(load(text, "f.yaml"), body)
    assert (found.target, found.rule, found.path) == ("lines[0].discount", "f.yaml:17", "l[0].x")
    assert found.value == "9.999999999"


def test_a_valid_document_is_built(order: Mapping) -> None:
    model, flags = order.build(BODY, system="shop")
    assert flags == ()
    assert model.model_dump(include={"system", "id", "number"}) == {
        "system": "shop",
        "id": "7",
        "number": "A-7",
    }

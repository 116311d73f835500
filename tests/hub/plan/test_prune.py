"""What two texts share need not run: leaving it out never changes what a comparison says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from lxml import etree

from connectors import registry
from connectors.formats.json_text import decode_json
from hub.authoring.draft import drafted
from hub.demo import poslog_writer, shop, shop_writer, till
from hub.plan.prune import Pair, pair
from mappings.mapping import Mapping
from mappings.reference import NOTHING
from tests.hub.plan.conftest import edited

ORDER = {
    "a path": ("  note:                     note\n", "  note: name\n"),
    "a code": ("voided: voided", "voided: refunded"),
    "a frequent code": (" authorized: authorized,", " authorized: due,"),
    "a branch": ("    life:                   = closed\n", "    life: = cancelled\n"),
    "a list": (
        "    amount:                 amount\n  fulfilments",
        "    amount: amount | times 1.0\n  fulfilments",
    ),
    "digits": ("  total:                    total_price\n", "  total: total_price | times 1.0\n"),
    "nothing": ("reads: json", "reads: json # as ever"),
}
SALE = {
    "a code of a list": ("{Cash: cash, CreditDebit: card,", "{Cash: cash, CreditDebit: cheque,"),
    "a field of a list": ("    code:                   Tender.TenderID\n", ""),
    "one of several lists": (
        "acs:MembershipID[]:\n    kind:                   = membership",
        "acs:MembershipID[]:\n    kind: = member",
    ),
    "a condition of a list": ("LineItem[] where Tender:", "LineItem[] where Tender.Amount:"),
    "a branch of a list": (
        "    otherwise:\n      amount:               Tender.Amount\n    cash_back",
        "    otherwise:\n      amount: Tender.Amount | negate\n    cash_back",
    ),
}
_PARTS = ("Tender", "Amount", "SequenceNumber", "TenderID")


def orders() -> Iterator[Any]:
    """Orders, and the same with parts left out."""
    connector = registry.load("shopify")
    chance = random.Random(11)
    for each in shop.orders(30, seed=11):
        body = shop_writer.order(each)
        yield connector.decode(body, b"", connector.options())[0].body
        less = decode_json(body)
        less["closed_at"] = less["created_at"]
        for name in chance.sample(sorted(less), 12):
            if name not in {"id", "closed_at"}:
                del less[name]
        yield less


def sales() -> Iterator[Any]:
    """Sales, and the same with parts left out."""
    connector = registry.load("poslog")
    chance = random.Random(11)
    for each in till.sales(30, seed=11, reward_percent=10):
        body = poslog_writer.transaction(each)
        whole = connector.decode(body, b"", connector.options())[0].body
        yield whole
        less = etree.fromstring(etree.tostring(whole))
        for element in [e for e in less.iter() if e.tag in _PARTS and chance.random() < 0.3]:
            parent = element.getparent()
            if parent is not None:
                parent.remove(element)
        yield less


def tells(old: Mapping, new: Mapping, rest: Pair, body: Any) -> tuple[bool, bool]:
    """Whether whole texts make the same of a document, and whether what is left of them does."""
    whole = []
    for mapping in (old, new):
        try:
            whole.append(repr(mapping.run(body)))
        except (ValueError, KeyError, ArithmeticError) as error:
            whole.append(repr(error))
    one, other = (form(body, [], NOTHING) for form in (rest.old, rest.new))
    return whole[0] == whole[1], repr(one) == repr(other)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("shopify.order", name) for name in ORDER] + [("poslog.retail", name) for name in SALE],
)
def test_the_rest_of_two_texts_tells_as_much_as_the_whole(kind: str, name: str) -> None:
    connector, message = kind.split(".")
    old = edited(connector, message).mapping
    new = edited(connector, message, {**ORDER, **SALE}[name]).mapping
    rest = pair(old, new)
    assert rest.rules < len(new.spec.rules)
    assert rest.same == (name == "nothing")
    seen = set()
    for body in orders() if connector == "shopify" else sales():
        whole, left = tells(old, new, rest, body)
        assert left == whole
        seen.add(whole)
    # A change that no document shows would prove nothing.
    assert False in seen or name in {"nothing", "a code"}


def test_of_a_list_only_what_differs_of_its_elements_is_left() -> None:
    old = edited("poslog", "retail").mapping
    rest = pair(old, edited("poslog", "retail", SALE["a code of a list"]).mapping)
    tender = {
        name
        for body in sales()
        for each in rest.new(body, [], NOTHING).get("tenders", ())
        for name in each
    }
    assert tender <= {"kind", "card", ""}


@pytest.mark.parametrize(
    ("name", "reads"), [("a path", {"note", "name"}), ("nothing", set()), ("a branch", None)]
)
def test_only_what_differs_is_read(name: str, reads: set[str] | None) -> None:
    rest = pair(edited("shopify", "order").mapping, edited("shopify", "order", ORDER[name]).mapping)
    assert rest.reads is not None
    assert reads is None or rest.reads == reads
    for body in orders():
        some = {key: value for key, value in body.items() if key in rest.reads}
        for form in (rest.old, rest.new):
            assert repr(form(some, [], NOTHING)) == repr(form(body, [], NOTHING))


LISTS = {
    "an element that has nothing is left out": (
        ("id: sku", "id: x"),
        ("id: sku", "id: y"),
        [{"x": "1"}, {"y": "1", "name": "T"}],
    ),
    "a skip": (
        ("id: sku", "when x: skip\n    id: sku"),
        ("id: sku", "when y: skip\n    id: sku"),
        [{"x": "1", "sku": "1"}, {"y": "1", "sku": "2"}],
    ),
    "a condition": (
        ("items[]:", "items[] where x:"),
        ("items[]:", "items[] where y:"),
        [{"x": "1", "sku": "1"}, {"y": "1", "sku": "2"}],
    ),
    "what is seen from the top": (
        ("id: sku", "id: /x"),
        ("id: sku", "id: /y"),
        [{"name": "T"}],
    ),
}
TEXT = """
mapping: shopify.order
to: Order
reads: json
rules:
  lines[] from items[]:
    id: sku
    description: name
"""


@pytest.mark.parametrize("name", LISTS)
def test_elements_are_compared_in_their_places(name: str) -> None:
    old, new, items = LISTS[name]
    body = {"items": items, "x": "1", "y": "2"}
    then, now = (
        drafted(TEXT.replace(*change), "own.yaml", lambda _: None).mapping for change in (old, new)
    )
    rest = pair(then, now)
    assert tells(then, now, rest, body) == (False, False)
    if rest.reads is not None:
        some = {key: value for key, value in body.items() if key in rest.reads}
        assert repr(rest.new(some, [], NOTHING)) == repr(rest.new(body, [], NOTHING))

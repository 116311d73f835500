"""What two texts share need not run: leaving it out never changes what a comparison says."""

from __future__ import annotations

import pytest

from connectors import registry
from connectors.api import Document
from hub.demo import shop, shop_writer
from hub.plan.prune import pair
from mappings.reference import NOTHING
from tests.hub.plan.conftest import edited

CHANGES = {
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


def documents() -> list[Document]:
    connector = registry.load("shopify")
    bodies = [shop_writer.order(each) for each in shop.orders(30, seed=11)]
    return [connector.decode(body, b"", connector.options())[0] for body in bodies]


@pytest.mark.parametrize("name", CHANGES)
def test_the_rest_of_two_texts_tells_as_much_as_the_whole(name: str) -> None:
    old, new = edited("shopify", "order").mapping, edited("shopify", "order", CHANGES[name]).mapping
    rest = pair(old, new)
    assert rest.rules < len(new.spec.rules)
    assert rest.same == (name == "nothing")
    for document in documents():
        whole = repr(old.run(document.body)) == repr(new.run(document.body))
        one, other = (form(document.body, [], NOTHING) for form in (rest.old, rest.new))
        assert (repr(one) == repr(other)) == whole

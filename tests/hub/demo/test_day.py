"""The demo's day: the book is what is sent, and webhooks are signed as their senders sign."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from connectors import signature
from connectors.api import Request
from hub.demo import day as days
from hub.demo import webhook
from hub.demo.day import SHOPPER, STORES, Book, invent
from hub.demo.receipt import Receipt
from hub.demo.retailer import NEW_YORK
from hub.demo.webhook import Webhook
from schemas.problem import Denied

ADDRESS = "http://127.0.0.1:8470"
SECRET = "c2VjcmV0IG9mIG5vYm9keSBhdCBhbGwhIQ=="


def _request(sent: Webhook) -> Request:
    headers = {name.lower(): (value,) for name, value in sent.headers.items()}
    return Request("POST", ADDRESS + sent.path, headers, sent.body)


def test_the_day_is_the_same_again() -> None:
    assert invent() == invent()


def test_the_sales_with_a_part_of_their_own_are_different_ones_of_the_roll() -> None:
    day = invent()
    special = (day.broken, day.changed, day.known)
    assert len({each.key for each in special}) == 3
    assert all(each in day.rolls[NEW_YORK.number] for each in special)
    returned = {e.returns for e in day.rolls[NEW_YORK.number] if isinstance(e, Receipt)}
    assert day.broken.key not in returned


def test_nobody_else_has_the_card_mail_or_phone_of_the_shopper() -> None:
    day = invent()
    entries = (e for roll in day.rolls.values() for e in roll if isinstance(e, Receipt))
    cards = [e.loyalty.card for e in entries if e.loyalty]
    assert cards.count(SHOPPER.card) == 1
    others = [order.person for order in (*day.orders, *days.late_orders())]
    assert SHOPPER.phone not in {person.phone for person in others}
    assert SHOPPER.email not in {person.email for person in others}


def test_the_altered_receipt_has_the_same_number_and_another_total() -> None:
    changed = invent().changed
    again = days.altered(changed)
    assert again.key == changed.key
    assert again.total != changed.total
    assert sum(tender.amount for tender in again.tenders) == again.total


def test_the_book_counts_revenue_of_receipts_alone() -> None:
    day, book = invent(), Book()
    book.entries += day.rolls[NEW_YORK.number]
    before = book.ledger().totals
    book.orders += day.orders
    assert book.ledger().totals == before
    assert len(book.facts()) == len(book.entries) + len(day.orders)


def test_sales_rung_up_have_no_gap_and_no_number_of_the_day() -> None:
    for store in STORES:
        sales = [days.ring_up(store, number, at="7", card=SHOPPER.card) for number in (1, 2, 3)]
        assert [sale.sequence for sale in sales] == [1, 2, 3]
        assert "7" not in {entry.till for entry in invent().rolls[store.number]}


@pytest.mark.parametrize("spoilt", [False, True])
@pytest.mark.parametrize("sender", ["shop", "call", "event"])
def test_webhooks_are_signed_as_the_connectors_check(sender: str, *, spoilt: bool) -> None:
    at = datetime.now(UTC)
    secrets = (SecretStr(SECRET),)
    if sender == "shop":
        sent = webhook.shop(b'{"id":1}', number="n-1", secret=SECRET)
    elif sender == "call":
        sent = webhook.call("CAexample1", SHOPPER.phone, address=ADDRESS, secret=SECRET)
    else:
        sent = webhook.event("e-1", "web.visit", {}, at=at.isoformat(), secret=f"whsec_{SECRET}")
    request = _request(replace(sent, body=sent.body + b"&x=1") if spoilt else sent)

    def check() -> None:
        if sender == "shop":
            signature.shopify(request, secrets)
        elif sender == "call":
            signature.twilio(request, secrets)
        else:
            signature.standard(request, secrets, now=at)

    if spoilt:
        with pytest.raises(Denied):
            check()
    else:
        check()

"""What a document claims of its person, in the form that compares."""

from __future__ import annotations

import pytest

from hub.people.claim import Claim, claims_of, email, folded, loyalty, phone
from schemas.customer import Customer
from schemas.order import Order
from schemas.transaction import Transaction

ORDER = {
    "system": "shop",
    "id": "1",
    "number": "#1001",
    "channel": "web",
    "placed_at": {"local": "2031-05-06T10:00:00"},
    "life": "open",
    "payment": "paid",
    "fulfilment": "none",
    "currency": "EUR",
    "total": "1.00",
}
SALE = {
    "system": "tills",
    "store": "501",
    "workstation": "3",
    "business_date": "2031-05-06",
    "sequence": "7",
    "occurred_at": {"local": "2031-05-06T10:00:00"},
    "currency": "EUR",
    "total": "1.00",
}


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+43 1 555 0123", None, "+4315550123"),
        ("01 555 0123", "AT", "+4315550123"),
        ("(212) 555-0123", "US", "+12125550123"),
        ("212.555.0123", None, None),
        ("call me", "US", None),
        ("12", "US", None),
    ],
)
def test_a_phone_number_compares_as_e164(text: str, region: str | None, number: str | None) -> None:
    assert phone(text, region) == number


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" Ann.Example@Example.ORG ", "ann.example@example.org"),
        ("ann@example", None),
        ("@example.org", None),
        ("ann example.org", None),
        ("a b@example.org", None),
    ],
)
def test_an_email_compares_in_small_letters(text: str, address: str | None) -> None:
    assert email(text) == address


def test_a_card_compares_without_its_padding_and_zeros_are_nobody() -> None:
    assert loyalty("0000000009000001") == "9000001"
    assert loyalty("000000") is None


def test_a_name_is_searched_without_accents_and_spaces() -> None:
    assert folded("  Zoë   ÅNGSTRÖM ") == "zoe angstrom"


def test_a_till_claims_cards_but_a_household_is_not_a_person() -> None:
    customers = [
        {"kind": "loyalty", "value": "0009000001"},
        {"kind": "household", "value": "77"},
        {"kind": "customer", "value": "C-1"},
    ]
    sale = Transaction.model_validate({**SALE, "customers": customers})
    assert claims_of(sale, region="AT") == (
        Claim("customer", "C-1", "tills"),
        Claim("household", "77"),
        Claim("loyalty", "9000001"),
    )


def test_an_order_claims_who_pays_and_not_who_receives() -> None:
    order = Order.model_validate(
        {
            **ORDER,
            "customer": {
                "identifiers": [{"kind": "customer", "value": "8"}],
                "email": "Ann@Example.org",
            },
            "bill_to": {"phone": "01 555 0101", "country": "AT", "given_name": "Ann"},
            "ship_to": {"phone": "01 555 0199", "country": "AT"},
        }
    )
    assert claims_of(order, region="US") == (
        Claim("customer", "8", "shop"),
        Claim("email", "ann@example.org"),
        Claim("phone", "+4315550101"),
    )


def test_a_customer_claims_account_contacts_and_the_name_in_every_order() -> None:
    customer = Customer.model_validate(
        {
            "system": "shop",
            "id": "8",
            "given_name": "Ann",
            "family_name": "Example",
            "contact_points": [{"kind": "phone", "value": "212 555 0123"}],
            "addresses": [{"country": "United States", "phone": "212 555 0124"}],
        }
    )
    assert claims_of(customer, region="US") == (
        Claim("customer", "8", "shop"),
        Claim("name", "ann example"),
        Claim("name", "example"),
        Claim("name", "example ann"),
        Claim("phone", "+12125550123"),
        Claim("phone", "+12125550124"),
    )


def test_nobody_is_claimed_by_a_sale_without_customer() -> None:
    assert claims_of(Transaction.model_validate(SALE), region="AT") == ()

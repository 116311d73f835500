"""Fields that hold card data, fields that never do, and the numbers that must survive."""

from __future__ import annotations

import json
import random

import pytest

from connectors.scrub import ScrubProfile, scrub
from connectors.scrub.card import is_card, luhn

PAN = "4539571864203197"
assert is_card(PAN.encode())

XML = ScrubProfile(
    "xml",
    never=frozenset({"ItemID", "POSItemID", "LoyaltyID", "LoyaltyCard/PrimaryAccountNumber"}),
)
JSON = ScrubProfile("json", never=frozenset({"id", "order_id", "sku", "barcode", "tracking"}))
TEXT = ScrubProfile("text")


def check(payload: bytes, profile: ScrubProfile) -> bytes:
    """Scrub, and hold it to what it promises for any payload."""
    clean = scrub(payload, profile)
    assert len(clean) == len(payload)
    assert scrub(clean, profile) == clean
    return clean


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<CardNumber>12-3456-x789</CardNumber>", "<CardNumber>**-***6-x789</CardNumber>"),
        ("<CARDNUMBER>12345</CARDNUMBER>", "<CARDNUMBER>*2345</CARDNUMBER>"),
        ("<a:CardNumber>12345</a:CardNumber>", "<a:CardNumber>*2345</a:CardNumber>"),
        ("<a CardNumber='12345'/>", "<a CardNumber='*2345'/>"),
        ("<CardNumber v='12345'/><b>12345</b>", "<CardNumber v='*2345'/><b>12345</b>"),
        ("<PAN>1<!-- 2 -->234<![CDATA[56]]></PAN>", "<PAN>*<!-- * -->*34<![CDATA[56]]></PAN>"),
        ("<PAN><a>1234</a><b>5678</b></PAN>", "<PAN><a>****</a><b>5678</b></PAN>"),
        ("<PAN>12345</PAN><PAN>12345</PAN>", "<PAN>*2345</PAN><PAN>*2345</PAN>"),
        ("<Track2>aB9&#233;é&#xe9;&amp;=</Track2>", "<Track2>***&#042;**&#x2A;&amp;=</Track2>"),
        ("<CVV xmlns:q='urn:q1' q:a='1'>1</CVV>", "<CVV xmlns:q='urn:q1' q:a='*'>*</CVV>"),
        ("<PINBlock><Key>A1</Key> <D/></PINBlock>", "<PINBlock><Key>**</Key> <D/></PINBlock>"),
        (
            "<Card><ExpiryDate>2512</ExpiryDate></Card>",
            "<Card><ExpiryDate>****</ExpiryDate></Card>",
        ),
        (
            "<Food><ExpiryDate>2512</ExpiryDate></Food>",
            "<Food><ExpiryDate>2512</ExpiryDate></Food>",
        ),
        ("</b></b><Track1>1</Track1>", "</b></b><Track1>*</Track1>"),
        ("<cvv_result_code>M1</cvv_result_code>", "<cvv_result_code>M1</cvv_result_code>"),
    ],
)
def test_an_xml_field_of_card_data_is_masked_whatever_it_holds(before: str, after: str) -> None:
    assert check(before.encode(), XML) == after.encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"pan": "12345"}', '{"pan": "*2345"}'),
        ('{"Card_Number" : "12345"}', '{"Card_Number" : "*2345"}'),
        (r'{"tr\u0061ck1": "ab"}', r'{"tr\u0061ck1": "**"}'),
        (r'{"\q": "1", "track1": "2"}', r'{"\q": "1", "track1": "*"}'),
        ('}]{"track1": "2"}', '}]{"track1": "*"}'),
        (r'{"track1": "a\n\"\\\u00e9é1"}', r'{"track1": "*\n\"\\\u002a***"}'),
        ('{"track1": {"x": "a1", "y": ["b"]}}', '{"track1": {"x": "**", "y": ["*"]}}'),
        ('{"pan": {"a": "1234", "b": "5678"}}', '{"pan": {"a": "****", "b": "5678"}}'),
        ('{"pan": ["1234", "5678"], "z": "56789"}', '{"pan": ["****", "5678"], "z": "56789"}'),
        ('{"card": {"number": "12345"}}', '{"card": {"number": "*2345"}}'),
        ('{"order": {"number": "12345"}}', '{"order": {"number": "12345"}}'),
        ('{"credit_card_number": "XXXX-4242"}', '{"credit_card_number": "XXXX-4242"}'),
        ('{"cvv_result_code": "M", "credit_card_company": "Visa"}',) * 2,
    ],
)
def test_a_json_field_of_card_data_is_masked_whatever_it_holds(before: str, after: str) -> None:
    assert check(before.encode(), JSON) == after.encode()


@pytest.mark.parametrize(
    ("pan", "secret", "never", "after"),
    [
        ("", "", "", "************3197"),
        ("", "", "c", PAN),
        ("", "", "b", "************3197"),
        ("c", "", "c", "************3197"),
        ("", "c", "c", "*" * 16),
        ("c", "c", "", "*" * 16),
        ("b/c", "c", "", "************3197"),
        ("c", "", "b/c", PAN),
        ("", "b/c", "b/c", PAN),
        ("", "b", "c", "*" * 16),
        ("c", "b", "", "*" * 16),
        ("b/c", "b", "", "************3197"),
        ("", "b", "b/c", PAN),
        ("", "", "x/c", "************3197"),
    ],
)
def test_the_nearest_name_decides(pan: str, secret: str, never: str, after: str) -> None:
    pans, secrets, nevers = (frozenset(name.split()) for name in (pan, secret, never))
    xml = f"<a><b><c>{PAN}</c></b></a>".encode()
    assert (
        check(xml, ScrubProfile("xml", pans, secrets, nevers)).decode()
        == f"<a><b><c>{after}</c></b></a>"
    )
    order = f'{{"a": {{"b": [{{"c": "{PAN}"}}]}}}}'.encode()
    assert (
        json.loads(check(order, ScrubProfile("json", pans, secrets, nevers)))["a"]["b"][0]["c"]
        == after
    )


def test_never_is_about_the_own_text_of_a_field() -> None:
    hidden = "************3197"
    sale = f"<ItemID a='{{0}}'>{PAN}<b>{{0}}</b>{PAN}<!--{{0}}--></ItemID><c>{{0}}</c>"
    assert check(sale.format(PAN).encode(), XML).decode() == sale.format(hidden)
    order = f'{{{{"id": ["{PAN}", {{{{"x": "{{0}}"}}}}], "y": "{{0}}"}}}}'
    assert check(order.format(PAN).encode(), JSON).decode() == order.format(hidden)


def luhn_valid(rng: random.Random, head: str, length: int) -> str:
    body = head + "".join(rng.choices("0123456789", k=length - len(head) - 1))
    return next(f"{body}{d}" for d in range(10) if luhn(f"{body}{d}".encode()))


def gtin(rng: random.Random, head: str, length: int) -> str:
    """A number that passes both as a GTIN and by Luhn."""
    while True:
        number = luhn_valid(rng, head, length)
        weighed = sum(int(d) * (3, 1)[i % 2] for i, d in enumerate(number[-2::-1]))
        if (weighed + int(number[-1])) % 10 == 0:
            return number


def test_10_000_luhn_valid_item_order_and_loyalty_numbers_survive() -> None:
    rng = random.Random(20260301)
    cards = lookalikes = 0
    for _ in range(1_000):
        anywhere = [gtin(rng, "", 8), gtin(rng, "", 12), gtin(rng, "4", 13), gtin(rng, "", 13)]
        anywhere.append("0" + gtin(rng, "", 13))
        protected = [
            gtin(rng, "3", 14),
            luhn_valid(rng, "4", 16),
            luhn_valid(rng, "37", 15),
            luhn_valid(rng, rng.choice("3456"), rng.randint(16, 19)),
            luhn_valid(rng, "4", 16).zfill(25),
        ]
        note = " / ".join(anywhere)
        items = "".join(f"<ItemID>{n}</ItemID>" for n in (*anywhere, *protected))
        ids = json.dumps({"id": int(protected[1]), "sku": protected[0], "order_id": protected[3]})
        for payload, profile in (
            (f"<s><n>{note}</n>{items}<LoyaltyID>{protected[2]}</LoyaltyID></s>", XML),
            (f'{{"note": "{note}", "ids": {ids}, "tracking": {json.dumps(protected)}}}', JSON),
            (note, TEXT),
        ):
            assert scrub(payload.encode(), profile) == payload.encode()
        lookalikes += len(anywhere) + len(protected)
        cards += sum(is_card(number.encode()) for number in protected)
    assert lookalikes == 10_000
    # The control: what survives above would have been taken for cards anywhere else.
    assert cards > 2_000


def test_the_number_of_a_loyalty_card_survives_and_that_of_a_payment_card_does_not() -> None:
    cards = "<LoyaltyCard>{}</LoyaltyCard><CreditDebit>{}</CreditDebit>"
    number = "<PrimaryAccountNumber>{}</PrimaryAccountNumber>"
    before = cards.format(number.format(PAN), number.format(PAN))
    after = cards.format(number.format(PAN), number.format("************3197"))
    assert check(before.encode(), XML).decode() == after


FORM = ScrubProfile(
    "form", pan=frozenset({"Pan"}), secret=frozenset({"Pin"}), never=frozenset({"Id"})
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Pin=12a%23&a=1234", "Pin=***%**&a=1234"),
        ("a=1&PIN=12", "a=1&PIN=**"),
        ("P%69n=12&a=1", "P%69n=**&a=1"),
        ("Pan=123456&a=123456", "Pan=**3456&a=123456"),
        (f"Id={PAN}&a=1", f"Id={PAN}&a=1"),
        (f"Id=1&a={PAN}", f"Id=1&a={'*' * 12}{PAN[-4:]}"),
        (f"Pin=&Id=x&Pi={PAN}", f"Pin=&Id=x&Pi={'*' * 12}{PAN[-4:]}"),
        ("Pin&Pin=1", "Pin&Pin=*"),
    ],
)
def test_fields_of_a_form(before: str, after: str) -> None:
    assert check(before.encode(), FORM).decode() == after

"""Card numbers are found nowhere that Lynchpin writes; numbers that only look alike survive."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING

import pytest

from hub import journal
from hub.demo import poslog_writer, shop, shop_writer, till
from hub.demo.receipt import Receipt
from hub.demo.retailer import NEW_YORK

if TYPE_CHECKING:
    from tests.e2e.conftest import House

SURVIVORS = 10_000
RECEIPT = next(e for e in till.day(NEW_YORK, seed=3) if isinstance(e, Receipt))
SALE = poslog_writer.transaction(RECEIPT).decode()
ORDER = json.loads(shop_writer.order(next(iter(shop.orders(1, seed=3)))))


def _luhn(digits: str) -> int:
    doubled = (int(d) * 2 if i % 2 else int(d) for i, d in enumerate(reversed(digits)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10


def _checked(body: str) -> str:
    """The number with the last digit that makes Luhn's sum come out."""
    return next(body + d for d in "0123456789" if _luhn(body + d) == 0)


# One of each brand's length and range, made up but for the range.
BRANDS = {
    "Visa": _checked("401288880000123"),
    "Visa of 19": _checked("401288880000123456"),
    "Mastercard": _checked("510510510510123"),
    "Mastercard of the new range": _checked("222300004840123"),
    "American Express": _checked("37144963539123"),
    "Diners": _checked("3056930902123"),
    "Discover": _checked("601100099013123"),
    "JCB": _checked("353011133330123"),
    "UnionPay": _checked("622126000000123"),
    "Maestro": _checked("675964982643123"),
}


XML_SPELLINGS: dict[str, Callable[[str], str]] = {
    "text": str,
    "decimal references": lambda n: "".join(f"&#{ord(d)};" for d in n),
    "hex references": lambda n: "".join(f"&#x{ord(d):x};" for d in n),
    "padded references": lambda n: "".join(f"&#x000{ord(d):X};" for d in n),
    "mixed": lambda n: "".join(f"&#{ord(d)};" if i % 2 else d for i, d in enumerate(n)),
    "groups": lambda n: " ".join(n[i : i + 4] for i in range(0, len(n), 4)),
}
XML_PLACES: dict[str, Callable[[str], str]] = {
    "tender": lambda n: SALE.replace(
        "<TenderID>",
        f"<CreditDebit><PrimaryAccountNumber>{n}</PrimaryAccountNumber></CreditDebit><TenderID>",
        1,
    ),
    "tender reference": lambda n: SALE.replace(
        "</Amount></Tender>",
        f"</Amount><Authorization><ReferenceNumber>{n}</ReferenceNumber></Authorization></Tender>",
        1,
    ),
    "description": lambda n: SALE.replace("<Description>", f"<Description>paid {n} ", 1),
    "note": lambda n: SALE.replace("</RetailTransaction>", f"<Note>{n}</Note></RetailTransaction>"),
    "attribute": lambda n: SALE.replace("<RetailTransaction", f'<RetailTransaction Note="{n}"', 1),
    "receipt number": lambda n: SALE.replace(
        "</RetailTransaction>", f"<ReceiptText>ref {n}</ReceiptText></RetailTransaction>"
    ),
}
XML_PLAIN_PLACES: dict[str, Callable[[str], str]] = {
    "comment": lambda n: SALE.replace("</RetailTransaction>", f"<!-- {n} --></RetailTransaction>"),
    "CDATA": lambda n: SALE.replace(
        "<Description>", f"<Note><![CDATA[{n}]]></Note><Description>", 1
    ),
    "instruction": lambda n: SALE.replace("</RetailTransaction>", f"<?x {n}?></RetailTransaction>"),
    "a broken total": lambda n: SALE.replace(
        '<Total TotalType="TransactionGrandAmount">',
        f'<Total TotalType="TransactionGrandAmount">{n}x',
        1,
    ),
    "a business date": lambda n: SALE.replace("<BusinessDayDate>", f"<BusinessDayDate>{n}x", 1),
}
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "UTF-16": lambda t: t.encode("utf-16"),
    "UTF-16-BE": lambda t: b"\xfe\xff" + t.encode("utf-16-be"),
    "UTF-16-LE without mark": lambda t: t.encode("utf-16-le"),
    "UTF-16-BE without mark": lambda t: t.encode("utf-16-be"),
}


def _day(*sales: str) -> str:
    return b"".join(
        poslog_writer.document((sale.encode() for sale in sales), dialect="v2")
    ).decode()


def _written(house: House) -> bytes:
    """All that lies in the home, packed payloads unpacked as well."""
    kept = [path.read_bytes() for path in house.home.rglob("*") if path.is_file()]
    kept += [str(path).encode() for path in house.home.rglob("*")]
    database = f"{(house.home / 'lynchpin.db').as_uri()}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        for statement in (
            "SELECT payload FROM message",
            "SELECT rest_payload FROM record WHERE rest_payload IS NOT NULL",
        ):
            kept += [journal.decompress(row[0]) for row in connection.execute(statement)]
    return b"\n".join(kept)


def _find(number: str, content: bytes) -> list[str]:
    """Every way in which the number, or a telling part of it, stands in the content."""
    forms = {
        "digits": number.encode(),
        "groups": " ".join(number[i : i + 4] for i in range(0, len(number), 4)).encode(),
        "decimal references": "".join(f"&#{ord(d)};" for d in number).encode(),
        "hex references": "".join(f"&#x{ord(d):x};" for d in number).encode(),
        "padded references": "".join(f"&#x000{ord(d):X};" for d in number).encode(),
        "JSON escapes": "".join(f"\\u{ord(d):04x}" for d in number).encode(),
        "UTF-16-LE": number.encode("utf-16-le"),
        "UTF-16-BE": number.encode("utf-16-be"),
        "without its end": number[:-4].encode(),
    }
    return [form for form, spelt in forms.items() if spelt in content]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("spelling", XML_SPELLINGS)
def test_card_in_a_sale_is_found_nowhere(house: House, spelling: str, encoding: str) -> None:
    sales = []
    for n, place in enumerate(XML_PLACES.values()):
        for m, (_, number) in enumerate(BRANDS.items()):
            sale = place(XML_SPELLINGS[spelling](number))
            assert sale != SALE
            sales.append(sale.replace("</SequenceNumber>", f"{n}{m:02}</SequenceNumber>", 1))
    report = house.send("poslog", ENCODINGS[encoding](_day(*sales)))
    assert (report.messages, report.refused) == (len(sales), 0)
    content = _written(house) + house.export().encode() + json.dumps(report.as_json()).encode()
    assert {brand: _find(number, content) for brand, number in BRANDS.items()} == {
        brand: [] for brand in BRANDS
    }


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("place", XML_PLAIN_PLACES)
def test_card_in_a_comment_or_in_what_is_held_is_found_nowhere(
    house: House, place: str, encoding: str
) -> None:
    sales = []
    for m, (_, number) in enumerate(BRANDS.items()):
        sale = XML_PLAIN_PLACES[place](number)
        assert sale != SALE
        sales.append(sale.replace("</SequenceNumber>", f"{m:02}</SequenceNumber>", 1))
    report = house.send("poslog", ENCODINGS[encoding](_day(*sales)))
    content = _written(house) + house.export().encode() + json.dumps(report.as_json()).encode()
    assert {brand: _find(number, content) for brand, number in BRANDS.items()} == {
        brand: [] for brand in BRANDS
    }


JSON_SPELLINGS: dict[str, Callable[[str], str]] = {
    "text": str,
    "escapes": lambda n: "".join(f"\\u{ord(d):04x}" for d in n),
    "escapes in capitals": lambda n: "".join(f"\\u{ord(d):04X}" for d in n),
    "mixed": lambda n: "".join(f"\\u{ord(d):04x}" if i % 2 else d for i, d in enumerate(n)),
    "groups": lambda n: "-".join(n[i : i + 4] for i in range(0, len(n), 4)),
}


def _order_with(number: str, index: int) -> str:
    """An order with a card number in a note, a tag, a key, a property and a payment."""
    body = ORDER | {
        "id": 9_000_000 + index,
        "note": f"paid with {number}",
        "tags": number,
        "payment_details": {"credit_card_number": number, "credit_card_bin": None},
        "note_attributes": [{"name": number, "value": "x"}, {"name": "x", "value": number}],
        f"key {number}": True,
    }
    return json.dumps(body)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("spelling", JSON_SPELLINGS)
def test_card_in_an_order_is_found_nowhere(house: House, spelling: str, encoding: str) -> None:
    bodies = [
        _order_with(f"@{number}@", m).replace(f"@{number}@", JSON_SPELLINGS[spelling](number))
        for m, (_, number) in enumerate(BRANDS.items())
    ]
    report = house.send("shopify", ENCODINGS[encoding]("\n".join(bodies)))
    assert (report.applied, report.refused) == (len(bodies), 0)
    content = _written(house) + house.export().encode() + json.dumps(report.as_json()).encode()
    assert {brand: _find(number, content) for brand, number in BRANDS.items()} == {
        brand: [] for brand in BRANDS
    }


def test_card_as_a_bare_number_is_found_nowhere(house: House) -> None:
    numbers = [number for _, number in BRANDS.items()]
    bodies = [json.dumps(ORDER | {"id": m, "x": int(n)}) for m, n in enumerate(numbers, 1)]
    report = house.send("shopify", "\n".join(bodies).encode())
    assert report.applied == len(bodies)
    content = _written(house)
    assert [_find(number, content) for number in numbers] == [[] for _ in numbers]


def test_card_in_a_torn_file_is_found_nowhere(house: House) -> None:
    number = BRANDS["Visa"]
    whole = _day(XML_PLACES["description"](number)).encode()
    cut = whole.index(number.encode()) + len(number)
    for content in (whole[: cut + 10], whole[cut + 10 :]):
        house.send("poslog", content)
        assert _find(number, _written(house)) == []
    assert house.held() == []


def test_card_is_found_in_no_output_of_the_program(house: House) -> None:
    number = BRANDS["Mastercard"]
    broken = XML_PLAIN_PLACES["a broken total"](number).replace(
        "</SequenceNumber>", "9</SequenceNumber>", 1
    )
    day = _day(XML_PLACES["description"](number), broken)
    file = house.file(day.encode(), f"day {number}.xml")
    order = house.file(_order_with(number, 1).encode(), f"{number}.json")
    lynchpin = house.lynchpin
    runs = [
        lynchpin("receive", "poslog", file, "--json"),
        lynchpin("receive", "poslog", file),
        lynchpin("receive", "shopify", order, "--json"),
        lynchpin("receive", "poslog", house.folder / f"{number} missing.xml"),
    ]
    [held] = house.holds()
    name = f"{RECEIPT.store.number}/{RECEIPT.till}/{RECEIPT.business_date}/{RECEIPT.sequence}"
    runs += [
        lynchpin("message", "find"),
        lynchpin("message", "show", "1"),
        lynchpin("message", "show", str(held), "--json"),
        lynchpin("hold", "list"),
        lynchpin("hold", "show", str(held)),
        lynchpin("transaction", "show", name),
        lynchpin("order", "show", str(9_000_001), "--json"),
        lynchpin("explain", name),
        lynchpin("explain", str(9_000_001), "--json"),
        lynchpin("export"),
        lynchpin("transaction", "show", number),
        lynchpin("receive", number, file),
        lynchpin("explain", name, number),
    ]
    for run in runs:
        assert _find(number, (run.stdout + run.stderr).encode()) == [], run.args
    assert [run.returncode for run in runs] == [0, 0, 0, 1, *[0] * 10, 2, 1, 2]
    assert _find(number, _written(house)) == []


def _many(dice: Random, length: int, first: str = "") -> list[str]:
    """Different numbers that all pass Luhn's check."""
    numbers: set[str] = set()
    while len(numbers) < SURVIVORS:
        rest = length - len(first) - 1
        numbers.add(_checked(first + "".join(str(dice.randrange(10)) for _ in range(rest))))
    return sorted(numbers)


@pytest.mark.parametrize(("length", "first"), [(13, ""), (14, "3"), (14, "")])
def test_item_numbers_of_sales_survive(house: House, length: int, first: str) -> None:
    numbers = _many(Random(f"gtin {length}"), length, first)
    begin, end = SALE.index("<LineItem"), SALE.rindex("</LineItem>") + len("</LineItem>")
    lines = 100
    sales = []
    for n in range(0, SURVIVORS, lines):
        items = "".join(
            f"<LineItem><SequenceNumber>{k}</SequenceNumber><Sale>"
            f'<POSIdentity POSIDType="GTIN"><POSItemID>{number}</POSItemID>'
            "</POSIdentity><ExtendedAmount>1.00</ExtendedAmount>"
            "<Quantity>1</Quantity></Sale></LineItem>"
            for k, number in enumerate(numbers[n : n + lines], 1)
        )
        sale = SALE[:begin] + items + SALE[end:]
        sales.append(sale.replace("</SequenceNumber>", f"{n}</SequenceNumber>", 1))
    assert house.send("poslog", _day(*sales).encode()).applied == len(sales)
    exported = [
        identifier["value"]
        for line in house.export("Transaction").splitlines()
        for item in json.loads(line)["document"]["lines"]
        for identifier in item.get("item", [])
    ]
    assert sorted(exported) == numbers


def test_loyalty_numbers_survive(house: House) -> None:
    # The length and the beginning of a card number, and yet the number of a member.
    cards = _many(Random("loyalty"), 16, "60")
    member = next(
        poslog_writer.transaction(entry).decode()
        for entry in till.day(NEW_YORK, seed=3)
        if isinstance(entry, Receipt) and entry.loyalty
    )
    begin = member.index("<acs:LoyaltyMembership>")
    end = member.index("</acs:LoyaltyMembership>")
    sales = []
    for n, card in enumerate(cards):
        loyalty = (
            f'<acs:LoyaltyMembership><acs:LoyaltyID Type="Membership">{card}</acs:LoyaltyID>'
            f"<acs:MembershipID>{card}</acs:MembershipID>"
        )
        sale = member[:begin] + loyalty + member[end:]
        sales.append(sale.replace("</SequenceNumber>", f"{n}</SequenceNumber>", 1))
    assert house.send("poslog", _day(*sales).encode()).applied == SURVIVORS
    exported = {
        identifier["value"]
        for line in house.export("Transaction").splitlines()
        for identifier in json.loads(line)["document"]["customers"]
    }
    assert exported == set(cards)


def test_ids_and_stock_numbers_of_a_shop_survive(house: House) -> None:
    ids, skus = _many(Random("ids"), 16, "4"), _many(Random("skus"), 16, "5")
    lines = 100
    bodies = []
    for n in range(0, SURVIVORS, lines):
        items = [
            ORDER["line_items"][0] | {"id": int(ids[k]), "sku": skus[k], "product_id": int(skus[k])}
            for k in range(n, n + lines)
        ]
        bodies.append(json.dumps(ORDER | {"id": int(ids[n]), "line_items": items}))
    assert house.send("shopify", "\n".join(bodies).encode()).applied == len(bodies)
    orders = [json.loads(line)["document"] for line in house.export("Order").splitlines()]
    assert sorted(order["id"] for order in orders) == ids[::lines]
    rows = [line for order in orders for line in order["lines"]]
    assert sorted(line["id"] for line in rows) == ids
    found = {i["value"] for line in rows for i in line["item"] if i["kind"] == "sku"}
    assert found == set(skus)

"""The invented retailer: its stores, what they sell, who works and who shops there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

__all__ = [
    "CATALOGUE",
    "NEW_YORK",
    "NEW_YORK_UPTOWN",
    "OPERATORS",
    "STORES",
    "VIENNA",
    "Article",
    "Operator",
    "Person",
    "Store",
    "check_digit",
    "person",
]

Currency = Literal["EUR", "USD"]
TaxClass = Literal["standard", "reduced"]

_FIRST_LOYALTY_CARD = 9_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A store. ``dialect`` is the POSLog version that its tills speak."""

    number: str
    name: str
    zone: str
    currency: Currency
    country: Literal["AT", "US"]
    phone: str
    mail_domain: str
    dialect: Literal["v2", "v6"]
    tax_included: bool
    tax_percent: dict[TaxClass, Decimal]
    tills: tuple[str, ...]

    def instant(self, at: datetime) -> datetime:
        """The store's wall clock with the offset that its zone has at that time."""
        return at.replace(tzinfo=ZoneInfo(self.zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """Something the retailer sells; a weighed one is priced by the kilogram or pound."""

    sku: str
    gtin: str
    name: str
    department: str
    tax: TaxClass
    price: dict[Currency, Decimal]
    weighed: bool


@dataclass(frozen=True, slots=True)
class Operator:
    """Who stands at the till."""

    number: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A customer: ``number`` is the shop's own id, ``card`` the loyalty card."""

    number: int
    given_name: str
    family_name: str
    email: str
    phone: str
    street: str
    city: str
    postal_code: str
    country: Literal["AT", "US"]
    card: str
    household: str


def check_digit(digits: str) -> str:
    """The GS1 check digit of a number without one.

    >>> check_digit("952000000001")
    '7'
    """
    weighted = (int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits)))
    return str(-sum(weighted) % 10)


def person(number: int) -> Person:
    """The person of that number, the same for ever; every two share a household."""
    given = _GIVEN_NAMES[number % len(_GIVEN_NAMES)]
    family = _FAMILY_NAMES[number // 2 % len(_FAMILY_NAMES)]
    austrian = number // 2 % 3 == 0
    return Person(
        number=number,
        given_name=given,
        family_name=family,
        email=f"{given}.{family}.{number}@example.org".lower(),
        # North America keeps 555-0100 to 555-0199 free for fiction; Austria has no such range.
        phone=f"+43 1 555 01{number % 100:02d}" if austrian else f"+1 212 555 01{number % 100:02d}",
        street=f"{number // 2 % 900 + 1} Example Street",
        city="Musterstadt" if austrian else "Sampletown",
        postal_code="0000" if austrian else "00000",
        country="AT" if austrian else "US",
        card=str(_FIRST_LOYALTY_CARD + 10 * number + 1),
        household=str(_FIRST_LOYALTY_CARD + 10 * (number // 2)),
    )


def _articles() -> tuple[Article, ...]:
    return tuple(
        Article(
            sku=f"SAMPLE-{row:03d}",
            gtin=_gtin(row, weighed=weighed),
            name=name,
            department=department,
            tax="standard" if department in _STANDARD_TAX else "reduced",
            price={"EUR": Decimal(eur), "USD": Decimal(usd)},
            weighed=weighed,
        )
        for row, (name, department, eur, usd, weighed) in enumerate(_SHELF, start=1)
    )


def _gtin(row: int, *, weighed: bool) -> str:
    # GS1 keeps the prefix 952 for demonstrations and 02 for goods weighed inside a store.
    body = f"02{row:05d}00000" if weighed else f"952{row:09d}"
    return body + check_digit(body)


_GIVEN_NAMES = ("Ada", "Bo", "Cleo", "Dot", "Edi", "Flo", "Gus", "Hedi", "Ivo", "Juno", "Kit")
_FAMILY_NAMES = ("Example", "Sample", "Specimen", "Placeholder", "Mustermann", "Fixture", "Dummy")

_STANDARD_TAX = ("6", "7", "8")
"""Departments whose goods are no food."""

_SHELF = (
    ("EXAMPLE APPLES", "1", "2.49", "2.99", True),
    ("PLACEHOLDER PEARS", "1", "3.29", "3.79", True),
    ("SAMPLE CHEESE", "2", "18.90", "12.49", True),
    ("SPECIMEN SAUSAGE", "3", "14.50", "8.99", True),
    ("DUMMY DUMPLINGS", "4", "4.19", "4.99", False),
    ("EXAMPLE ESPRESSO", "4", "7.99", "9.49", False),
    ("FIXTURE FLAKES", "4", "3.49", "4.29", False),
    ("GENERIC GHERKINS", "4", "2.29", "2.79", False),
    ("INVENTED ICE TEA", "5", "1.79", "2.19", False),
    ("MOCK MILK", "5", "1.39", "1.99", False),
    ("NOMINAL NOODLES", "4", "1.59", "1.89", False),
    ("PRETEND PRETZELS", "4", "2.59", "3.29", False),
    ("SAMPLE SALT & PEPPER", "4", "3.99", "4.49", False),
    ("TEST TOMATOES", "4", "1.19", "1.49", False),
    ("UNREAL UMBRELLA", "6", "19.90", "24.00", False),
    ("VIRTUAL VASE", "6", "29.00", "34.50", False),
    ("WOULD-BE WALLET", "6", "49.00", "59.00", False),
    ("EXAMPLE EARBUDS", "7", "39.90", "44.90", False),
    ("FICTIONAL FLASHLIGHT", "7", "12.50", "14.99", False),
    ("SUPPOSED SOAP", "8", "2.99", "3.49", False),
    ("TOKEN TOOTHPASTE", "8", "3.19", "3.99", False),
    ("ÜBUNGS-ÖL", "4", "8.49", "9.99", False),
)

CATALOGUE = _articles()
"""Everything on sale. One name is not ASCII, so that encodings are put to the test."""

OPERATORS = (
    Operator("101", "Op Example"),
    Operator("102", "Op Sample"),
    Operator("103", "Op Specimen"),
)

VIENNA = Store(
    number="0043",
    name="Example Vienna",
    zone="Europe/Vienna",
    currency="EUR",
    country="AT",
    phone="+43 1 555 0100",
    mail_domain="example.com",
    dialect="v6",
    tax_included=True,
    tax_percent={"standard": Decimal(20), "reduced": Decimal(10)},
    tills=("1", "2"),
)
NEW_YORK = Store(
    number="9001",
    name="Example New York",
    zone="America/New_York",
    currency="USD",
    country="US",
    phone="+1 212 555 0100",
    mail_domain="example.com",
    dialect="v2",
    tax_included=False,
    tax_percent={"standard": Decimal("8.875"), "reduced": Decimal(0)},
    tills=("1", "2", "31"),
)
NEW_YORK_UPTOWN = Store(
    number="9002",
    name="Example New York Uptown",
    zone="America/New_York",
    currency="USD",
    country="US",
    phone="+1 212 555 0101",
    mail_domain="example.com",
    dialect="v2",
    tax_included=False,
    tax_percent={"standard": Decimal("8.875"), "reduced": Decimal(0)},
    tills=("1", "2"),
)

STORES = (VIENNA, NEW_YORK, NEW_YORK_UPTOWN)
"""Three stores in two zones and two currencies."""

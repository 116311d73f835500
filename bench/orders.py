"""Invented orders in a neutral shape, for measuring. The same seed gives the same orders."""

from __future__ import annotations

import random
from typing import Any

__all__ = ["orders"]

_GOODS = ("Lamp", "Kettle", "Blanket", "Teapot", "Bookend", "Vase", "Stool", "Clock", "Tray")
_PLACES = (("Examplestadt", "1010", "AT"), ("Sampleville", "12345", "US"), ("Testham", "SW1", "GB"))


def orders(n: int, *, seed: int, lines: int = 10) -> list[dict[str, Any]]:
    """Orders as a JSON reader gives them: money as text, quantities as whole numbers."""
    dice = random.Random(seed)
    return [_order(dice, number, lines) for number in range(n)]


def _order(dice: random.Random, number: int, count: int) -> dict[str, Any]:
    lines = [_line(dice, index) for index in range(count)]
    cents = sum(line["quantity"] * int(line["price"].replace(".", "")) for line in lines)
    town, postal_code, country = dice.choice(_PLACES)
    minute = dice.randrange(60)
    return {
        "id": 70_000 + number,
        "name": f"#{70_000 + number}",
        "source": dice.choice(("web", "web", "pos", "phone")),
        "created_at": f"2026-03-{dice.randint(1, 28):02}T17:{minute:02}:09+01:00",
        "payment_state": dice.choice(("pending", "paid", "paid")),
        "currency": "EUR",
        "email": f"ann{number}@shop.example",
        "customer": {"first_name": "Ann", "last_name": f"Example{number}", "phone": None},
        "shipping_address": {
            "name": f"Ann Example{number}",
            "address1": f"{dice.randint(1, 99)} Sample Street",
            "address2": "",
            "city": town,
            "zip": postal_code,
            "country_code": country,
        },
        "line_items": lines,
        "lines_total": _money(cents),
        "tax_total": _money(cents // 6),
        "total": _money(cents),
        "note": None,
    }


def _line(dice: random.Random, index: int) -> dict[str, Any]:
    good = dice.choice(_GOODS)
    return {
        "id": 900_000 + dice.randrange(100_000),
        "sku": f"{good[:3].upper()}-{dice.randrange(10_000):04}",
        "title": f"{good} no. {index + 1}",
        "quantity": dice.randint(1, 4),
        "price": _money(dice.randint(100, 20_000)),
        "discount": "0.00" if index % 3 else None,
    }


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"

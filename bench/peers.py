"""Other mapping languages at ``peers.yaml``: each as its documentation recommends, compiled once.

None of them leaves out what is absent, reads money exactly and knows code tables, so the orders
that they get have every field, and amounts are whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import glom
import jmespath
from jsonata import Jsonata

__all__ = ["PEERS", "Map", "complete"]

Map = Callable[[dict[str, Any]], Any]

_JMESPATH = """{
  id: id, number: name, channel: source, payment: payment_state, currency: currency,
  customer: {email: email, given_name: customer.first_name, family_name: customer.last_name},
  ship_to: {name: shipping_address.name, lines: [shipping_address.address1],
            city: shipping_address.city, postal_code: shipping_address.zip,
            country: shipping_address.country_code},
  lines: line_items[].{id: id, item: [{kind: 'sku', value: sku}], description: title,
                       quantity: quantity, unit_price: price},
  lines_total: lines_total, tax_total: tax_total, total: total
}"""

_JSONATA = """{
  "id": id, "number": name, "channel": source, "payment": payment_state, "currency": currency,
  "customer": {"email": email, "given_name": customer.first_name,
               "family_name": customer.last_name},
  "ship_to": {"name": shipping_address.name, "lines": [shipping_address.address1],
              "city": shipping_address.city, "postal_code": shipping_address.zip,
              "country": shipping_address.country_code},
  "lines": [line_items.{"id": id, "item": [{"kind": "sku", "value": sku}],
                        "description": title, "quantity": quantity, "unit_price": price}],
  "lines_total": lines_total, "tax_total": tax_total, "total": total
}"""

_GLOM = {
    "id": "id",
    "number": "name",
    "channel": "source",
    "payment": "payment_state",
    "currency": "currency",
    "customer": {
        "email": "email",
        "given_name": "customer.first_name",
        "family_name": "customer.last_name",
    },
    "ship_to": {
        "name": "shipping_address.name",
        "lines": glom.Fill([glom.T["shipping_address"]["address1"]]),
        "city": "shipping_address.city",
        "postal_code": "shipping_address.zip",
        "country": "shipping_address.country_code",
    },
    "lines": (
        "line_items",
        [
            {
                "id": "id",
                "item": glom.Fill([{"kind": "sku", "value": glom.T["sku"]}]),
                "description": "title",
                "quantity": "quantity",
                "unit_price": "price",
            }
        ],
    ),
    "lines_total": "lines_total",
    "tax_total": "tax_total",
    "total": "total",
}


def _glom() -> Map:
    glommer = glom.Glommer()
    return lambda body: glommer.glom(body, _GLOM)


PEERS: dict[str, Map] = {
    "jmespath": jmespath.compile(_JMESPATH).search,
    "glom": _glom(),
    "jsonata-python": Jsonata(_JSONATA).evaluate,
}
"""From a name to a function that maps an order."""


def complete(body: dict[str, Any]) -> dict[str, Any]:
    """An order of ``bench.orders`` as every peer can take it: ids as text, amounts in cents."""
    lines = [
        {**line, "id": str(line["id"]), "price": _cents(line["price"])}
        for line in body["line_items"]
    ]
    amounts = {name: _cents(body[name]) for name in ("lines_total", "tax_total", "total")}
    return {**body, **amounts, "id": str(body["id"]), "line_items": lines}


def _cents(amount: str) -> int:
    return int(amount.replace(".", ""))

"""Money: decimal amounts with an ISO 4217 currency, never a float.

A document states its currency once (``Transaction.currency``, ``Order.currency``) and its amounts
are plain decimals in it. ``Money`` carries its own currency and is used where another one may
appear: a foreign tender, the price that the shop's customer saw.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints

from schemas.model import Canonical

__all__ = ["Amount", "Currency", "Money", "Quantity", "Rate", "plain"]


def plain(number: Decimal) -> str:
    """Write a decimal digit for digit, without an exponent: ``Decimal('1E+2')`` gives ``100``."""
    text = str(number)
    return format(number, "f") if "E" in text else text


_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]{1,16})?")


def _no_float(value: object) -> object:
    """Let through what is exact; pydantic alone would take a float and digits of any script."""
    if type(value) is Decimal or type(value) is int:
        return value
    if type(value) is str and _NUMBER.fullmatch(value):
        return value
    raise ValueError("a decimal number was expected, as text and never as a float")


_Plain = PlainSerializer(plain, return_type=str, when_used="json")
_Exact = BeforeValidator(_no_float)

Amount = Annotated[Decimal, Field(max_digits=24, decimal_places=8), _Exact, _Plain]
"""An amount in the document's currency, signed by its effect on the total, digits as sent."""

Quantity = Annotated[Decimal, Field(max_digits=24, decimal_places=8), _Exact, _Plain]
"""A count, weight or volume, signed like its amount."""

Rate = Annotated[Decimal, Field(max_digits=28, decimal_places=14), _Exact, _Plain]
"""A ratio: a tax rate in percent, or units of the document's currency for one foreign unit."""

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""An ISO 4217 code."""


class Money(Canonical):
    """An amount that names its own currency."""

    amount: Amount
    currency: Currency

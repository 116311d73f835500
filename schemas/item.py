"""An Item: something that can be sold. Reference data."""

from __future__ import annotations

from schemas.identifier import Identifier
from schemas.model import Canonical, Id, Text

__all__ = ["Item"]


class Item(Canonical):
    """One thing that may carry many numbers: GTIN at the till, SKU and variant id in the shop.

    ``item`` is the retailer's own number. An identifier without an issuer is global (a GTIN).
    """

    item: Id
    name: Text | None = None
    category: Text | None = None
    identifiers: tuple[Identifier, ...] = ()

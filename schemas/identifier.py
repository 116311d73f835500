"""An identifier: a value that some issuer uses to name a person or a thing."""

from __future__ import annotations

from schemas.model import Canonical, Code, Id

__all__ = ["Identifier"]


class Identifier(Canonical):
    """``kind`` says which number it is, ``issuer`` whose.

    Kinds of a person: ``loyalty``, ``membership``, ``household``, ``customer``, ``email``,
    ``phone``, ``visitor`` (a browser or device, whoever uses it). Kinds of an item: ``gtin``,
    ``sku``, ``variant``, ``product``, ``plu``.
    Without an issuer the identifier belongs to the document's own system.
    """

    kind: Code
    value: Id
    issuer: Id | None = None

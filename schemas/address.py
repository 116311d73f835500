"""A postal address, as the customer typed it."""

from __future__ import annotations

from schemas.model import Canonical, Text

__all__ = ["Address"]


class Address(Canonical):
    """``country`` and ``region`` are ISO 3166 codes where the source has them, else its words."""

    name: Text | None = None
    given_name: Text | None = None
    family_name: Text | None = None
    company: Text | None = None
    lines: tuple[Text, ...] = ()
    city: Text | None = None
    region: Text | None = None
    postal_code: Text | None = None
    country: Text | None = None
    phone: Text | None = None

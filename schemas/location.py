"""A Location: a place of the retailer where sales happen. Reference data."""

from __future__ import annotations

from schemas.model import Canonical, Id, Text
from schemas.money import Currency

__all__ = ["Location"]


class Location(Canonical):
    """A store, named per system as that system writes it (``9``, ``0009``).

    ``phones`` and ``mail_domains`` are the retailer's own: they identify no customer.
    """

    system: Id
    store: Id
    name: Text | None = None
    zone: Text
    """IANA name, such as ``Europe/Vienna``."""
    currency: Currency
    banner: Text | None = None
    country: Text | None = None
    phones: tuple[Text, ...] = ()
    mail_domains: tuple[Text, ...] = ()

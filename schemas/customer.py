"""A Customer: one source's record of a person. The single profile is built above it."""

from __future__ import annotations

from datetime import date

from schemas.address import Address
from schemas.identifier import Identifier
from schemas.model import Canonical, Code, Id, Text
from schemas.moment import Moment

__all__ = ["Consent", "ContactPoint", "Customer"]


class ContactPoint(Canonical):
    """A way to reach the person, as the source wrote it."""

    kind: Code
    value: Text
    verified: bool | None = None


class Consent(Canonical):
    """An event: the person allowed or refused a purpose, in words of a known version."""

    purpose: Code
    channel: Code | None = None
    given: bool
    at: Moment | None = None
    text_version: Text | None = None


class Customer(Canonical):
    """A restatable snapshot of a person in one system."""

    system: Id
    id: Id
    identifiers: tuple[Identifier, ...] = ()
    given_name: Text | None = None
    family_name: Text | None = None
    born_on: date | None = None
    language: Code | None = None
    contact_points: tuple[ContactPoint, ...] = ()
    addresses: tuple[Address, ...] = ()
    consents: tuple[Consent, ...] = ()
    created_at: Moment | None = None
    updated_at: Moment | None = None
    state: Code | None = None
    note: Text | None = None
    tags: tuple[Text, ...] = ()

"""A claim: a document says that one of its person's identifiers is this one.

Claims are drawn from immutable documents and kept apart from any decision about who is who, so
that another way of matching can be put above the same claims later.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import phonenumbers

from schemas.address import Address
from schemas.customer import Customer
from schemas.identifier import Identifier
from schemas.interaction import Interaction
from schemas.model import Canonical
from schemas.order import Order
from schemas.transaction import Transaction

__all__ = ["JOINING", "Claim", "claims_of", "email", "folded", "loyalty", "phone"]

JOINING = ("customer", "loyalty", "membership", "email", "phone", "visitor")
"""Kinds that say two documents are one person's, the strongest first: a browser is shared more
easily than a phone. A household is several people, and a name is anybody's: those join nobody."""

_PADDED = ("loyalty", "membership", "household")


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """``issuer`` is the system whose number it is; empty for what is the same everywhere."""

    kind: str
    value: str
    issuer: str = ""


def claims_of(model: Canonical, *, region: str | None) -> tuple[Claim, ...]:
    """Everything a canonical document says about who its person is, sorted, each once.

    ``region`` is where a phone number without country code is from, unless an address tells.
    """
    found: Iterator[Claim] = iter(())
    if isinstance(model, Customer):
        found = _customer(model, region)
    elif isinstance(model, Order):
        found = _order(model, region)
    elif isinstance(model, (Transaction, Interaction)):
        found = _identified(model.customers, model.system, region)
    return tuple(sorted(set(found)))


def _customer(model: Customer, region: str | None) -> Iterator[Claim]:
    yield Claim("customer", model.id, model.system)
    yield from _identified(model.identifiers, model.system, region)
    countries = [country for a in model.addresses if (country := _country(a))]
    home = countries[0] if countries else region
    for point in model.contact_points:
        yield from _identified(
            (Identifier(kind=point.kind, value=point.value),), model.system, home
        )
    for address in model.addresses:
        yield from _phone(address.phone, _country(address) or region)
        yield from _name(address.given_name, address.family_name)
    yield from _name(model.given_name, model.family_name)


def _order(model: Order, region: str | None) -> Iterator[Claim]:
    """Who pays is the person; the goods may go to somebody else."""
    home = (_country(model.bill_to) if model.bill_to else None) or region
    if model.customer is not None:
        yield from _identified(model.customer.identifiers, model.system, home)
        yield from _email(model.customer.email)
        yield from _phone(model.customer.phone, home)
        yield from _name(model.customer.given_name, model.customer.family_name)
    if model.bill_to is not None:
        yield from _phone(model.bill_to.phone, home)
        yield from _name(model.bill_to.given_name, model.bill_to.family_name)


def _identified(
    identifiers: Iterable[Identifier], system: str, region: str | None
) -> Iterator[Claim]:
    for identifier in identifiers:
        if identifier.kind == "email":
            yield from _email(identifier.value)
        elif identifier.kind == "phone":
            yield from _phone(identifier.value, region)
        elif identifier.kind in _PADDED:
            if number := loyalty(identifier.value):
                yield Claim(identifier.kind, number)
        else:
            yield Claim(identifier.kind, identifier.value, identifier.issuer or system)


def _email(text: str | None) -> Iterator[Claim]:
    if text and (address := email(text)):
        yield Claim("email", address)


def _phone(text: str | None, region: str | None) -> Iterator[Claim]:
    if text and (number := phone(text, region)):
        yield Claim("phone", number)


def _name(given: str | None, family: str | None) -> Iterator[Claim]:
    """Whole names only, in either order, and the family name alone: what people ask for."""
    if not family or not (alone := folded(family)):
        return
    yield Claim("name", alone)
    if given and (first := folded(given)):
        yield Claim("name", f"{first} {alone}")
        yield Claim("name", f"{alone} {first}")


def _country(address: Address | None) -> str | None:
    """A country as ISO code; its words, which some systems send, tell no region."""
    country = (address.country or "").strip().upper() if address else ""
    return country if len(country) == 2 and country.isascii() and country.isalpha() else None


def email(text: str) -> str | None:
    """An e-mail address as it compares, or ``None`` for what is none."""
    address = text.strip().casefold()
    local, at, domain = address.rpartition("@")
    return address if at and local and "." in domain and " " not in address else None


def phone(text: str, region: str | None) -> str | None:
    """A phone number as E.164, or ``None`` for what cannot be one."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def loyalty(text: str) -> str | None:
    """A card number as it compares: tills pad with zeros, and all zeros are nobody's."""
    return text.strip().lstrip("0") or None


def folded(text: str) -> str:
    """A name as it is searched: small letters without accents, single spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())

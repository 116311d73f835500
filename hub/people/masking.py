"""Masking: canonical documents as somebody may see them who need not know who the person is.

Every field of the canonical models is hidden unless it is listed here, either as harmless or with
a mask that leaves what a desk needs to recognise its customer. No mask shows how long a value is.
What the retailer names itself stands open: stores, tills, staff, articles, campaigns, and the
numbers of orders, receipts and accounts, which name documents all over the hub.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, get_args

import phonenumbers
from pydantic import BaseModel

from schemas.address import Address
from schemas.control import Control
from schemas.customer import Consent, ContactPoint, Customer
from schemas.envelope import DOCUMENTS
from schemas.identifier import Identifier
from schemas.interaction import Interaction
from schemas.model import Canonical
from schemas.moment import Moment
from schemas.money import Money
from schemas.order import (
    Attribution,
    Fulfilment,
    FulfilmentLine,
    Order,
    OrderCustomer,
    OrderDiscount,
    OrderLine,
    OrderTax,
    Shipping,
)
from schemas.reversal import Reversal, ReversalAdjustment, ReversalLine, ReversalPayment
from schemas.transaction import (
    Card,
    ChargeLine,
    DiscountLine,
    ItemLine,
    RoundingLine,
    TaxLine,
    Tender,
    Transaction,
    TransactionLink,
    TransactionRef,
)

__all__ = ["HARMLESS", "HIDDEN", "MASKS", "body", "identifier", "initials"]

HIDDEN = "***"
"""Stands for a value of which nothing is shown."""

_NAMES_MAX = 2
_TAIL = 4
_TAIL_FROM = 8
"""Of a shorter number the last four digits would be most of it."""
_PHONE_FROM = 7
_DOMAIN_ENDING = re.compile(r"[a-z]{2,6}")

Mask = Callable[[Any], Any]


def initials(name: str) -> str:
    """``Ann Example`` as ``A. E.``: of the first word and of the last one."""
    words = [word for word in name.split() if word[0].isalpha()]
    shown = words if len(words) <= _NAMES_MAX else [words[0], words[-1]]
    return " ".join(f"{word[0].upper()}." for word in shown) or HIDDEN


def email(address: str) -> str:
    """``ann@example.org`` as ``a***@e***.org``."""
    local, at, domain = address.strip().rpartition("@")
    host, dot, ending = domain.rpartition(".")
    if not (at and local and host and dot and _DOMAIN_ENDING.fullmatch(ending.lower())):
        return HIDDEN
    return f"{local[0]}{HIDDEN}@{host[0]}{HIDDEN}.{ending}"


def phone(text: str) -> str:
    """``+43 1 5550123`` as ``+43 *** 23``: the country code, if it has one, and two digits."""
    digits = re.sub(r"[^0-9]", "", text)
    if len(digits) < _PHONE_FROM:
        return HIDDEN
    shown = f"{HIDDEN} {digits[-2:]}"
    try:
        return f"+{phonenumbers.parse(text).country_code} {shown}"
    except phonenumbers.NumberParseException:
        return shown


def number(text: str) -> str:
    """The last four digits of a long number, as receipts print those of cards."""
    tail = text[-_TAIL:]
    known = len(text) >= _TAIL_FROM and tail.isascii() and tail.isdigit()
    return f"{HIDDEN}{tail}" if known else HIDDEN


def postcode(text: str) -> str:
    """The part of the country: ``1010`` as ``10***``."""
    return f"{text[:2]}{HIDDEN}" if len(text) >= _TAIL else HIDDEN


def hidden(value: Any) -> str:
    """Nothing of it."""
    return HIDDEN


def identifier(kind: str, value: str) -> str:
    """An identifier of a person, or a way to reach one, by its kind."""
    mask: Callable[[str], str] = _BY_KIND.get(kind, hidden)
    # Some shops let an e-mail address be the number of a card or an account.
    return email(value) if kind in _BY_KIND and "@" in value else mask(value)


_BY_KIND: dict[str, Callable[[str], str]] = {
    "email": email,
    "phone": phone,
    "loyalty": number,
    "membership": number,
    "household": number,
    "customer": number,
    "name": initials,
}


def body(kind: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a canonical document of this kind, as it is stored, with its people masked.

    It keeps its structure: whatever has a path in the one has the same path in the other.
    """
    masked: dict[str, Any] = _BY_DOCUMENT[kind](document)
    return masked


_OPEN: dict[type[Canonical], str] = {
    Address: "country",
    Attribution: "campaign",
    Card: "brand type last4",
    ChargeLine: "kind number amount counts void entry",
    Consent: "purpose channel given text_version",
    ContactPoint: "kind verified",
    Control: """system store workstation business_date sequence operator kind currency amount
        transaction_count""",
    Customer: "system id language state",
    DiscountLine: """kind number amount counts void entry promotion description scope
        applies_to""",
    Fulfilment: "id status carrier",
    FulfilmentLine: "line quantity",
    Identifier: "kind issuer",
    Interaction: "system id kind direction store agent orders campaign outcome",
    ItemLine: """kind number amount counts void entry item description department quantity unit
        unit_price regular_price discount tax_included order""",
    Moment: "local offset zone utc zone_origin",
    Money: "amount currency",
    Order: """system id number channel owner fulfilled_by cancel_reason life payment fulfilment
        test currency presentment_currency tax_included lines_total discount_total subtotal
        tax_total tip_total total store""",
    OrderCustomer: "",
    OrderDiscount: "kind amount",
    OrderLine: """id item description quantity unit_price discount gift_card needs_shipping
        fulfilment_status""",
    OrderTax: "name rate amount",
    Reversal: "system id order kind currency operator",
    ReversalAdjustment: "kind amount tax",
    ReversalLine: "id order_line quantity amount unit_price tax restock",
    ReversalPayment: "id kind status amount currency gateway",
    RoundingLine: "kind number amount counts void entry",
    Shipping: "name code amount",
    TaxLine: "kind number amount counts void entry tax_id taxable rate",
    Tender: "number kind role code amount counts void cash_back exchange_rate",
    Transaction: """system store workstation business_date sequence native_id receipt operator
        status training offline currency tax_included total tax""",
    TransactionLink: "kind",
    TransactionRef: "store workstation business_date sequence native_id receipt line",
}

HARMLESS = {model: frozenset(names.split()) for model, names in _OPEN.items()}
"""Fields that name nobody, by model. ``item`` numbers an article, not a person."""

MASKS: dict[type[Canonical], dict[str, Mask]] = {
    Address: {
        "name": initials,
        "given_name": initials,
        "family_name": initials,
        "company": hidden,
        "lines": hidden,
        "city": hidden,
        "region": hidden,
        "postal_code": postcode,
        "phone": phone,
    },
    # The addresses of pages say who came, as often as not.
    Attribution: {"landing": hidden, "referrer": hidden},
    # A gift card's own number: whoever has it, has the money.
    ChargeLine: {"description": hidden, "reference": number},
    Control: {"reason": hidden},
    Customer: {
        "given_name": initials,
        "family_name": initials,
        "born_on": hidden,
        "note": hidden,
        "tags": hidden,
    },
    DiscountLine: {"coupon": number},
    # With a number of the carrier the address can be looked up.
    Fulfilment: {"tracking": number},
    Interaction: {"subject": hidden},
    ItemLine: {"reason": hidden},
    Order: {"note": hidden, "tags": hidden},
    OrderCustomer: {
        "given_name": initials,
        "family_name": initials,
        "email": email,
        "phone": phone,
    },
    OrderDiscount: {"code": number},
    Reversal: {"reason": hidden},
    ReversalAdjustment: {"reason": hidden},
    Tender: {"authorization": number, "reference": number},
    Transaction: {"note": hidden},
    TransactionLink: {"reason": hidden},
}
"""What is shown of the others. A field that stands in neither table is hidden whole."""


def _models(annotation: Any) -> frozenset[type[BaseModel]]:
    """The models that a field holds, one or several, alone or in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return frozenset({annotation})
    inner = [_models(part) for part in get_args(annotation)]
    return frozenset(model for models in inner for model in models)


def _of(models: Collection[type[BaseModel]]) -> Mask:
    """The mask of values that are of one of these models; of several, their kind tells which."""
    if len(models) > 1:
        return partial(_by_kind, {kind: _of([m]) for m in models for kind in _kinds(m)})
    (model,) = models
    if model in (Identifier, ContactPoint):
        return _valued
    fields = {name: _field(model, name, f.annotation) for name, f in model.model_fields.items()}
    return partial(_masked, fields)


def _kinds(model: type[BaseModel]) -> tuple[str, ...]:
    return get_args(model.model_fields["kind"].annotation)


def _field(model: Any, name: str, annotation: Any) -> Mask:
    if name in HARMLESS.get(model, ()):
        return _open
    inner = _models(annotation)
    return _of(inner) if inner else MASKS.get(model, {}).get(name, hidden)


def _open(value: Any) -> Any:
    return value


def _masked(fields: Mapping[str, Mask], document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _each(fields.get(name, hidden), value) for name, value in document.items()}


def _by_kind(masks: Mapping[str, Mask], document: Mapping[str, Any]) -> dict[str, Any]:
    mask: Mask = masks.get(str(document.get("kind")), partial(_masked, {}))
    masked: dict[str, Any] = mask(document)
    return masked


def _each(mask: Mask, value: Any) -> Any:
    if value is None:
        return None
    return [mask(one) for one in value] if isinstance(value, list) else mask(value)


def _valued(document: Mapping[str, Any]) -> dict[str, Any]:
    """An identifier or a contact point: how its value is masked goes by its kind."""
    open_ones = HARMLESS[Identifier] | HARMLESS[ContactPoint]
    kind = str(document.get("kind"))
    return {
        name: value if name in open_ones else identifier(kind, str(value))
        for name, value in document.items()
    }


_BY_DOCUMENT = {kind: _of([model]) for kind, model in DOCUMENTS.items()}

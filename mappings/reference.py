"""Reference data as a mapping sees it: what is known of a store, and of an item by its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from mappings.errors import suggestion
from mappings.texts import ArgumentError, as_text

__all__ = ["LOOKUPS", "NOTHING", "Lookup", "Reference"]

LOCATION_FIELDS = ("zone", "currency", "name", "banner", "country")
ITEM_NUMBERS = ("item", "gtin", "sku", "variant", "product", "plu")
ITEM_FIELDS = (*ITEM_NUMBERS, "name", "category")

Lookup = Callable[[Any, Any, str, Any], Any]
"""From a value, the reference data, the target, and what is not known to be added to."""


class Reference(Protocol):
    """What may be looked up. Both give ``None`` for what is not loaded or not said there."""

    def location(self, store: str, field: str) -> str | None:
        """A field of the Location of the document's own system that goes by ``store``."""

    def item(self, kind: str, number: str, field: str) -> str | None:
        """A field of the Item that a number of some kind names, or its only number of another."""


class _Nothing:
    def location(self, store: str, field: str) -> None:
        return None

    def item(self, kind: str, number: str, field: str) -> None:
        return None


NOTHING: Reference = _Nothing()
"""No reference data at all."""


def _location(field: str) -> Lookup:
    _one_of(field, LOCATION_FIELDS)
    name = f"location {field}"

    def look_up(value: Any, reference: Reference, target: str, unknown: Any) -> str | None:
        raw = as_text(value)
        return _found(reference.location(raw, field), raw, name, target, unknown)

    return look_up


def _item(kind: str, field: str) -> Lookup:
    _one_of(kind, ITEM_NUMBERS)
    _one_of(field, ITEM_FIELDS)
    name = f"item {kind} {field}"

    def look_up(value: Any, reference: Reference, target: str, unknown: Any) -> str | None:
        raw = as_text(value)
        return _found(reference.item(kind, raw, field), raw, name, target, unknown)

    return look_up


def _one_of(word: str, known: tuple[str, ...]) -> None:
    if word not in known:
        raise ArgumentError(f"there are {', '.join(known)}{suggestion(word, known)}")


def _found(found: str | None, raw: str, name: str, target: str, unknown: Any) -> str | None:
    if found is None:
        unknown.append((target, name, raw))
    return found


LOOKUPS: dict[str, Callable[..., Lookup]] = {"location": _location, "item": _item}
"""The look-ups by name. None has an inverse that the mapping alone could say."""

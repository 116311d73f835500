"""Words of the console: how amounts, moments, states and names are written for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

__all__ = ["FILTERS", "LANES", "lane", "leaves"]

LANES = ("Till", "Shop", "Phone", "Web")
"""Where a customer meets the retailer, in the order of the columns."""

_BY_KIND = {"Transaction": "Till", "Control": "Till"}
_BY_CONTACT = {"call": "Phone", "email": "Phone", "chat": "Phone", "visit": "Till"}
_MINUS, _THIN = "\N{MINUS SIGN}", "\N{NARROW NO-BREAK SPACE}"
_KILO = 1000
_UTC_LENGTH = len("2031-05-06T10:00")

_STATES = {
    "pending": ("waits", "open"),
    "applied": ("applied", "good"),
    "duplicate": ("duplicate", "same"),
    "stale": ("older", "same"),
    "held": ("held", "held"),
    "discarded": ("given up", "ended"),
    "joined": ("joined", "same"),
    "planned": ("planned", "open"),
    "running": ("running", "open"),
    "paused": ("paused", "held"),
    "failed": ("failed", "held"),
    "completed": ("completed", "good"),
    "suspended": ("suspended", "open"),
    "cancelled": ("cancelled", "ended"),
    "post_void": ("post-void", "ended"),
    "voided": ("voided", "ended"),
    "open": ("open", "open"),
    "closed": ("closed", "good"),
    "paid": ("paid", "good"),
    "due": ("due", "open"),
    "none": ("not sent", "open"),
    "part": ("part sent", "open"),
    "done": ("sent", "good"),
    "refunded": ("refunded", "ended"),
}
"""What a state is called, and its shape: a word never stands on its colour alone."""


def amount(value: object) -> str:
    """Decimal text as people read it: ``1 234.50``, with a real minus."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    if not number.is_finite():
        return str(value)
    return f"{number:,f}".replace(",", _THIN).replace("-", _MINUS)


def path(fact: str) -> str:
    """A fact id as part of an address."""
    return quote(fact, safe="/:")


def state(value: str) -> str:
    """The word of a state."""
    return _STATES.get(value, (spoken(value), ""))[0]


def shape(value: str) -> str:
    """The shape that stands beside the word."""
    return _STATES.get(value, ("", "plain"))[1]


def spoken(code: str) -> str:
    """A code as words: ``order_pick_up`` as ``order pick up``."""
    return code.replace("_", " ")


def moment(utc: str) -> str:
    """An instant for who has no script: ``2031-05-06 10:00``; it is UTC."""
    return utc[:_UTC_LENGTH].replace("T", " ")


def title(said: Mapping[str, Any]) -> str:
    """A Moment as its source has it and in UTC."""
    zone = said.get("offset") or said.get("zone") or ""
    at_source = f"{said['local'].replace('T', ' ')} {zone}".strip()
    utc = f", {said['utc'].replace('T', ' ').rstrip('Z')} UTC" if said.get("utc") else ""
    return f"{at_source} at the source{utc}"


def lane(kind: str, summary: str) -> str:
    """The lane of something that happened to a person."""
    if kind == "Interaction":
        return _BY_CONTACT.get(summary.partition(",")[0], "Web")
    return _BY_KIND.get(kind, "Shop")


def leaves(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a document with its canonical path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{where}.{name}" if where else name)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, f"{where}[{place}]")
    else:
        yield where, value


def plain(value: object) -> str:
    """A value as JSON has it, text without its quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def many(count: int, one: str, several: str = "") -> str:
    """``1 message``, ``2 messages``."""
    return f"{count:,}".replace(",", _THIN) + f" {one if count == 1 else several or one + 's'}"


def size(count: int) -> str:
    """Bytes as people read them: ``812 bytes``, ``4.2 MB``."""
    if count < _KILO:
        return many(count, "byte")
    number, units = Decimal(count) / _KILO, ["kB", "MB", "GB", "TB"]
    while number >= _KILO and len(units) > 1:
        number, units = number / _KILO, units[1:]
    return f"{number:.1f}{_THIN}{units[0]}"


def pretty(value: object) -> str:
    """JSON over several lines."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


FILTERS: dict[str, Callable[..., Any]] = {
    "amount": amount,
    "fact": path,
    "lane": lane,
    "leaves": leaves,
    "many": many,
    "moment": moment,
    "plain": plain,
    "pretty": pretty,
    "shape": shape,
    "size": size,
    "spoken": spoken,
    "state": state,
    "when": title,
}

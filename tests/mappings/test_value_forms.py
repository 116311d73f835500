"""Fast and traced form make the same of texts of parts, look-ups, functions and conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from mappings.mapping import load
from schemas.problem import Rejected

# Each is one rule of an Order, and sometimes one that reads the same places behind it.
RULES = [
    "note: '= {a | upper} {b | trim?}-{c or d?} or = {d}! | replace x y where b = x | collapse'",
    "note: '= {a} {b?}, {c?}'\n  number: b",
    "note: '= {a | code t}{b | location name?} | code t where c'",
    "closed_at: '= {day} {time} | moment YYYYMMDD HHmmss | zone {zone or = Asia/Tokyo} where b'",
    "closed_at: number | moment seconds | zone Europe/Vienna",
    "closed_at: at | zone {zone}",
    "subtotal: number | implied 2 where c < 3 | negate where a = x and not b | round 1 half_even",
    "subtotal: a or number | divide {c} round 2 half_up where c | times {d or = 2}",
    "subtotal: money | decimal , . | trailing_sign where b\n  note: b",
    "subtotal: money | trailing_sign | decimal , .",
    "store: a | location name where b\n  number: b",
    "presentment_currency: '= {zone | location currency} or = EUR'",
    "cancel_reason: a | own short 3 | cut 1 2 | pad 3 {",
    "tags: ['= {a}{b?}', c | own short 1, d | strip_zeros, number | part -1 .]",
    "lines[] from l[]:\n    id: '= {/a}{b?}'\n    when b: skip\n    quantity: number | times {a}",
    "lines[] from l[]:\n    description: '= {b | item sku gtin}{c?}'\n    id: d",
    "bill_to from l[0]:\n    name: '= {a?} {b?}'\n    lines: ['= {c}{d}', /day | date YYYYMMDD]",
]
WORDS = st.sampled_from(["", " ", "x", "X y", "0", "1", "0012", "-1.5", "7", "true", "2", "3"])
FIELDS = {
    **dict.fromkeys("abcd", WORDS),
    "number": st.from_regex(r"-?0*[0-9]{1,12}", fullmatch=True),
    "money": st.from_regex(r"[0-9]{1,3}(\.[0-9]{3})?(,[0-9]{1,3})?[-+]?", fullmatch=True) | WORDS,
    "day": st.dates().map(lambda day: day.strftime("%Y%m%d").zfill(8)),
    "time": st.times().map(lambda time: time.strftime("%H%M%S")),
    "at": st.datetimes().map(lambda at: at.isoformat(" ", "seconds")) | WORDS,
    "zone": st.sampled_from(["Europe/Vienna", "America/New_York", "UTC", "Nowhere", "07"]),
}
BODIES = st.fixed_dictionaries(
    {}, optional={**FIELDS, "l": st.lists(st.fixed_dictionaries({}, optional=FIELDS), max_size=3)}
)
HEAD = "mapping: shop.order\nreads: {reads}\nto: Order\nrules:\n"


class Loaded:
    """Reference data of one store and one item."""

    def location(self, store: str, field: str) -> str | None:
        return {"07": {"zone": "Asia/Tokyo", "currency": "JPY"}}.get(store, {}).get(field)

    def item(self, kind: str, number: str, field: str) -> str | None:
        return {("gtin", "04006381333931", "sku"): "0012"}.get((kind, number, field))


def short(value: Any, length: str) -> str:
    """A function of a connector."""
    if value == "x":
        raise ValueError(value)
    return str(value)[: int(length)]


def _element(body: dict[str, Any], tag: str = "O") -> Any:
    element = etree.Element(tag)
    for name, value in body.items():
        if isinstance(value, list):
            element.extend([_element(inner, name) for inner in value])
        else:
            etree.SubElement(element, name).text = value
    return element


def _outcome(work: Callable[[], Any]) -> str:
    try:
        return repr(work())
    except Rejected as error:
        return repr(error.problem)


@pytest.mark.parametrize("reads", ["json", "xml"])
@pytest.mark.parametrize("rule", RULES)
def test_both_forms_agree_on_whatever_comes(rule: str, reads: str) -> None:
    text = f"{HEAD.format(reads=reads)}  {rule}\ncodes:\n  t: {{x: y, '*': z}}\n"
    mapping = load(text, "f.yaml", {"short": short})
    made: list[str] = []

    @settings(max_examples=50)
    @given(BODIES)
    def agree(plain: dict[str, Any]) -> None:
        body = plain if reads == "json" else _element(plain)
        fast = _outcome(lambda: mapping.run(body, Loaded())[0])
        assert fast == _outcome(lambda: mapping.trace(body, Loaded()).document)
        made.append(fast)

    agree()
    assert any(document[0] == "{" and document != "{}" for document in made)

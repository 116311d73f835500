"""What nobody needs to see is masked, whatever field it stands in and however new the field is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hub.people import masking
from hub.people.masking import HARMLESS, MASKS
from schemas.envelope import DOCUMENTS
from schemas.identifier import Identifier

WORD = "Quaxmarq"
DIGITS = "91827364"
DAY = "1977-03-09"
MARKED = (
    f"Ann {WORD} Example",
    f"{WORD}",
    f"ann.{WORD}@{WORD}.example.org",
    f"+43 {DIGITS} 55",
    f"0{DIGITS}12",
    f"{DIGITS}0001234",
    f"A-{WORD}-1234",
    f"https://example.org/?mail={WORD}",
)
KINDS = ("email", "phone", "loyalty", "membership", "household", "customer", "visitor", "unknown:x")
# What has a pattern of its own; everything else that is text may be any text.
PATTERNED = {
    "currency": "EUR",
    "presentment_currency": "EUR",
    "last4": "1234",
    "local": "2031-05-06T10:00:00",
    "offset": "+02:00",
    "utc": "2031-05-06T08:00:00Z",
}


def _inner(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _inner(part)


def _reached() -> set[type[BaseModel]]:
    """Every model that a document can hold."""
    found: set[type[BaseModel]] = set()
    waiting: list[type[BaseModel]] = list(DOCUMENTS.values())
    while waiting:
        model = waiting.pop()
        if model not in found:
            found.add(model)
            waiting += [m for f in model.model_fields.values() for m in _inner(f.annotation)]
    return found


@pytest.mark.parametrize("model", sorted(_reached(), key=str))
def test_of_every_field_somebody_said_whether_it_names_a_person(model: Any) -> None:
    said = HARMLESS[model] | set(MASKS.get(model, ()))
    deeper = {n for n, f in model.model_fields.items() if list(_inner(f.annotation))}
    by_kind = {"value"} if model.__name__ in {"Identifier", "ContactPoint"} else set()
    assert set(model.model_fields) == said | deeper | by_kind
    assert not HARMLESS[model] & set(MASKS.get(model, ()))


def test_a_field_of_which_nobody_said_anything_is_hidden() -> None:
    body = {"id": "1", "nickname": WORD, "customer": {"pets": [WORD, WORD]}, "bill_to": {"x": 1}}
    assert masking.body("Order", body) == {
        "id": "1",
        "nickname": "***",
        "customer": {"pets": ["***", "***"]},
        "bill_to": {"x": "***"},
    }
    line = {"kind": "tip", "amount": "1.00", "to": WORD}
    (masked,) = masking.body("Transaction", {"lines": [line]})["lines"]
    assert set(masked.values()) == {"***"}


def _values(annotation: Any, field: str, *, plain: bool) -> st.SearchStrategy[Any]:
    """Values of a type as canonical JSON has them, with marks in them unless they are plain."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is tuple:
        return st.lists(_values(parts[0], field, plain=plain), min_size=1, max_size=2)
    if origin is Annotated:
        return _values(parts[0], field, plain=plain)
    if origin in (Union, UnionType):
        kinds = (part for part in parts if part is not type(None))
        return st.one_of(*(_values(part, field, plain=plain) for part in kinds))
    if issubclass(annotation, BaseModel):
        return _bodies(annotation, plain=plain)
    return st.sampled_from(_scalars(annotation, field, plain=plain))


def _scalars(kind: Any, field: str, *, plain: bool) -> tuple[Any, ...]:
    text = (PATTERNED.get(field, "plain"),) if plain else MARKED
    day = "2031-05-06" if plain else DAY
    return {bool: (True, False), int: (3,), Decimal: ("1.00",), date: (day,), str: text}[kind]


def _bodies(model: Any, *, plain: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    def of(name: str, field: FieldInfo) -> st.SearchStrategy[Any]:
        harmless = plain or name in HARMLESS[model]
        if model is Identifier and name == "kind" and not plain:
            return st.sampled_from(KINDS)
        return _values(field.annotation, name, plain=harmless)

    fields = {name: of(name, field) for name, field in model.model_fields.items()}
    required = {n: s for n, s in fields.items() if model.model_fields[n].is_required()}
    optional = {n: s for n, s in fields.items() if n not in required}
    return st.fixed_dictionaries(required, optional=optional)


def _paths(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        return {p for k, v in value.items() for p in _paths(v, f"{path}.{k}")}
    if isinstance(value, list):
        return {p for i, v in enumerate(value) for p in _paths(v, f"{path}[{i}]")}
    return {path}


@pytest.mark.parametrize("kind", sorted(DOCUMENTS))
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_that_names_a_person_is_left(kind: str, data: st.DataObject) -> None:
    drawn = data.draw(_bodies(DOCUMENTS[kind]))
    body = DOCUMENTS[kind].model_validate(drawn).model_dump(mode="json", exclude_none=True)
    masked = masking.body(kind, body)
    text = json.dumps(masked).casefold()
    for mark in (WORD.casefold(), DIGITS, DAY):
        assert mark not in text
    assert _paths(masked) == _paths(body)
    assert masked["system"] == body["system"]


@pytest.mark.parametrize(
    ("kind", "values", "shown"),
    [
        ("email", ("ann@example.org", "a@example.org", "ann-marie@e.org"), "a***@e***.org"),
        ("email", ("ann@example", "ann", "@example.org", "ann@example.quaxmarq"), "***"),
        ("phone", ("+43 1 5550123", "+4366455501423", "+43 (1) 555-01-23"), "+43 *** 23"),
        ("phone", ("0664 5550123", "5550123"), "*** 23"),
        ("phone", ("Ann 12", "123456", "none"), "***"),
        ("loyalty", ("9000001234", "00000000000009000001234"), "***1234"),
        ("loyalty", ("1234", "9001234", "AB-CD-EF-GH"), "***"),
        ("loyalty", ("ann@example.org",), "a***@e***.org"),
        ("visitor", ("9000001234", "ann@example.org"), "***"),
        ("unknown:tattoo", ("9000001234",), "***"),
        ("name", ("Ann Example", "anna-lena van der eiche"), "A. E."),
        ("name", ("Ann", "ann"), "A."),
        ("name", ("", "  ", "4711"), "***"),
    ],
)
def test_a_mask_leaves_what_a_desk_recognises_and_never_the_length(
    kind: str, values: tuple[str, ...], shown: str
) -> None:
    assert {masking.identifier(kind, value) for value in values} == {shown}

"""The laws of both directions, on whatever a mapping can read and on whatever may come back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from connectors import registry
from connectors.api import Document
from connectors.contract import round_trip, trial
from mappings.inverse import write
from mappings.mapping import Mapping, load
from mappings.round_trip import broken
from mappings.target import kind_at
from mappings.transforms import COERCIONS
from schemas.envelope import DOCUMENTS
from schemas.model import Canonical
from schemas.problem import ConfigError, Rejected
from tests.mappings.sources import source

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted((ROOT / "mappings").glob("*/*.yaml"))
EVERYTHING = """\
mapping: every.form
reads: xml
to: Order
direction: both
root: acs:Sale
lossy:
  number: two places
  tags: two places
  channel: two codes
  lines: two lists
  lines.description: small letters
  customer.identifiers: filters
  note: tested
rules:
  id: No
  number: Number or Other.Number
  test: .@Test
  total: Total[@Type=grand] | negate
  tax_total: acs:Total | times 100
  tags: [Tag.One, Tag.Two]
  channel: Channel | code channel
  placed_at: At
  store: Store | prefix S-
  bill_to from Address:
    city: City
    lines: [Street]
  ship_to.city: Delivery.City
  customer.identifiers[] from Card[] where .@Type = L:
    kind: = loyalty
    value: .
  customer.identifiers[] from Card[] where .@Type = M, N:
    kind: = member
    value: .
  lines[] from Part[].Line[]:
    when Payment: skip
    id: No
    description: Name | lower
    when Gift:
      gift_card: = true
      item[] from Code[]:
        kind: = gift
        value: .
    when Sale:
      quantity: Sale.Quantity
      unit_price: Sale.Price.@Amount
    taxes[] from Tax[]:
      name: .@Name
      amount: .
  when Late = x, y:
    note: = late
  when Early:
    note: Early
codes:
  channel: {WEB: web, APP: app, PHONE: app}
"""


def both() -> dict[str, Mapping]:
    found = [load(path.read_text("utf-8"), f"{path.parent.name}/{path.name}") for path in SHIPPED]
    return {m.name: m for m in [*found, load(EVERYTHING, "all.yaml")] if m.spec.declared.both}


BOTH = both()


def test_every_shipped_mapping_goes_both_ways() -> None:
    assert len(BOTH) == len(SHIPPED) + 1


@pytest.mark.parametrize("name", BOTH)
def test_what_a_mapping_can_read_comes_back(name: str) -> None:
    mapping, documents = BOTH[name], 0

    @settings(max_examples=40)
    @given(st.randoms(use_true_random=False))
    def comes_back(random: Random) -> None:
        nonlocal documents
        body = source(mapping.spec, random)
        try:
            document = mapping.run(body)[0]
        except Rejected:
            assume(condition=False)
        written = write(mapping, document)
        assert [f for f in written.findings if not f.declared] == []
        assert written.findings or mapping.run(written.body)[0] == document
        assert broken(mapping, body) == ()
        documents += len(document) > 3

    comes_back()
    assert documents > 10


class Hostile:
    """Invents canonical documents out of a model's fields, mostly of the right structure."""

    def __init__(self, mapping: Mapping, random: Random) -> None:
        self._model = mapping.spec.model
        self._random = random
        words = [w for table in mapping.spec.codes.values() for w in table.values()]
        self._words = [*words, "", " x", "a\0b", "unknown:x", "1.50", "-2", "true", "2026-03-01"]

    def document(self, models: tuple[type[Canonical], ...], above: tuple[str, ...]) -> Any:
        made: dict[str, Any] = {}
        for model in models:
            for name, field in model.model_fields.items():
                if name != "system" and self._random.random() < 0.5:
                    made[name] = self._value(field.annotation, (*above, name))
        return made

    def _value(self, annotation: Any, target: tuple[str, ...]) -> Any:
        kind = kind_at(self._model, target)
        if self._random.random() < 0.05:
            return self._random.choice([None, [], {}, [[]], [None], 1, "x", True, {"x": {}}])
        if kind in ("object", "objects"):
            inside = tuple(_models(annotation))
            count = self._random.randrange(3) if kind == "objects" else 1
            made = [self.document(inside, target) for _ in range(count)]
            return made if kind == "objects" else made[0]
        if kind == "texts":
            return [self._random.choice(self._words) for _ in range(self._random.randrange(3))]
        if kind == "moment":
            return COERCIONS["moment"]("2026-03-01T10:00:00+01:00")
        by_kind: dict[str, list[Any]] = {
            "flag": [True, False],
            "integer": [0, 7],
            "decimal": ["0.00", "-1.5", "3"],
        }
        return self._random.choice(by_kind.get(kind, self._words))


def _models(annotation: Any) -> Iterator[type[Canonical]]:
    if isinstance(annotation, type) and issubclass(annotation, Canonical):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def stated(value: Any) -> Any:
    """What a document says: without what is absent, and decimals by their value."""
    if isinstance(value, dict):
        inner = {key: stated(each) for key, each in value.items()}
        return {k: v for k, v in inner.items() if v not in (None, [], {})}
    return [stated(each) for each in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("name", BOTH)
def test_whatever_is_to_be_written_comes_back_or_is_found(name: str) -> None:
    mapping, arrived, told = BOTH[name], 0, 0

    @settings(max_examples=40)
    @given(st.randoms(use_true_random=False))
    def honest(random: Random) -> None:
        nonlocal arrived, told
        document = Hostile(mapping, random).document((mapping.spec.model,), ())
        written = write(mapping, document)
        told += bool(written.findings)
        for finding in written.findings:
            assert finding.problem.target or "cannot be read again" in str(finding.problem.detail)
        if not written.findings:
            arrived += 1
            again = mapping.run(written.body)[0]
            assert plain(mapping, again) == plain(mapping, document)

    honest()
    assert told > 10


def plain(mapping: Mapping, document: dict[str, Any]) -> Any:
    """A document as the model has it where that is valid, without defaults."""
    text = json.dumps(stated(document), default=str, sort_keys=True)
    model = DOCUMENTS[mapping.spec.to].model_construct(**json.loads(text))
    return stated(json.loads(model.model_dump_json(exclude_defaults=True, warnings=False)))


def shop(kind: str) -> Iterator[tuple[Document, dict[str, Any]]]:
    for sample in trial.samples("shopify"):
        entries = json.loads(trial.expected(sample).read_text("utf-8"))
        found = round_trip._documents("shopify", sample.read_bytes())
        for document, entry in zip(found, entries, strict=True):
            if document.kind == kind:
                yield document, entry["document"]


@pytest.mark.parametrize(
    ("rule", "mutant"),
    [
        (
            "paid: paid, partially_refunded: part_refunded",
            "paid: part_refunded, partially_refunded: paid",
        ),
        ("partial: part, fulfilled: done", "partial: done, fulfilled: part"),
        ("total_discounts", "total_discounts | negate"),
        ("rate | times 100", "rate | times 10"),
        ("total:                    total_price", "total:                    subtotal_price"),
        ("tax_total:                total_tax", "tax_total:                total_weight"),
        ("carrier:                tracking_company", "carrier:                service"),
    ],
)
def test_a_mutated_rule_is_caught(rule: str, mutant: str) -> None:
    text, file = registry.mapping_text("shopify", "order")
    assert rule in text
    mutated = load(text.replace(rule, mutant, 1), file)
    assert any(broken(mutated, each.body, document) for each, document in shop("order"))
    unchanged = load(text, file)
    assert not any(broken(unchanged, each.body, document) for each, document in shop("order"))


def test_a_rule_that_goes_astray_is_told_with_its_line() -> None:
    top = "mapping: a.b\nreads: json\nto: Order\ndirection: both\nrules:\n"
    mapping = load(f"{top}  id: a\n  total: b | negate\n", "f.yaml")
    assert broken(mapping, {"a": "1", "b": "1.50"}) == ()
    expected = {"id": "1", "total": "1.50"}
    assert broken(mapping, {"a": "1", "b": "1.50"}, expected) == (
        "total: b, like '9.99', comes back as b, like '-9.99' [line 7]",
    )
    assert broken(mapping, {"a": "1", "b": "1.50"}, {"id": "1"}) == (
        "total: b does not come back [line 7]",
    )


def test_in_only_mappings_are_refused() -> None:
    mapping = load("mapping: a.b\nreads: json\nto: Order\nrules:\n  id: a\n", "f.yaml")
    with pytest.raises(ConfigError, match="LP-MAP-006"):
        broken(mapping, {})

"""Every field that a sample or a real document holds is read by a rule or ignored on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors import registry
from connectors.api import Slice
from connectors.contract.trial import documents, mapping, pieces, samples
from mappings.coverage import unread
from mappings.mapping import Mapping, load
from schemas.problem import Rejected

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "samples"
SAMPLES = [
    (connector, sample) for connector in registry.manifests() for sample in samples(connector)
]

HEADER = """
mapping: test.document
reads: {reads}
to: Interaction
rules:
  id: id
  kind: = call
  occurred_at: at
"""


def _mapping(rules: str, *, reads: str = "json") -> Mapping:
    return load(HEADER.format(reads=reads) + rules, "test.yaml")


def _documents(connector: str, record: bytes) -> Iterator[tuple[str, Any]]:
    """The documents of a record by kind; what is of another kind is another one's business."""
    for piece in pieces(connector, record):
        assert isinstance(piece, Slice)
        try:
            found = documents(connector, piece)
        except Rejected:
            continue
        yield from ((document.kind, document.body) for document in found)


def _unread(connector: str, record: bytes) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for kind, body in _documents(connector, record):
        found.setdefault(kind, set()).update(unread(mapping(connector, kind), body))
    return found


@pytest.mark.parametrize(("connector", "sample"), SAMPLES, ids=[path.name for _, path in SAMPLES])
def test_sample_is_read_whole(connector: str, sample: Path) -> None:
    found = _unread(connector, sample.read_bytes())
    assert found
    assert not any(found.values()), found


@pytest.mark.parametrize(
    ("connector", "name", "kinds"),
    [
        ("poslog", "poslog/ncr-acs-v2.1-day.xml", {"retail", "control"}),
        ("shopify", "shopify/order.json", {"order"}),
        ("shopify", "shopify/refund.json", {"refund"}),
        ("shopify", "shopify/customer.json", {"customer"}),
        ("shopify", "shopify/customers_search.json", {"customer"}),
        ("shopify", "shopify/customer_saved_search_customers.json", {"customer"}),
    ],
)
def test_real_document_is_read_whole(connector: str, name: str, kinds: set[str]) -> None:
    if not (REAL / name).is_file():
        pytest.skip("the real samples are not beside this checkout")
    found = _unread(connector, (REAL / name).read_bytes())
    assert set(found) == kinds
    assert not any(found.values()), found


@pytest.mark.parametrize(
    ("rules", "body", "expected"),
    [
        ("", {"note": "x"}, ("note",)),
        ("", {"a": {"b": [{"c": 1}, {"c": 2, "d": 0}]}}, ("a.b.c", "a.b.d")),
        ("", {"none": None, "empty": "", "list": [], "object": {}}, ()),
        ("", {"zero": 0, "no": False}, ("zero", "no")),
        ("ignore: [a.b]", {"a": {"b": {"c": 1}, "bb": 2}}, ("a.bb",)),
        ("ignore: ['a[].b']", {"a": [{"b": 1, "c": 2}]}, ("a.c",)),
        ("  agent: a.b or c", {"a": {"b": 1, "d": 2}, "c": 3}, ("a.d",)),
        ("  agent: a[k=1].b", {"a": [{"k": 1, "b": 2, "c": 3}]}, ("a.c",)),
        ("  orders: [a, b.c]", {"a": 1, "b": {"c": 2, "d": 3}}, ("b.d",)),
        ("  attribution from a.b:\n    landing: c", {"a": {"b": {"c": 1}}, "c": 2}, ("c",)),
        ("  when a = 1 and not b:\n    agent: c", {"a": 1, "b": 2, "c": 3, "d": 4}, ("d",)),
        ("  when a:\n    agent: b\n  otherwise:\n    agent: c", {"b": 1, "c": 2}, ()),
        (
            "  customers[] from a[]:\n    when b: skip\n    value: d",
            {"a": [{"b": {"c": 1}, "d": 2}]},
            ("a.b.c",),
        ),
        (
            "  customers[] from a[].b[] where c = 1 and /d:\n    kind: e\n    value: /f",
            {"a": [{"b": [{"c": 1, "e": 2, "f": 3}]}], "d": 1, "f": 4, "e": 5},
            ("a.b.f", "e"),
        ),
        (
            "  customers[] from a[j=1].b[]:\n    kind: = x\n    value: /c[k=1].d",
            {"a": [{"j": 1, "b": [{}]}], "c": [{"k": 1, "d": 2, "e": 3}]},
            ("c.e",),
        ),
        ("  customers[] from a[]:\n    kind: = x\n    value: .", {"a": ["1", "2"]}, ()),
    ],
)
def test_unread_of_json(rules: str, body: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert unread(_mapping(rules), {"id": "1", "at": "2031-01-01T00:00:00", **body}) == expected


@pytest.mark.parametrize(
    ("rules", "body", "expected"),
    [
        ("", "<a>1</a>", ("a",)),
        ("", "<a> <b x='1'/>\n<c/> </a>", ("a.b.@x", "a.c")),
        ("", "<a x='1'>2</a>", ("a.@x", "a")),
        ("  agent: a", "<a x='1'>2</a>", ("a.@x",)),
        ("  agent: a.@x", "<a x='1'>2</a>", ("a",)),
        ("  when a:\n    agent: b", "<a/><b>1</b>", ()),
        ("  agent: v:a", "<v:a xmlns:v='v'>1</v:a><a>2</a>", ("a",)),
        ("  agent: a.@v:x", "<a xmlns:v='v' v:x='1' x='2'/>", ("a.@x",)),
        ("  agent: a[@k=1]", "<a k='2'>3</a>", ()),
        ("ignore: [a]", "<a x='1'><b>2</b></a>", ()),
        ("ignore: [a.@x]", "<a x='1'><b>2</b></a>", ("a.b",)),
        ("ignore: [v:a]", "<v:a xmlns:v='v'>1</v:a><!-- b --><?c d?>", ()),
    ],
)
def test_unread_of_xml(rules: str, body: str, expected: tuple[str, ...]) -> None:
    document = f"<t><id>1</id><at>2031-01-01T00:00:00</at>{body}</t>"
    assert unread(_mapping(rules, reads="xml"), etree.fromstring(document)) == expected


def test_what_is_unread_can_be_pasted_into_ignore() -> None:
    document = etree.fromstring("<t q='0' xmlns:v='v'><a v:x='1'><v:b/></a></t>")
    found = unread(_mapping("", reads="xml"), document)
    assert found == (".@q", "a.@v:x", "a.v:b")
    assert unread(_mapping(f"ignore: {list(found)}", reads="xml"), document) == ()

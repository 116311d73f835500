"""Files taken through the connector under given options, and the layouts that tests use."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from connectors.api import Rest, Slice
from connectors.layout import connector, shelf
from connectors.layout.connector import LayoutOptions
from connectors.layout.layout import Layout
from connectors.layout.layout_file import read
from connectors.scrub import scrub
from schemas.problem import Problem, Rejected

SAMPLES = Path(__file__).parents[3] / "connectors" / "layout" / "samples"
R13, R16, CSV = (shelf.shipped()[name] for name in ("rtlog-13", "rtlog-16", "csv-sales"))
HEAD = {"created": "2031-05-07T02:15:00", "business_date": "2031-05-06", "store": "0000000120"}


def options(layout: Layout | None = None, **more: Any) -> LayoutOptions:
    return LayoutOptions(layout=layout, **more)


def cut(
    record: bytes,
    chosen: LayoutOptions,
    rest: Rest | None = None,
    *,
    chunks: Iterable[bytes] | None = None,
) -> list[Slice | Rest]:
    return list(connector.split([record] if chunks is None else chunks, chosen, rest))


def slices(record: bytes, chosen: LayoutOptions, rest: Rest | None = None) -> list[Slice]:
    return [piece for piece in cut(record, chosen, rest) if isinstance(piece, Slice)]


def scrubbed(payload: bytes, chosen: LayoutOptions) -> bytes:
    profile = connector.bound(chosen).scrub
    clean = scrub(payload, profile)
    assert len(clean) == len(payload)
    assert scrub(clean, profile) == clean
    return clean


def decode(piece: Slice, chosen: LayoutOptions) -> dict[str, Any]:
    payload, context = (scrubbed(part, chosen) for part in (piece.payload, piece.context))
    (document,) = connector.decode(payload, context, chosen)
    assert isinstance(document.body, dict)
    return dict(document.body)


def documents(record: bytes, chosen: LayoutOptions) -> list[dict[str, Any]]:
    return [decode(piece, chosen) for piece in slices(record, chosen)]


def outcome(record: bytes, chosen: LayoutOptions) -> list[dict[str, Any] | Problem]:
    """For each message its document, or why it is held."""
    found: list[dict[str, Any] | Problem] = []
    for piece in slices(record, chosen):
        try:
            found.append(piece.problem or decode(piece, chosen))
        except Rejected as error:
            found.append(error.problem)
    return found


@cache
def layout(text: str) -> Layout:
    return read(text, "test.yaml")


SALE = [
    (
        "thead",
        {
            "register": "00003",
            "moment": "2031-05-06T10:01:30",
            "sequence": "0000000101",
            "type": "SALE",
            "total": "9.90",
        },
    ),
    (
        "titem",
        {
            "line": "0000000001",
            "status": "S",
            "item": "TEA",
            "gtin": "04006381333931",
            "quantity": "2",
            "unit_price": "4.95",
            "amount": "9.90",
        },
    ),
    ("ttend", {"line": "0000000002", "group": "CASH", "amount": "9.90"}),
    ("ttail", {"records": "2"}),
]


def sale(sequence: int) -> list[tuple[str, dict[str, str]]]:
    """The rows of an invented sale."""
    head = {**SALE[0][1], "sequence": f"{sequence:010d}"}
    return [("thead", head), *SALE[1:]]

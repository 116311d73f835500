"""Cutting a file: nothing that belongs together is cut in two, whatever the format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import registry
from connectors.api import Connector, Rest, Slice
from connectors.scrub import scrub
from schemas.problem import Refused
from store_agent import cut as cutting
from store_agent.cut import Cut, Mark, cut, scrubbed
from tests.store_agent.conftest import FOOT, HEAD, log, sale

POSLOG = registry.load("poslog")
SHOPIFY = registry.load("shopify")
DAY = Path(__file__).resolve().parents[3] / "shared/samples/poslog/ncr-acs-v2.1-day.xml"
CARD = "4111 1111 1111 1111"
ORDER = b'{"id": %d, "name": "#%d", "note": "invented"}'


def at_end(window: bytes, mark: Mark, connector: Connector = POSLOG) -> Cut:
    found = cut(window, mark, connector, connector.options(), at_end=True)
    assert found is not None
    return found


def in_pieces(data: bytes, connector: Connector, size: int) -> Iterator[bytes]:
    """Take a file as the agent does, through windows that start with ``size`` bytes."""
    mark = Mark()
    while mark.end < len(data):
        for reach in range(size, len(data) + size, size):
            window = data[mark.anchor : mark.anchor + reach]
            last = mark.anchor + reach >= len(data)
            found = cut(window, mark, connector, connector.options(), at_end=last)
            if found:
                break
        assert found
        end = found.mark.end if found.whole or not found.at_end else found.open_end
        yield scrubbed(window, mark, end, connector)
        if found.at_end and not found.whole:
            return
        mark = found.mark


def messages(records: list[bytes], connector: Connector) -> list[bytes]:
    """What the hub makes of records: one that goes on from another is offered its open end."""
    found: list[bytes] = []
    rest: Rest | None = None
    for record in records:
        begun: Rest | None = rest if connector.continues(record[:512]) else None
        rest = None
        for piece in connector.split([record], connector.options(), begun):
            if isinstance(piece, Slice):
                found.append(piece.payload)
            else:
                rest = piece
    assert rest is None or not rest.payload.strip()
    return found


def test_a_closed_root_makes_a_file_whole() -> None:
    data = log(1, 2)
    assert at_end(data, Mark()) == Cut(
        Mark(len(data), len(data)), len(data), whole=True, at_end=True
    )


@pytest.mark.parametrize("missing", [b"</POSLog>\n", b"POSLog>\n", b">\n"])
def test_an_open_root_leaves_it_open_after_the_last_message(missing: bytes) -> None:
    data = log(1, 2).removesuffix(missing)
    found = at_end(data, Mark())
    assert not found.whole
    last = data.rindex(b"</Transaction>") + len(b"</Transaction>")
    assert found.mark.anchor == found.mark.end == last


def test_a_message_that_is_open_is_told_from_a_root_that_is() -> None:
    assert not at_end(HEAD + sale(1), Mark()).torn
    assert at_end(HEAD + sale(1)[:-5], Mark()).torn


@pytest.mark.parametrize("size", [50_000, 300_000])
def test_a_real_day_in_pieces_is_the_same_day(size: int) -> None:
    if not DAY.exists():
        pytest.skip("the real day does not lie beside the repository")
    data = scrub(DAY.read_bytes(), POSLOG.scrub)
    pieces = list(in_pieces(DAY.read_bytes(), POSLOG, size))
    assert len(pieces) > 1
    assert b"".join(pieces) == data
    assert messages(pieces, POSLOG) == messages([data], POSLOG)


def test_a_line_end_after_the_last_document_opens_nothing() -> None:
    data = log(1)
    found = at_end(b"\n", Mark(len(data), len(data)))
    assert found.whole
    assert found.mark.end == len(data) + 1


def test_what_the_hub_would_refuse_is_not_to_be_taken() -> None:
    with pytest.raises(Refused, match="LP-DOOR-003"):
        at_end(b'<!DOCTYPE POSLog [<!ENTITY e "4">]>' + log(1), Mark())


def test_a_window_without_the_end_of_a_message_is_too_small() -> None:
    assert cut(log(1)[:100], Mark(), POSLOG, POSLOG.options(), at_end=False) is None


@pytest.mark.parametrize("size", [150, 400, 1000, 5000])
def test_pieces_make_the_file_and_the_hub_finds_every_message(size: int) -> None:
    data = log(*range(40))
    pieces = list(in_pieces(data, POSLOG, size))
    assert b"".join(pieces) == data
    assert len(pieces) > 1 or size == 5000 < len(data)
    assert messages(pieces, POSLOG) == messages([data], POSLOG)


@pytest.mark.parametrize(
    "data",
    [
        b"\n".join(ORDER % (n, n) for n in range(30)),
        b'{"orders": [' + b", ".join(ORDER % (n, n) for n in range(30)) + b"]}",
        b"[" + b",".join(ORDER % (n, n) for n in range(30)) + b"]\n",
    ],
    ids=["lines", "wrapped", "list"],
)
def test_json_is_cut_between_documents(data: bytes) -> None:
    pieces = list(in_pieces(data, SHOPIFY, 200))
    assert len(pieces) > 3
    assert b"".join(pieces) == data
    assert messages(pieces, SHOPIFY) == messages([data], SHOPIFY)


def test_an_end_of_a_document_where_a_window_ends_is_not_the_end_of_the_file() -> None:
    """What follows may belong to the last number of it."""
    assert cut(b"[12]\n", Mark(), SHOPIFY, SHOPIFY.options(), at_end=False) is None


def test_utf_16_is_taken_whole_or_not_at_all() -> None:
    data = log(*range(20)).decode().replace("UTF-8", "UTF-16").encode("utf-16")
    assert cut(data[:3000], Mark(), POSLOG, POSLOG.options(), at_end=False) is None
    assert at_end(data, Mark()).whole


@given(st.integers(0, 620))
def test_a_card_number_is_not_cut_through_where_a_file_stops(length: int) -> None:
    """The two records of a file that stopped anywhere hold no more than the last four digits."""
    number = "<CardNumber>4111<!-- -->111111111111</CardNumber><CVV>987</CVV>"
    texts = f"{CARD}</Description>{number}<Description>"
    data = HEAD + sale(1) + sale(2, text=texts) + FOOT
    stop = len(HEAD + sale(1)) + length
    found = at_end(data[:stop], Mark())
    first = scrubbed(data[:stop], Mark(), found.open_end, POSLOG)
    left = replace(found.mark, end=found.open_end)
    second = scrubbed(data[left.anchor :], left, len(data), POSLOG)
    assert first + second == scrub(data, POSLOG.scrub)
    assert b"1111 1111" not in first + second
    assert b"987" not in first + second
    pieces = [piece for piece in (first, second) if piece.strip()]
    assert messages(pieces, POSLOG) == messages([scrub(data, POSLOG.scrub)], POSLOG)


def test_a_cut_just_anywhere_would_show_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: taking an open file to its very end keeps half a card number."""
    data = HEAD + sale(1, text=CARD)
    stop = data.index(b"1111 1111 1111") + 9
    monkeypatch.setattr(cutting, "_tail_bytes", lambda *_: 0)
    found = at_end(data[:stop], Mark())
    assert b"4111 1111 1111" in scrubbed(data[:stop], Mark(), found.open_end, POSLOG)


def test_a_rest_in_another_encoding_keeps_the_anchor() -> None:
    data = log(1, 2).decode().replace("UTF-8", "UTF-16").encode("utf-16")[:-30]
    found = at_end(data, Mark())
    assert not found.whole
    assert found.mark == Mark()

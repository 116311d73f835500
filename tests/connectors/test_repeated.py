"""Repeated groups find the same on every Python: one turn after the other, none given back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import repeated
from connectors.repeated import many, some

TURNS = [
    rb"ab?c",
    rb"[^-]++|-(?!-)",
    rb"[^?]++|\?(?!>)",
    rb"[^<>\"'/]++|/(?!>)|\"[^\"<]*+\"|'[^'<]*+'",
    rb'[^"\\\n]++|\\.|\n(?=[ \t]{0,64}+[^{}\[\]])',
    rb"\s++[^<>\s=/]++\s*+=\s*+(?:\"[^\"<]*+\"|'[^'<]*+')",
    rb"amp;",
]
ROOT = Path(__file__).parents[2]
PACKAGES = ("connectors", "hub", "mappings", "schemas", "store_agent")


def end(turn: bytes, text: bytes) -> int:
    """Where the turns end that begin with the text."""
    pattern, at = re.compile(turn), 0
    while (found := pattern.match(text, at)) and found.end() > at:
        at = found.end()
    return at


@pytest.mark.parametrize("turn", TURNS)
@given(text=st.text("ab c-?></=\"'\n\\{[;mp", max_size=12).map(str.encode))
def test_turns_follow_each_other_and_are_not_given_back(turn: bytes, text: bytes) -> None:
    ends = end(turn, text)
    found = re.match(many(turn), text)
    assert found is not None
    assert found.end() == ends
    once = re.match(some(turn), text)
    assert (once.end() if once else 0) == ends
    if ends:
        # Whatever was taken is not there for what follows.
        more = re.match(many(turn) + re.escape(text[ends - 1 : ends]), text)
        assert more is None or more.end() == ends + 1


def test_where_possessive_groups_lose_their_place_it_is_said_in_another_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(repeated, "_RELIABLE", False)
    for turn in TURNS:
        assert b")*+" not in many(turn)
    for text in (b"aca", b"acab", b"abcac"):
        found = re.match(many(b"ab?c"), text)
        assert found is not None
        assert found.end() == end(b"ab?c", text)


def test_no_other_pattern_has_a_possessive_group() -> None:
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            if file != Path(repeated.__file__):
                assert not re.search(r"\)[*+?]\+", file.read_text("utf-8")), file

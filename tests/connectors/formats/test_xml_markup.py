"""Where messages of XML start and end: the quick way finds what a plain pattern finds."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.formats.xml_markup import Markup, Token

_PLAIN = re.compile(
    rb"<(?:[!?]|(/?)(Transaction|[\w.\-\x80-\xff]++:Transaction)(?=[\s/><]))", re.ASCII
)
_PARTS = (
    *(b"<", b"</", b">", b"/", b" ", b"\n", b"!", b"?", b":", b"Transaction", b"Trans"),
    *(
        b"x:",
        b"a-b.c:",
        b"\xc3\xa9:",
        b"<Transaction>",
        b"</Transaction>",
        b"<n:Transaction/",
        b"<!--",
    ),
)


def _read(found: re.Match[bytes]) -> Token:
    return Token(found.start(), found.end(), found[2], bool(found[1]))


@settings(max_examples=500)
@given(
    st.lists(st.sampled_from(_PARTS), max_size=14).map(b"".join),
    st.integers(0, 60),
    st.lists(st.integers(-2, 9)),
)
def test_it_finds_what_a_plain_pattern_finds(text: bytes, limit: int, steps: list[int]) -> None:
    markup, at = Markup("Transaction"), 0
    for step in [*steps, *[0] * len(text)]:
        found = _PLAIN.search(text, at, limit)
        token = markup.next(text, at, limit)
        assert token == (found and _read(found))
        if found is None:
            break
        # Its reader goes on behind it, a little further, or looks at a part of it again.
        at = max(found.end() + step, found.start() + 1)


def test_it_forgets_what_it_found_in_other_bytes() -> None:
    markup = Markup("Transaction")
    assert markup.next(b"   <Transaction>", 0, 16) == Token(3, 15, b"Transaction")
    assert markup.next(b" <?  ", 0, 5) == Token(1, 3)
    assert markup.next(b"</x:Transaction>", 0, 16) == Token(0, 15, b"x:Transaction", closes=True)

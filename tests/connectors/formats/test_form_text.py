"""Web forms: what is one, what is refused at the door, and what its fields are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.api import MESSAGE_BYTES_MAX, Slice
from connectors.formats.form_text import FIELDS_MAX, decode_form, split_form
from schemas.problem import Refused, Rejected


@pytest.mark.parametrize(
    ("payload", "fields"),
    [
        (b"a=1&b=", {"a": "1", "b": ""}),
        (b"a=x+y%2B%C3%A4", {"a": "x y+ä"}),
        (b"a=2&a=1&b=3&a=2", {"a": ["2", "1", "2"], "b": "3"}),
        ("a=ä".encode(), {"a": "ä"}),
        (b"a=1=2&%41=%zz", {"a": "1=2", "A": "%zz"}),
    ],
)
def test_fields(payload: bytes, fields: dict[str, object]) -> None:
    assert decode_form(payload) == fields


@pytest.mark.parametrize("payload", [b"a=\xff", b"a=%FF", b"%ED%A0%80=1"])
def test_what_is_not_utf8_is_held(payload: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        decode_form(payload)
    assert caught.value.problem.code == "LP-DOC-002"


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (b"", "LP-DOOR-001"),
        (b" \r\n\t", "LP-DOOR-001"),
        (b"no form", "LP-DOOR-005"),
        (b"word", "LP-DOOR-005"),
        (b"a=1\nb=2", "LP-DOOR-005"),
        (b"a=1\0", "LP-DOOR-005"),
        (b"&".join([b"a=1"] * (FIELDS_MAX + 1)), "LP-DOOR-006"),
        (b"a=" + b"1" * MESSAGE_BYTES_MAX, "LP-DOOR-002"),
    ],
)
def test_what_no_sender_means_is_refused(record: bytes, code: str) -> None:
    with pytest.raises(Refused) as caught:
        list(split_form([record[:2], record[2:]]))
    assert caught.value.problem.code == code


def test_the_largest_form_is_taken() -> None:
    for record in (b"&".join([b"a=1"] * FIELDS_MAX), b"a=" + b"1" * (MESSAGE_BYTES_MAX - 2)):
        assert list(split_form([record])) == [Slice(record, offset=0)]


def test_reading_stops_where_it_is_too_much() -> None:
    read = 0

    def large() -> Iterator[bytes]:
        nonlocal read
        while read < 64:
            read += 1
            yield b"a" * 1024 * 1024

    with pytest.raises(Refused):
        list(split_form(large()))
    assert read <= MESSAGE_BYTES_MAX // (1024 * 1024) + 1


@given(st.binary(max_size=200))
def test_any_bytes_are_a_form_or_a_typed_error(record: bytes) -> None:
    try:
        (piece,) = split_form([record])
        decode_form(piece.payload)
    except (Refused, Rejected):
        return
    assert record[piece.offset :].startswith(piece.payload)

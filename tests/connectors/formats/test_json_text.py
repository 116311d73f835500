"""One JSON document: exact numbers, and everything doubtful rejected with its place."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.formats.json_text import JsonOptions, decode_again, decode_json
from schemas.problem import Problem, Rejected

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**39), 10**39)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner),
    max_leaves=20,
)


def problem_of(payload: bytes, **options: Any) -> Problem:
    with pytest.raises(Rejected) as caught:
        decode_json(payload, **options)
    return caught.value.problem


@given(VALUES)
def test_any_value_comes_back_as_written(value: Any) -> None:
    for ascii_only in (True, False):
        assert decode_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,15})\.[0-9]{1,15}", fullmatch=True))
def test_a_fraction_keeps_the_digits_as_sent(digits: str) -> None:
    value = decode_json(b'{"amount": ' + digits.encode() + b"}")["amount"]
    assert isinstance(value, Decimal)
    assert value.as_tuple() == Decimal(digits).as_tuple()


def test_a_price_with_zeros_at_its_end_keeps_them() -> None:
    assert str(decode_json(b"[199.00]")[0]) == "199.00"
    assert str(decode_json(b"[0.1]")[0]) == "0.1"


def test_whole_numbers_stay_whole() -> None:
    value = decode_json(b'{"id": 9007199254740993}')["id"]
    assert value == 9007199254740993
    assert type(value) is int


@pytest.mark.parametrize(
    ("payload", "code", "path"),
    [
        (b'{"price": "1.00", "price": "2.00"}', "LP-JSON-001", "price"),
        (b'{"a": [{}, {"b": {"c": 1, "d": 2, "c": 1}}]}', "LP-JSON-001", "a[1].b.c"),
        (b'{"a\\u0062": 1, "ab": 1}', "LP-JSON-001", "ab"),
        (b'{"total_price": NaN}', "LP-JSON-002", "total_price"),
        (b'{"a": [1, -Infinity]}', "LP-JSON-002", "a[1]"),
        (b'{"a": Infinity}', "LP-JSON-002", "a"),
        (b'{"id": ' + b"9" * 41 + b"}", "LP-JSON-003", "id"),
        (b'{"id": ' + b"9" * 5000 + b"}", "LP-JSON-003", "id"),
        (b'{"a": {"rate": 0.' + b"1" * 40 + b"}}", "LP-JSON-003", "a.rate"),
        (b'{"a": 1e999999999}', "LP-JSON-003", "a"),
        (b'{"a": 1e-999999999}', "LP-JSON-003", "a"),
        (b'{"a": {"note": "\\ud83d"}}', "LP-JSON-004", "a.note"),
        (b'{"a": {"\\udc00": 1}}', "LP-JSON-004", "a.?"),
    ],
)
def test_an_unlawful_value_is_rejected_with_its_path(payload: bytes, code: str, path: str) -> None:
    problem = problem_of(payload)
    assert (problem.code, problem.path) == (code, path)


def test_the_first_of_several_unlawful_values_is_named() -> None:
    assert problem_of(b'{"a": [NaN], "b": 1, "b": 2}').path == "a[0]"
    assert problem_of(b'{"b": 1, "b": NaN}').code == "LP-JSON-001"


def test_a_key_that_is_no_field_name_is_shown_by_its_shape_only() -> None:
    path = problem_of(b'{"ann@example.org": NaN, "4111111111111111": 1}').path
    assert path == "aaa@aaaaaaa.aaa"
    assert problem_of(b'{"4111111111111111": 1, "4111111111111111": 1}').path == "9" * 16


def test_a_whole_surrogate_pair_is_a_character() -> None:
    assert decode_json(b'["\\ud83d\\ude00", "\\\\ud83d"]') == ["\U0001f600", "\\ud83d"]


@pytest.mark.parametrize(
    ("payload", "byte"),
    [
        (b'{"a" 1}', 5),
        (b'{"a": 1,}', 8),
        (b"{'a': 1}", 1),
        (b'{"a": tru}', 6),
        (b'{"a": 01}', 7),
        (b'{"a": "x\ny"}', 8),
        (b'{"a": 1}x', 8),
        (b'{"a": 1}-', 8),
        (b'{"a": "\\x"}', 7),
        ('{"ä€": 1 2}'.encode(), 12),
        (b"garbage", 0),
    ],
)
def test_malformed_text_is_rejected_with_its_byte(payload: bytes, byte: int) -> None:
    problem = problem_of(payload)
    assert (problem.code, problem.byte) == ("LP-DOC-003", byte)


def test_a_text_cut_anywhere_is_told_from_a_malformed_one() -> None:
    whole = b'{"a\\u00e9": [1.5e+3, -2, true, null, {"b": "\xc3\xa4\\n"}], "c": false}'
    decode_json(whole)
    codes = {problem_of(whole[:cut]).code for cut in range(len(whole))}
    # Within the two bytes of the last letter the text is also no UTF-8.
    assert codes == {"LP-DOC-001", "LP-DOC-002"}
    assert problem_of(whole[:20]).code == "LP-DOC-001"


def test_bytes_that_are_not_utf8_are_rejected_with_their_place() -> None:
    assert (problem_of(b'{"a": "\xe4"}').code, problem_of(b'{"a": "\xe4"}').byte) == (
        "LP-DOC-002",
        7,
    )
    assert problem_of(b'\xef\xbb\xbf{"a": "\xe4"}').byte == 10
    # Half a surrogate pair in the bytes themselves.
    assert problem_of(b'{"a": "\xed\xa0\x80"}').code == "LP-DOC-002"


def test_a_sender_of_another_encoding_is_read_once_the_source_says_so() -> None:
    payload = '{"name": "Zoë €"}'.encode("windows-1252")
    assert problem_of(payload).code == "LP-DOC-002"
    assert decode_json(payload, encoding="windows-1252") == {"name": "Zoë €"}
    assert problem_of(b'"\xe4\x81"', encoding="windows-1252").byte == 2
    assert decode_json('{"name": "Zoë"}'.encode(), encoding="iso-8859-1") == {"name": "Zoë"}


@pytest.mark.parametrize("encoding", ["utf-7", "cp037", "utf-16", "no-such-encoding"])
def test_an_encoding_that_could_hide_digits_is_refused_as_an_option(encoding: str) -> None:
    with pytest.raises(ValidationError, match="iso-8859-1"):
        JsonOptions(encoding=encoding)


@pytest.mark.parametrize("payload", [b"[" * 200_000, b'{"a":' * 200_000, b"[" * 980 + b"]" * 980])
def test_deep_nesting_is_a_problem_and_no_crash(payload: bytes) -> None:
    if payload.endswith(b"]"):
        payload = payload.replace(b"[]", b"[NaN]")
        assert problem_of(payload).code in {"LP-DOOR-004", "LP-JSON-002"}
    else:
        assert problem_of(payload).code == "LP-DOOR-004"


def test_no_problem_shows_a_value() -> None:
    for payload in (b'{"note": "secret", "note": "secret"}', b'{"note": "secret" "x"}', b'"secret'):
        assert "secret" not in problem_of(payload).line()


NUMBERS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,1})?", fullmatch=True
)


@given(VALUES, NUMBERS, st.sets(st.text("abc", max_size=3)), st.booleans(), st.booleans())
def test_what_was_taken_once_is_read_again_as_it_was(
    value: Any,
    number: str,
    reads: set[str],
    ascii_only: bool,  # noqa: FBT001
    bom: bool,  # noqa: FBT001
) -> None:
    text = json.dumps({"a": value, "b": [], "number": 0}, ensure_ascii=ascii_only)
    payload = bom * b"\xef\xbb\xbf" + f"{text[:-2]}{number}}}".encode()
    before = decode_json(payload)
    assert repr(decode_again(payload)) == repr(before)
    some = decode_again(payload, reads=frozenset({*reads, "number"}))
    assert list(some) == list(before)
    assert all(
        repr(some[name]) == repr(before[name]) for name in {*reads, "number"} & before.keys()
    )


@pytest.mark.parametrize(
    "payload", [b"[1.10]", b'"text"', b"7", b"null", '["é"]'.encode("latin-1")]
)
def test_what_has_no_fields_is_read_again_whole(payload: bytes) -> None:
    before = decode_json(payload, encoding="iso-8859-1")
    again = decode_again(payload, encoding="iso-8859-1", reads=frozenset({"a"}))
    assert repr(again) == repr(before)

"""A record cut into slices: every shape, every cut, and a bad document that spoils only itself."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from connectors.api import MESSAGE_BYTES_MAX, Rest, Slice
from connectors.formats.json_record import DEPTH_MAX, RECORD_BYTES_MAX, continues, split_record
from schemas.problem import Refused

WRAPPERS = frozenset({b"order", b"refund"})
LISTS = frozenset({b"orders", b"refunds"})


def pieces(record: bytes, rest: Rest | None = None, *, chunk: int = 65536) -> list[Slice | Rest]:
    chunks = [record[i : i + chunk] for i in range(0, len(record), chunk)]
    return list(split_record(chunks, wrappers=WRAPPERS, lists=LISTS, rest=rest))


def payloads(record: bytes) -> list[bytes]:
    found = pieces(record)
    assert all(isinstance(piece, Slice) for piece in found)
    return [piece.payload for piece in found]


def refusal(chunks: Iterator[bytes] | list[bytes]) -> str:
    with pytest.raises(Refused) as caught:
        list(split_record(chunks, wrappers=WRAPPERS, lists=LISTS))
    return caught.value.problem.code


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (b'{"id": 1}', [(b'{"id": 1}', 0, b"")]),
        (b'\xef\xbb\xbf\n{"id": 1}\n', [(b'{"id": 1}', 4, b"")]),
        (b'{"order": {"id": 1} }\n', [(b'{"id": 1}', 10, b"order")]),
        (
            b'{"orders": [{"id": 1}, {"id": 2}]}',
            [(b'{"id": 1}', 12, b"orders"), (b'{"id": 2}', 23, b"orders")],
        ),
        (b'[{"id": 1},{"id": 2}]', [(b'{"id": 1}', 1, b""), (b'{"id": 2}', 11, b"")]),
        (b'{"id": 1}\n{"id": 2}', [(b'{"id": 1}', 0, b""), (b'{"id": 2}', 10, b"")]),
        (b'{"id": 1}{"refund": {}}', [(b'{"id": 1}', 0, b""), (b"{}", 20, b"refund")]),
        # Of the first key alone nobody can tell a wrapper: what follows decides.
        (b'{"order": {}, "id": 1}', [(b'{"order": {}, "id": 1}', 0, b"")]),
        (b'{"product": {"id": 1}}', [(b'{"product": {"id": 1}}', 0, b"")]),
        (b'{"order": [1]}', [(b'{"order": [1]}', 0, b"")]),
        (b'[1, [2], "x"]', [(b"1", 1, b""), (b"[2]", 4, b""), (b'"x"', 9, b"")]),
        (b'{"a": "}]\\"{"}', [(b'{"a": "}]\\"{"}', 0, b"")]),
    ],
)
def test_a_record_gives_its_documents_with_their_offsets(
    record: bytes, expected: list[tuple[bytes, int, bytes]]
) -> None:
    found = pieces(record)
    assert [
        (piece.payload, piece.offset, piece.context) for piece in found if isinstance(piece, Slice)
    ] == expected
    for payload, offset, _ in expected:
        assert record[offset:].startswith(payload)


BROKEN_ELEMENTS = [
    b'{"id": 2, "id": 2}',
    b'{"id": NaN}',
    b'{"id": 2,, }',
    b'{"id" 2}',
    b'{"id": "\xff\xfe"}',
    b'{"id": [2}',
    b'{"id": 2]}',
    b'{"id": {"a": [{"b": 2}}',
    b"nonsense",
]


@pytest.mark.parametrize("broken", BROKEN_ELEMENTS)
def test_one_broken_element_leaves_its_neighbours_alone(broken: bytes) -> None:
    record = b'{"orders": [{"id": 1}, ' + broken + b', {"id": 3}]}'
    assert payloads(record) == [b'{"id": 1}', broken, b'{"id": 3}']


@pytest.mark.parametrize(
    ("broken", "kept"),
    [
        # The closing bracket is missing: a "{" after a comma cannot be a key.
        (b'[{"id": 1}, {"id": 2, {"id": 3}]', b'{"id": 2'),
        (b'[{"id": 1}, {"id": 2, "a": {"b": 1, {"id": 3}]', b'{"id": 2, "a": {"b": 1'),
        # A bracket too many ends the list, not what follows it.
        (b'[{"id": 1}, {"id": [2}]}, {"id": 3}]', b'{"id": [2}'),
        # A writer of JSON lines stopped in the middle of a line.
        (b'{"id": 1}\n{"id": 2, "note": "cut off\n{"id": 3}\n', b'{"id": 2, "note": "cut off'),
        (b'{"id": 1}\n{"id": 2, "note": 12\n{"id": 3}\n', b'{"id": 2, "note": 12'),
        # A closing quote is missing: the string ends where the next line begins with a bracket.
        (
            b'[\n  {"id": 1},\n  {\n    "id": "2\n  },\n  {"id": 3}\n]\n',
            b'{\n    "id": "2\n  }',
        ),
    ],
)
def test_an_element_that_was_never_closed_ends_where_the_next_begins(
    broken: bytes, kept: bytes
) -> None:
    assert payloads(broken) == [b'{"id": 1}', kept, b'{"id": 3}']


def test_a_raw_line_end_in_a_text_does_not_end_it() -> None:
    record = b'[{"note": "ring\ntwice\n"}, {"note": "a\r\n  b {"}, {"id": 3}]'
    assert payloads(record) == [
        b'{"note": "ring\ntwice\n"}',
        b'{"note": "a\r\n  b {"}',
        b'{"id": 3}',
    ]


def test_an_object_as_value_on_its_own_line_is_no_new_document() -> None:
    record = b'{"a":\n{"b": 1},\n"c":\n[\n{"d": 2},\n{"e": 3}\n]}'
    assert payloads(record) == [record]


def test_what_stands_beside_a_list_is_kept_with_a_problem() -> None:
    found = pieces(b'{"orders": [{"id": 1}], "refunds": [{"id": 2}]}\n{"id": 3}')
    slices = [piece for piece in found if isinstance(piece, Slice)]
    assert [piece.payload for piece in slices] == [
        b'{"id": 1}',
        b', "refunds": [{"id": 2}]',
        b'{"id": 3}',
    ]
    assert [piece.problem and piece.problem.code for piece in slices] == [None, "LP-DOC-004", None]


def test_lines_that_are_no_documents_are_kept() -> None:
    assert payloads(b'{"id": 1}\nerror 500\nsee log\n{"id": 2}\nend') == [
        b'{"id": 1}',
        b"error 500\nsee log",
        b'{"id": 2}',
        b"end",
    ]


def test_a_record_that_begins_inside_a_document_says_so() -> None:
    found = pieces(b'cut off"}]}\n{"id": 1}')
    assert isinstance(found[0], Slice)
    assert found[0].problem
    assert found[0].problem.code == "LP-DOC-001"
    assert [piece.payload for piece in found] == [b'cut off"}]}', b'{"id": 1}']


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (b"", "LP-DOOR-001"),
        (b" \r\n\t ", "LP-DOOR-001"),
        (b"\xef\xbb\xbf", "LP-DOOR-001"),
        (b"\xff\xfe", "LP-DOOR-001"),
        (b"<order/>", "LP-DOOR-005"),
        (b"id;total\n1;2\n", "LP-DOOR-005"),
        (b"[]", "LP-DOOR-005"),
        (b'{"orders": []}', "LP-DOOR-005"),
        (b"]}", "LP-DOOR-005"),
        (b"[" * 200_000, "LP-DOOR-004"),
        (b'{"a":' * 200_000, "LP-DOOR-004"),
        (b'{"orders":[' + b"[" * 200_000, "LP-DOOR-004"),
        (b'{"id": 1}\n' + b"[" * 200_000, "LP-DOOR-004"),
    ],
)
def test_a_record_without_documents_or_without_a_bottom_is_refused(
    record: bytes, code: str
) -> None:
    assert refusal([record]) == code


@pytest.mark.parametrize("head", [b"", b"[", b'{"orders":['])
def test_the_depth_counts_from_the_outermost_bracket(head: bytes) -> None:
    free = DEPTH_MAX - head.count(b"[") - head.count(b"{")
    tail = b"]" * head.count(b"[") + b"}" * head.count(b"{")
    element = b'{"a":' * (free - 1) + b"{}" + b"}" * (free - 1)
    assert len(payloads(head + element + tail)) == 1
    deeper = b'{"a":' + element + b"}"
    assert refusal([head + deeper + tail]) == "LP-DOOR-004"


@pytest.mark.parametrize(
    "head", [b'{"a": "', b'[{"a": "', b'[{}, {"a": [1,', b'{"a": 1', b"[1", b"{}\nx"]
)
def test_an_endless_document_is_refused_while_it_is_read(head: bytes) -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        yield head
        while True:
            read += 65536
            yield b"1" * 65536

    assert refusal(endless()) == "LP-DOOR-002"
    assert read <= 2 * MESSAGE_BYTES_MAX + 2 * 65536


def test_a_document_of_the_largest_size_passes_and_one_byte_more_does_not() -> None:
    largest = b'{"a": "' + b"x" * (MESSAGE_BYTES_MAX - 9) + b'"}'
    assert len(largest) == MESSAGE_BYTES_MAX
    assert payloads(b"[" + largest + b"]") == [largest]
    assert refusal([b"[" + largest.replace(b'"}', b'x"}') + b"]"]) == "LP-DOOR-002"


def test_a_record_of_small_documents_is_refused_when_it_grows_too_large() -> None:
    line = b'{"id": 1}' + b" " * 65527
    assert refusal(line for _ in range(RECORD_BYTES_MAX // len(line) + 1)) == "LP-DOOR-002"


def test_hostile_text_is_read_in_time_that_grows_with_its_length() -> None:
    """Each of these would take hours if any of it were looked at again and again."""
    size = 1_000_000
    for body in (b"\n" * size, b"\\" * size, b'"' * size, b'\n "' * size, b" " * size):
        pieces(b'{"a": "' + body)
    pieces(b'{"a": "' + b"x" * 100_000, chunk=1)


RECORDS = {
    "list": b'{"orders": [{"id":1,"n":"\\"{[x] y}z","l":[{"x":1},{"y":[]}]}, {"u":"\xc3\xa4"}]}\n',
    "bare list, marked": b'\xef\xbb\xbf[{"id":1},\n {"id":2,"x":{"y":{}}}]',
    "wrapped": b'{"order":{"id":1,"line_items":[{"id":11},{"id":12}]}}\n',
    "bare": b'{"id":1,"line_items":[{"id":11},{"id":12}]}',
    "lines": b'{"id":1}\n{"id":2,"a":[1]}\n{"order":{"id":3}}\n',
    "two lists": b'{"orders":[{"id":1}]}\n{"refunds":[{"id":2},{"id":3}]}',
    "broken": b'{"orders":[{"id":1},{"id":NaN,"id":[2},nonsense,{"id":3}]}',
    "utf-16": '\ufeff{"orders":[{"id":1,"n":"\u00e4\U0001f600"},{"id":2}]}'.encode("utf-16-le"),
    "utf-16-be": '{"orders":[{"id":1,"n":"\u00e4"},{"id":2}]}'.encode("utf-16-be"),
    "utf-32": '{"orders":[{"id":1,"n":"\u00e4"},{"id":2}]}'.encode("utf-32-le"),
}


def sent_in_parts(parts: list[bytes], *, ask: bool) -> list[bytes]:
    """What arrives, the way a hub would join it; a part of which nothing may be kept is dropped."""
    rest: Rest | None = None
    arrived: list[bytes] = []
    for part in parts:
        offered = rest if not ask or continues(part) else None
        try:
            found = pieces(part, offered)
        except Refused:
            continue
        if rest and not offered and rest.payload:
            arrived.append(rest.payload)
        rest = None
        for piece in found:
            if isinstance(piece, Rest):
                rest = piece
            else:
                arrived.append(piece.payload)
    return arrived + ([rest.payload] if rest and rest.payload else [])


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_a_record_cut_at_any_byte_gives_the_same_slices(record: bytes) -> None:
    whole = payloads(record)
    for cut in range(len(record) + 1):
        assert sent_in_parts([record[:cut], record[cut:]], ask=True) == whole, cut


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_a_record_in_many_parts_gives_the_same_slices(record: bytes) -> None:
    whole = payloads(record)
    chance = random.Random(7)
    for _ in range(200):
        cuts = sorted(chance.sample(range(1, len(record)), 2))
        parts = [record[a:b] for a, b in zip([0, *cuts], [*cuts, len(record)], strict=True)]
        assert sent_in_parts(parts, ask=False) == whole, cuts


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_the_size_of_the_chunks_changes_nothing(record: bytes) -> None:
    for size in (1, 2, 3, 7):
        assert pieces(record, chunk=size) == pieces(record)


def test_random_text_is_neither_lost_nor_read_differently_by_chunks() -> None:
    tokens = [b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"\n", b" ", b"a", b"1"]
    tokens += [b'{"orders":[', b'"x":', b'{"order":{', b"\xff", b'"k":"v"', b"\t" * 70]
    chance = random.Random(11)
    for _ in range(4000):
        record = b"".join(chance.choices(tokens, k=chance.randint(1, 40)))
        outcomes = [_outcome(record, chunk) for chunk in (1, 2, 5, 65536)]
        assert outcomes.count(outcomes[0]) == len(outcomes), record
        if isinstance(outcomes[0], list):
            _assert_all_there(record, outcomes[0])


def _outcome(record: bytes, chunk: int) -> list[Slice | Rest] | str:
    try:
        return pieces(record, chunk=chunk)
    except Refused as refused:
        return refused.problem.code


def _assert_all_there(record: bytes, found: list[Slice | Rest]) -> None:
    """Every letter of the record lies in one slice, except what is wrapping."""
    left = bytearray(record)
    for piece in found:
        assert record[piece.offset :].startswith(piece.payload)
        left[piece.offset : piece.offset + len(piece.payload)] = b" " * len(piece.payload)
    for wrapping in (b"orders", b"order"):
        left = left.replace(b'"' + wrapping + b'"', b"")
    assert not left.strip(b" \t\r\n{}[],:"), (record, left)


def test_a_joined_slice_says_where_it_began() -> None:
    first = pieces(b'[{"id": 1}, {"id"')
    rest = first[-1]
    assert rest == Rest(b'{"id"', 12, rest.context)
    joined, own = pieces(b': 2}, {"id": 3}]', rest)
    assert joined == Slice(b'{"id": 2}', 12, joined=True)
    assert own == Slice(b'{"id": 3}', 6)


def test_a_cut_between_two_documents_of_a_list_leaves_an_empty_rest() -> None:
    rest = pieces(b'{"orders": [{"id": 1},')[-1]
    assert isinstance(rest, Rest)
    assert rest.payload == b""
    assert pieces(b' {"id": 2}]}', rest) == [Slice(b'{"id": 2}', 1, context=b"orders")]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b'{"id": 1', False),
        (b' \n[{"id": 1}]', False),
        (b'\xef\xbb\xbf{"id": 1}', False),
        ('{"id": 1}'.encode("utf-16-le"), False),
        (b'{"id": 1}\n{"id": 2}', False),
        (b"", False),
        (b" \n", False),
        (b'd": 1}', True),
        (b'"orders": [', True),
        (b', {"id": 2}]', True),
        (b"]}", True),
        (b'{"id": 2}]}', True),
        (b'{"id": 2}, {"id": 3}', True),
        (b'{ said the customer", "id": 1}', True),
        (b"\xbb\xbf{", True),
        (b"\0", True),
        (b"[" * 200_000, False),
    ],
)
def test_whether_a_record_goes_on_from_another(head: bytes, *, expected: bool) -> None:
    assert continues(head) is expected


def test_utf16_is_handed_on_as_utf8() -> None:
    text = '[{"n": "\u00e4\U0001f600"}, {"id": 2}]'
    for encoding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        for mark in ("", "\ufeff"):
            record = (mark + text).encode(encoding)
            assert payloads(record) == [text[1:12].encode(), b'{"id": 2}']
            assert pieces(record, chunk=3) == pieces(record)


def test_half_a_surrogate_pair_in_utf16_spoils_its_own_element() -> None:
    record = '[{"n": "\ud83d"}, {"id": 2}]'.encode("utf-16-le", "surrogatepass")
    assert payloads(record) == [b'{"n": "\xed\xa0\xbd"}', b'{"id": 2}']


def test_utf32_beyond_unicode_is_refused() -> None:
    assert refusal(['[{"n": "'.encode("utf-32-le"), b"\xff\xff\xff\x7f"]) == "LP-DOC-002"

"""What a file becomes: whole, cut anywhere, damaged, of another layout, with odd line ends."""

from __future__ import annotations

import pytest

from connectors.api import (
    EMPTY,
    FOREIGN,
    MALFORMED,
    NO_MESSAGE,
    TRUNCATED,
    Rest,
    Slice,
)
from connectors.layout import connector
from connectors.layout.causes import COUNT, RECORD, VALUE, WRONG
from schemas.problem import Problem, Refused
from tests.connectors.layout.taking import (
    CSV,
    HEAD,
    R13,
    R16,
    SAMPLES,
    cut,
    documents,
    layout,
    options,
    outcome,
    sale,
    slices,
)
from tests.connectors.layout.writing import file

DAY = file(R16, sale(1), sale(2), sale(3), head=HEAD)
AUTO, CHOSEN = options(), options(R16)
CARDS = (SAMPLES / "csv-return-by-type-and-training.csv").read_bytes()

EBCDIC = layout("""
layout: ebcdic
summary: Records of 40 bytes without line ends
form: fixed
code_page: cp500
line_end: none
record_bytes: 40
told: {at: 0, width: 2}
file: {begin: day, end: end}
message: {begin: sale, end: sum}
kinds: rtlog
key: [file.store, number]
content: [sum.total]
records:
  day: {tag: DY, fields: {store: 4 text}}
  sale: {tag: SA, fields: {number: 6 digits never}}
  item:
    tag: IT
    as: items[]
    fields: {name: 20 text, amount: 9 decimal implied 2 sign overpunch}
  sum: {tag: SU, fields: {total: 9 decimal implied 2 sign trailing, records: 4 digits count}}
  end: {tag: EN, fields: {records: 6 digits count}}
""")
NIGHT = file(
    EBCDIC,
    [
        ("sale", {"number": "000007"}),
        ("item", {"name": "Käse", "amount": "-12.34"}),
        ("sum", {"total": "-12.34", "records": "1"}),
    ],
    [("sale", {"number": "000008"}), ("sum", {"total": "0.05", "records": "0"})],
    head={"store": "0120"},
)


def _codes(record: bytes, layout_: object = R16) -> list[str]:
    found = outcome(record, options(layout_))  # type: ignore[arg-type]
    return [one.code if isinstance(one, Problem) else "" for one in found]


@pytest.mark.parametrize(
    ("whole", "chosen"),
    [(DAY, AUTO), (DAY, CHOSEN), (CARDS, AUTO), (CARDS, options(CSV)), (NIGHT, options(EBCDIC))],
    ids=["told by itself", "chosen", "columns", "columns chosen", "ebcdic"],
)
def test_cut_at_every_byte_it_goes_on(whole: bytes, chosen: object) -> None:
    bound = connector.bound(chosen)
    expected = [piece.payload for piece in slices(whole, chosen)]  # type: ignore[arg-type]
    assert len(expected) >= 2
    for at in range(1, len(whole)):
        first = cut(whole[:at], chosen)  # type: ignore[arg-type]
        rest = first[-1] if first and isinstance(first[-1], Rest) else None
        if rest is not None:
            assert bound.continues(whole[at:]), at
        then = cut(whole[at:], chosen, rest) if rest or whole[at:].strip() else []  # type: ignore[arg-type]
        found = [p.payload for p in (*first, *then) if isinstance(p, Slice)]
        assert found == expected, at
        assert not any(p.problem for p in (*first, *then) if isinstance(p, Slice)), at
        assert not any(isinstance(p, Rest) for p in then), at


@pytest.mark.parametrize("size", [1, 3, 100])
def test_cut_into_parts_it_goes_on_again_and_again(size: int) -> None:
    rest, found = None, []
    for at in range(0, len(NIGHT), size):
        pieces = cut(NIGHT[at : at + size], options(EBCDIC), rest)
        rest = pieces[-1] if pieces and isinstance(pieces[-1], Rest) else None
        found += [piece.payload for piece in pieces if isinstance(piece, Slice)]
    assert found == [piece.payload for piece in slices(NIGHT, options(EBCDIC))]
    assert rest is None


def test_a_new_file_does_not_go_on_from_another() -> None:
    for chosen, whole in ((AUTO, DAY), (AUTO, CARDS), (options(EBCDIC), NIGHT)):
        assert not connector.bound(chosen).continues(whole)
        assert not connector.bound(chosen).continues(whole[:2])
    assert not connector.bound(AUTO).continues(b"\xef\xbb\xbf" + CARDS)
    assert not connector.bound(AUTO).continues(b"\n\r\n" + DAY)
    assert not connector.bound(options(R13)).continues(DAY), "of the other release"


def test_ebcdic_without_line_ends() -> None:
    first, second = documents(NIGHT, options(EBCDIC))
    assert first == {
        "file": {"store": "0120"},
        "number": "000007",
        "items": [{"name": "Käse", "amount": "-12.34"}],
        "sum": {"total": "-12.34", "records": "0001"},
    }
    assert second["sum"]["total"] == "0.05"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n", b"\r\n\r\n"])
def test_line_ends(end: bytes) -> None:
    assert documents(DAY.replace(b"\n", end), AUTO) == documents(DAY, AUTO)
    assert documents(CARDS.replace(b"\r\n", end), AUTO) == documents(CARDS, AUTO)


def test_mixed_line_ends_and_what_programs_put_behind_the_end() -> None:
    lines = DAY.split(b"\n")
    mixed = b"".join(line + (b"\r\n" if n % 2 else b"\n") for n, line in enumerate(lines) if line)
    for tail in (b"", b"\x1a", b"\x00" * 500, b"\r\n\r\n  \n"):
        assert documents(mixed + tail, AUTO) == documents(DAY, AUTO)
    assert documents(DAY.rstrip(b"\n"), AUTO) == documents(DAY, AUTO)


def test_byte_order_mark() -> None:
    (first, *_) = slices(b"\xef\xbb\xbf" + DAY, AUTO)
    assert documents(b"\xef\xbb\xbf" + DAY, AUTO) == documents(DAY, AUTO)
    assert first.offset == slices(DAY, AUTO)[0].offset + 3
    assert documents(b"\xef\xbb\xbf" + CARDS, options(CSV)) == documents(CARDS, AUTO)


def test_carriage_returns_alone() -> None:
    old = layout(
        "layout: old\nsummary: x\nform: fixed\nline_end: cr\ntold: {at: 0, width: 1}\n"
        "message: {begin: a, end: b}\nkinds: rtlog\nkey: [n]\ncontent: [n]\n"
        "records:\n  a: {tag: A, fields: {n: 3 digits}}\n  b: {tag: B, fields: {m: 2 text}}\n"
    )
    assert documents(b"A001\rBxy\rA002\rB  \r", options(old)) == [
        {"n": "001", "b": {"m": "xy"}},
        {"n": "002", "b": {}},
    ]


@pytest.mark.parametrize("blank", [b"", b"\n", b" \r\n\t\n", b"\x00" * 100])
def test_nothing_is_refused(blank: bytes) -> None:
    with pytest.raises(Refused) as caught:
        cut(blank, AUTO)
    assert caught.value.problem.code == EMPTY.code


@pytest.mark.parametrize(
    ("data", "chosen", "detail"),
    [
        (DAY, R13, "record 1 (fhead) has 84 bytes, the layout rtlog-13 says 81"),
        (DAY, CSV, "record 1, column 1 is not 'Art', as the layout csv-sales says"),
        (
            CARDS.replace(b"Filiale", b"Laden", 1),
            CSV,
            "record 1, column 2 is not 'Filiale', as the layout csv-sales says",
        ),
        (
            CARDS.replace(b";Zeilen", b"", 1),
            CSV,
            "record 1 names 20 columns, the layout csv-sales has 21",
        ),
        (CARDS.replace(b";", b","), CSV, "record 1, column 1 is not 'Art'"),
        (b"hello\n", None, "of the layout csv-sales, rtlog-13, rtlog-16"),
        (b"hello", None, "of the layout csv-sales, rtlog-13, rtlog-16"),
    ],
)
def test_a_file_of_another_layout_is_refused(data: bytes, chosen: object, detail: str) -> None:
    with pytest.raises(Refused) as caught:
        documents(data, options(chosen))  # type: ignore[arg-type]
    assert caught.value.problem.code == WRONG.code
    assert detail in (caught.value.problem.detail or "")


def test_a_file_of_which_no_record_is_known_is_refused() -> None:
    for data in (b"hello\nworld\n", CARDS):
        with pytest.raises(Refused) as caught:
            cut(data, CHOSEN)
        assert caught.value.problem.code == NO_MESSAGE.code


def test_a_file_of_two_layouts_must_be_told_which() -> None:
    middle = DAY.partition(b"\n")[2].replace(b"THEAD", b"TTAIL", 1)[139:]
    with pytest.raises(Refused) as caught:
        cut(middle, AUTO)
    assert caught.value.problem.detail == "record 1 fits several layouts: rtlog-13, rtlog-16"


def _broken(old: bytes, new: bytes) -> list[dict[str, object] | Problem]:
    at = DAY.index(b"0000000002", DAY.index(b"THEAD", 300))
    start = DAY.rindex(b"THEAD", 0, at)
    return outcome(DAY[:start] + DAY[start:].replace(old, new, 1), CHOSEN)


@pytest.mark.parametrize(
    ("old", "new", "code", "detail", "path", "value"),
    [
        (b"TEA ", b"TEA", RECORD, "record 2 (titem) has 164 bytes, the layout rtlog-16 says 165",
         "titem", None),
        (b"TEA ", b"TEA  ", RECORD, "record 2 (titem) has 166 bytes, the layout rtlog-16 says 165",
         "titem", None),
        (b"TITEM", b"TITOM", FOREIGN, "record 2 is of no type that the layout rtlog-16 knows", None,
         "aaaaa"),
        (b"00000000000000099000", b"0000000000000009900x", VALUE,
         "record 1 (thead), bytes 98 to 117: not a number as the layout writes them",
         "thead.total", "9999999999999999999a"),
        (b"20310506100130", b"20311306100130", VALUE,
         "record 1 (thead), bytes 21 to 34: no day or time that there is", "thead.moment",
         "99999999999999"),
        (b"P000000020000", b"X000000020000", VALUE,
         "record 2 (titem), bytes 57 to 68: its sign field holds no sign", "titem.quantity",
         "999999999999"),
        (b"TTAIL          0000000002", b"TTAIL          0000000003", COUNT,
         "record 4 (ttail) counts 3 records, there are 2", "ttail.records", None),
        (b"TTAIL          0000000002\n", b"", TRUNCATED, "another message begins", None, None),
        (b"THEAD", b"TTEND", MALFORMED, "the start of the message is missing", None, None),
    ],
)  # fmt: skip
def test_what_is_broken_is_held_and_its_neighbours_go_on(
    old: bytes, new: bytes, code: object, detail: str, path: str | None, value: str | None
) -> None:
    first, second, third = _broken(old, new)[:3]
    assert isinstance(first, dict)
    assert isinstance(third, dict)
    assert isinstance(second, Problem)
    assert (second.code, second.detail) == (code.code, detail)  # type: ignore[attr-defined]
    assert (second.path, second.value) == (path, value)
    assert second.byte is not None
    assert second.next_step


def test_trailer_of_the_file_is_held_alone_where_it_counts_wrong() -> None:
    wrong = DAY.replace(b"0000000012\n", b"0000000011\n")
    *sales, trailer = outcome(wrong, CHOSEN)
    assert sales == documents(DAY, CHOSEN)
    assert isinstance(trailer, Problem)
    assert trailer.code == COUNT.code
    assert trailer.detail == "record 14 (ftail) counts 11 records, there are 12"
    assert trailer.byte == wrong.index(b"FTAIL")


def test_a_file_without_its_trailer_is_open() -> None:
    whole = DAY[: DAY.index(b"FTAIL")]
    *found, rest = cut(whole, CHOSEN)
    assert [piece.payload for piece in found] == [piece.payload for piece in slices(DAY, CHOSEN)]
    assert isinstance(rest, Rest)
    assert (rest.payload, rest.offset) == (b"", len(whole))


def test_two_files_in_one() -> None:
    later = file(R16, sale(9), head={**HEAD, "store": "0000000121"})
    stores = [one["file"]["store"] for one in documents(DAY + later, CHOSEN)]
    assert stores == ["0000000120"] * 3 + ["0000000121"]


def test_columns_that_a_row_lacks_or_has_too_many() -> None:
    for wrong in (
        CARDS.replace(b";4,95;;4,95;", b";4,95;4,95;"),
        CARDS.replace(b"RUECK;", b"RUECK;;"),
    ):
        first, second = outcome(wrong, options(CSV))
        assert isinstance(first, Problem)
        assert first.code == RECORD.code
        assert isinstance(second, dict)


def test_a_quote_that_is_not_closed() -> None:
    first, second = outcome(CARDS.replace(b'lose"', b"lose"), options(CSV))
    assert isinstance(first, Problem)
    assert isinstance(second, dict)


def test_a_code_page_that_does_not_fit() -> None:
    first, second = outcome(CARDS, options(CSV, encoding="utf-8"))
    assert isinstance(first, Problem)
    assert first.code == "LP-DOC-002"
    assert first.path == "item.description"
    assert "column 12 'Bezeichnung'" in (first.detail or "")
    assert isinstance(second, dict)
    latin, _ = documents(CARDS, options(CSV))
    assert latin["items"][0]["description"] == "Grüner Tee; lose"
    assert documents(CARDS.decode("latin-1").encode(), options(CSV, encoding="utf-8"))[0] == latin

"""No card number in its place survives, whatever it is; nothing else is touched."""

from __future__ import annotations

import pytest

from connectors.api import Slice
from connectors.layout import connector
from connectors.scrub import scrub
from tests.connectors.layout.taking import (
    CSV,
    HEAD,
    R13,
    R16,
    SALE,
    SAMPLES,
    cut,
    decode,
    layout,
    options,
    outcome,
    scrubbed,
    slices,
)
from tests.connectors.layout.test_file import EBCDIC
from tests.connectors.layout.writing import file, record

LUHN = "4012888800001238"
NO_LUHN = "4012888800001234"
NO_CARD = "9990001112223"


def _paid(card: str, *, layout_: object = R16, **more: str) -> bytes:
    tender = {"line": "2", "group": "CCARD", "amount": "9.90", "card_number": card, **more}
    rows = [*SALE[:2], ("ttend", tender), SALE[3]]
    return file(layout_, rows, head=HEAD)  # type: ignore[arg-type]


@pytest.mark.parametrize("chosen", [options(), options(R13), options(R16)])
@pytest.mark.parametrize("card", [LUHN, NO_LUHN, NO_CARD, "4012 8888 0000 1234", "40128888"])
def test_a_card_number_in_its_field(chosen: object, card: str) -> None:
    used = chosen.layout[-1]  # type: ignore[attr-defined]
    (piece,) = slices(_paid(card, layout_=used), chosen)  # type: ignore[arg-type]
    clean = scrubbed(piece.payload, chosen)  # type: ignore[arg-type]
    assert card.encode() not in clean
    shown = "".join(c for c in card if c.isdigit())[-4:]
    document = decode(piece, chosen)  # type: ignore[arg-type]
    found = document["tenders"][0]["card_number"]
    assert "".join(c for c in found if c.isdigit()) == shown
    # Only the field of the card number is another than before.
    changed = {n for n, (a, b) in enumerate(zip(piece.payload, clean, strict=True)) if a != b}
    at = piece.payload.index(card.encode())
    assert changed
    assert changed <= set(range(at, at + len(card)))


def test_a_secret_is_masked_whole() -> None:
    row = record(R16, "ttend", {"line": "2", "group": "CCARD", "amount": "9.90"})
    dated = row[:92] + b"20331231" + row[100:]
    assert len(dated) == len(row)
    assert scrubbed(dated, options(R16))[92:100] == b"********"
    assert scrubbed(row, options(R16)) == row


def test_numbers_of_goods_and_people_stay() -> None:
    rows = [
        SALE[0],
        ("tcust", {"id": LUHN, "kind": "LOYAL"}),
        ("titem", {**SALE[1][1], "item": LUHN, "gtin": "30569309020004"}),
        ("ttail", {"records": "2"}),
    ]
    record_ = file(R16, rows, head={**HEAD, "reference": "DAY"})
    assert scrubbed(record_, options(R16)) == record_
    assert scrubbed(record_, options()) == record_


def test_a_card_number_in_any_other_field_is_found_next_to_its_neighbours() -> None:
    rows = [
        SALE[0],
        ("tcust", {"id": "7", "name": f"card {LUHN}"}),
        ("titem", {**SALE[1][1], "department": "x"}),
        ("ttend", {"line": "2", "amount": "9.90", "authorization": LUHN}),
        ("ttail", {"records": "3"}),
    ]
    clean = scrubbed(file(R16, rows, head=HEAD), options(R16))
    assert LUHN.encode() not in clean
    assert clean.count(b"************1238") == 2


def test_amounts_that_together_pass_for_a_card_are_none() -> None:
    wide = layout(
        "layout: wide\nsummary: x\nform: fixed\ntold: {at: 0, width: 1}\n"
        "message: {begin: a, end: a}\nkinds: rtlog\nkey: [n]\ncontent: [n]\n"
        "records:\n  a: {tag: A, fields: {n: 8 digits, m: 8 digits}}\n"
        "  b: {tag: B, fields: {o: 16 text}}\n"
    )
    row = f"A{LUHN}\nB{LUHN}\n".encode()
    assert scrubbed(row, options(wide)) == f"A{LUHN}\nB************1238\n".encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row[:-1],
        lambda row: row + b" ",
        lambda row: b"TTXXX" + row[5:],
        lambda row: row.replace(b" ", b"", 3),
    ],
    ids=["short", "long", "unknown", "moved"],
)
def test_of_a_record_that_does_not_fit_every_long_number_is_masked(change: object) -> None:
    row = next(r for r in _paid(NO_LUHN).split(b"\n") if r.startswith(b"TTEND"))
    broken = _paid(NO_LUHN).replace(row, change(row))  # type: ignore[operator]
    for chosen in (options(), options(R13), options(R16)):
        assert NO_LUHN[:8].encode() not in scrubbed(broken, chosen)
    assert NO_LUHN.encode() not in b"".join(
        scrubbed(piece.payload, options(R16)) for piece in slices(broken, options(R16))
    )


def test_of_a_last_record_that_is_short_its_line_end_tells_that_it_does_not_fit() -> None:
    """Without it the number, moved to the front, would stand half outside of its field."""
    single = layout(
        "layout: single\nsummary: x\nform: fixed\ntold: {at: 0, width: 1}\n"
        "message: {begin: a, end: a}\nkinds: rtlog\nkey: [n]\ncontent: [n]\n"
        "records:\n  a: {tag: A, fields: {n: 8 text, card: 16 text pan, m: 8 text}}\n"
        "  b: {tag: B, fields: {o: 16 text}}\n"
    )
    (piece,) = slices(f"Axxxx{NO_LUHN}yyyyyyyy\n".encode(), options(single))
    assert scrubbed(piece.payload, options(single)) == b"Axxxx************1234yyyyyyyy\n"


def test_a_record_of_the_other_release_hides_nothing() -> None:
    """The widths differ behind the card number of rtlog-16 and before that of a longer one."""
    moved = layout(
        (SAMPLES.parent / "layouts" / "rtlog-16.yaml")
        .read_text("utf-8")
        .replace("code:              10 text never", "code:              30 text never")
    )
    record_ = _paid(NO_LUHN)
    assert NO_LUHN[:8].encode() not in scrubbed(record_, options(moved))


@pytest.mark.parametrize("card", [LUHN, NO_LUHN, NO_CARD])
def test_a_cut_record_shows_no_more_than_four_digits_of_it(card: str) -> None:
    whole = _paid(card)
    start, at = whole.index(b"THEAD"), whole.index(card.encode())
    for end in range(at, at + len(card) + 1):
        clean = scrubbed(whole[start:end], options(R16))[at - start :]
        assert sum(chr(byte).isdigit() for byte in clean) <= 4


def test_columns() -> None:
    whole = (SAMPLES / "csv-card-sale-of-a-customer.csv").read_bytes()
    for card in (LUHN, NO_LUHN, NO_CARD, f'"{NO_LUHN}"'):
        paid = whole.replace(b"************0028", card.encode())
        for chosen in (options(), options(CSV)):
            clean = scrubbed(paid, chosen)
            assert card.strip('"').encode() not in clean
            assert clean.endswith(whole[-28:])
            (document,) = outcome(paid, chosen)
            assert isinstance(document, dict)
    for kind in (b"K;", b"A;", b"S;"):
        row = next(line for line in whole.split(b"\n") if line.startswith(kind))
        cells = row.split(b";")
        cells[18] = NO_CARD.encode()
        misplaced = b";".join(cells)
        assert NO_CARD.encode() not in scrubbed(whole.replace(row, misplaced), options(CSV))
    more = whole.replace(b"KARTE;", f"KARTE;;{NO_LUHN}".encode())
    assert NO_LUHN.encode() not in scrubbed(more, options(CSV))


def test_a_separator_inside_quotes_moves_no_column() -> None:
    whole = (SAMPLES / "csv-cash-sale-with-change.csv").read_bytes()
    row = next(line for line in whole.split(b"\n") if line.startswith(b"A;"))
    cells = row.split(b";")
    assert b'"' in row
    at = len(cells) - 3
    paid = whole.replace(row, b";".join([*cells[:at], NO_CARD.encode(), *cells[at + 1 :]]))
    assert NO_CARD.encode() not in scrubbed(paid, options(CSV))


def test_ebcdic() -> None:
    with_card = layout(
        "layout: card\nsummary: x\nform: fixed\ncode_page: cp500\nline_end: nel\n"
        "told: {at: 0, width: 1}\nmessage: {begin: a, end: b}\nkinds: rtlog\nkey: [n]\n"
        "content: [n]\nrecords:\n  a: {tag: A, fields: {n: 3 digits, card: 16 text pan}}\n"
        "  b: {tag: B, fields: {m: 20 text}}\n"
    )
    text = f"A001{NO_LUHN}\x85B{LUHN}    \x85"
    data = text.encode("cp500")
    assert data.count(b"\x15") == 2
    clean = scrubbed(data, options(with_card)).decode("cp500")
    assert clean == "A001************1234\x85B************1238    \x85"
    assert slices(data, options(with_card))[0].payload.decode("cp500") == text[:-1]


def test_zero_bytes_between_digits_hide_nothing() -> None:
    wide = "".join(f"{c}\0" for c in LUHN).encode()
    row = record(R16, "tcust", {"id": "7"})
    hidden = row[:37] + wide + row[37 + len(wide) :]
    assert len(hidden) == len(row)
    assert wide not in scrubbed(hidden, options(R16))


def test_context_and_rest_are_scrubbed_alike() -> None:
    for chosen, whole in ((options(), _paid(LUHN)), (options(R16), _paid(LUHN))):
        for piece in cut(whole[:-30], chosen):
            assert scrubbed(piece.context, chosen) == piece.context
            assert isinstance(piece, Slice) or scrubbed(piece.payload, chosen)


def test_ebcdic_samples_keep_their_amounts() -> None:
    data = file(EBCDIC, [("sale", {"number": "000007"}), ("sum", {"total": "123456.78"})])
    assert scrubbed(data, options(EBCDIC)) == data


def test_samples_are_touched_nowhere() -> None:
    for path in SAMPLES.iterdir():
        if not path.name.endswith(".json"):
            data = path.read_bytes()
            assert scrub(data, connector.scrub) is data, path.name

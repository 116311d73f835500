"""What a field's text becomes, and what is written by a layout is read as it was."""

from __future__ import annotations

import string
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.layout import connector
from connectors.layout.field_rule import Place, field
from connectors.layout.layout import Layout
from connectors.layout.value import read
from connectors.scrub.positional import cells
from tests.connectors.layout.taking import CSV, HEAD, R13, R16, documents, options, sale
from tests.connectors.layout.writing import file


@pytest.mark.parametrize(
    ("rule", "text", "value"),
    [
        ("8 text", "  Tee   ", "Tee"),
        ("8 text", "Tee\0\0\0\0\0", "Tee"),
        ("8 text", "        ", None),
        ("8 text trim right", "  Tee   ", "  Tee"),
        ("8 text trim left", "  Tee   ", "Tee   "),
        ("8 text trim none", "  Tee \0\0", "  Tee "),
        ("8 text pad 0 trim left", "00001200", "1200"),
        ("8 text", "00001200", "00001200"),
        ("8 digits", "00001200", "00001200"),
        ("8 digits", "   0    ", "0"),
        ("14 digits", "04006381333931", "04006381333931"),
        ("9 decimal implied 4", "000129900", "12.9900"),
        ("9 decimal implied 4", "       99", "0.0099"),
        ("9 decimal implied 3", "000012345", "12.345"),
        ("9 decimal", "00012.345", "12.345"),
        ("9 decimal", "-00012.30", "-12.30"),
        ("9 decimal", "000000000", "0"),
        ("9 decimal implied 2", "000000000", "0.00"),
        ("9 decimal implied 2 sign trailing", "0001234-", "-12.34"),
        ("9 decimal implied 2 sign trailing", "0001234+", "12.34"),
        ("9 decimal implied 2 sign trailing", "0001234 ", "12.34"),
        ("9 decimal implied 2 sign trailing", "0000000-", "0.00"),
        ("9 decimal implied 2 sign overpunch", "0000123D", "12.34"),
        ("9 decimal implied 2 sign overpunch", "0000123M", "-12.34"),
        ("9 decimal implied 2 sign overpunch", "0000123}", "-12.30"),
        ("9 decimal implied 2 sign overpunch", "00001234", "12.34"),
        ("9 decimal comma", "1234,5", "1234.5"),
        ("9 decimal comma group .", "1.234,50", "1234.50"),
        ("9 decimal group ,", "1,234.50", "1234.50"),
        ("8 date YYYYMMDD", "20310506", "2031-05-06"),
        ("8 date YYYYMMDD", "00000000", None),
        ("6 date YYMMDD", "310506", "2031-05-06"),
        ("14 date YYYYMMDDhhmmss", "20310507004109", "2031-05-07T00:41:09"),
        ('19 date "DD.MM.YYYY hh:mm:ss"', "07.05.2031 00:41:09", "2031-05-07T00:41:09"),
        ("6 date hhmmss", "004109", "00:41:09"),
        ("6 date hhmmss", "000000", "00:00:00"),
        ("4 is RTLG", "RTLG", "RTLG"),
    ],
)
def test_value(rule: str, text: str, value: str | None) -> None:
    assert read(field("x", rule, Place()), text, R16) == value


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("8 digits", "12a4"),
        ("8 digits", "1 234"),
        ("8 digits", "١٢"),
        ("9 decimal", "12,5"),
        ("9 decimal", "1e5"),
        ("9 decimal", "NaN"),
        ("9 decimal implied 2", "12.34"),
        ("9 decimal comma", "12.34"),
        ("9 decimal sign trailing", "-12"),
        ("8 date YYYYMMDD", "20310231"),
        ("8 date YYYYMMDD", "2031056"),
        ("14 date YYYYMMDDhhmmss", "20310506246060"),
        ("4 is RTLG", "SIMT"),
    ],
)
def test_value_that_does_not_fit(rule: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"^not |^no day") as caught:
        read(field("x", rule, Place()), text, R16)
    assert not set(text) & set(string.digits) & set(str(caught.value))
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    ("sign", "value"),
    [("P", "1.5"), ("N", "-1.5"), ("+", "1.5"), ("-", "-1.5"), ("", "1.5"), ("X", None)],
)
def test_a_sign_in_a_field_of_its_own(sign: str, value: str | None) -> None:
    made = field("x", "9 decimal implied 1 sign y", Place())
    if value is None:
        with pytest.raises(ValueError, match="no sign"):
            read(made, "015", R16, sign)
    else:
        assert read(made, "015", R16, sign) == value


TEXT = st.text(string.ascii_letters + string.digits + " äß.,", max_size=10).map(str.strip)
AMOUNT = st.decimals(-999999, 999999, places=4).map(lambda d: format(d + Decimal(0), "f"))


@given(layout=st.sampled_from([R13, R16]), item=TEXT, amount=AMOUNT, total=AMOUNT, name=TEXT)
def test_fixed_width_is_read_as_it_was_written(
    layout: Layout, item: str, amount: str, total: str, name: str
) -> None:
    rows = sale(7)
    rows[0] = ("thead", {**rows[0][1], "total": total})
    rows[1] = ("titem", {**rows[1][1], "item": item, "amount": amount, "quantity": amount})
    rows[2:2] = [("tcust", {"id": "1", "name": name})]
    rows[-1] = ("ttail", {"records": "3"})
    (found,) = documents(file(layout, rows, head=HEAD), options(layout))
    assert found["total"] == total
    assert found["items"][0].get("item", "") == item
    assert found["items"][0]["amount"] == found["items"][0]["quantity"] == amount
    assert found["customer"].get("name", "") == name


CELL = st.text(string.ascii_letters + ' ;"äß,', max_size=12).map(str.strip)
PLAIN = st.decimals(-99999, 99999, places=2).map(lambda d: format(d + Decimal(0), "f"))


@given(name=CELL, amount=PLAIN, kind=CELL)
def test_columns_are_read_as_they_were_written(name: str, amount: str, kind: str) -> None:
    head = {"store": "1", "register": "2", "business_date": "2031-05-06", "number": "3"}
    rows = [
        ("head", head),
        ("item", {"position": "1", "description": name, "kind": kind, "amount": amount}),
        ("total", {"amount": amount, "rows": "1"}),
    ]
    (found,) = documents(file(CSV, rows), options(CSV))
    (item,) = found["items"]
    assert item.get("description", "") == name
    assert item.get("kind", "") == kind
    assert item["amount"] == found["sum"]["amount"] == amount


@given(st.lists(CELL, min_size=1, max_size=8))
def test_cells_are_where_they_were_written(texts: list[str]) -> None:
    quoted = [f'"{t.replace(chr(34), chr(34) * 2)}"' if set(t) & set(';"') else t for t in texts]
    row = ";".join(quoted).encode()
    assert [row[a:b].decode() for a, b in cells(row, b";", b'"')] == quoted


def _content(rows: list[Any]) -> bytes:
    (found,) = documents(file(R16, rows, head=HEAD), options(R16))
    payload = file(R16, rows, head=HEAD)
    (piece,) = (p for p in connector.split([payload], options(R16), None))
    (document,) = connector.decode(piece.payload, piece.context, options(R16))
    assert dict(document.body) == found
    return connector.name(document, options(R16)).content


def test_content_is_what_the_layout_lists() -> None:
    rows = sale(7)
    other_text = [rows[0], ("titem", {**rows[1][1], "department": "x"}), *rows[2:]]
    other_amount = [rows[0], ("titem", {**rows[1][1], "amount": "9.91"}), *rows[2:]]
    other_item = [rows[0], ("titem", {**rows[1][1], "item": "CUP"}), *rows[2:]]
    assert _content(other_text) == _content(rows)
    assert len({_content(one) for one in (rows, other_amount, other_item)}) == 3


def test_content_counts_a_number_by_its_value() -> None:
    found = []
    for amount in ("3.49", "3.490", "3.5"):
        rows = [
            ("head", {"store": "1", "register": "2", "business_date": "2031-05-06", "number": "3"}),
            ("total", {"amount": amount, "rows": "0"}),
        ]
        (piece,) = connector.split([file(CSV, rows)], options(CSV), None)
        (document,) = connector.decode(piece.payload, piece.context, options(CSV))
        found.append(connector.name(document, options(CSV)).content)
    assert found[0] == found[1] != found[2]


def test_constants_of_the_source_win() -> None:
    record = file(R16, sale(7), head=HEAD)
    (found,) = documents(record, options(R16, constants={"currency": "CHF"}))
    assert found["currency"] == "CHF"
    assert documents(record, options(R16))[0]["currency"] == "USD"

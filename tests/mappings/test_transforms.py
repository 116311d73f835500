"""Each transform and coercion gives an exact value or raises ValueError, and nothing else."""

from __future__ import annotations

import string
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.transforms import COERCIONS, TRANSFORMS, ArgumentError

PLAIN = "text trim collapse lower upper digits strip_zeros nothing_if_zero decimal trailing_sign"
PLAIN += " negate absolute integer flag opposite date moment"
# Every transform with every kind of arguments that it takes.
BOUND = [
    *((name, ()) for name in PLAIN.split()),
    *(("split", (",",)), ("times", ("1.10",)), ("first", ("3",)), ("last", ("4",))),
    *(("cut", ("2", "5")), ("part", ("2", "-")), ("part", ("-1", " ")), ("pad", ("14",))),
    *(("pad", ("9", " ")), ("replace", ("1", "22")), ("prefix", ("no-",)), ("implied", ("2",))),
    *(("decimal", (",",)), ("decimal", (",", ".")), ("divide", ("7",))),
    *(("divide", ("7", "round", "2", "half_even")), ("round", ("2", "half_up"))),
    *(("date", ("D.M.YYYY",)), ("date", ("YYMMDD", "pivot", "70"))),
    *(("moment", ("YYYYMMDDHHmmss",)), ("moment", ("DD", "MMM", "YYYY", "h:mm:ss.SSS", "A", "Z"))),
    *(("moment", ("seconds",)), ("moment", ("milliseconds",)), ("zone", ("Europe/Vienna",))),
]
NUMERALS = st.from_regex(r"[+-]?[0-9]{1,20}(\.[0-9]{1,15})?", fullmatch=True)
NOISE = st.text(alphabet=string.digits + "+-._eE NaInfity\u0663\u0967\uff11\u00b2", max_size=12)
LEAVES = st.one_of(
    st.text(max_size=60),
    NOISE,
    NUMERALS,
    st.integers(),
    st.decimals(),
    st.booleans(),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{5,8}(Z|[+-][0-9]{4})?", fullmatch=True),
)
VALUES = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(st.text(max_size=3), LEAVES)


def transform(name: str, *arguments: str) -> Any:
    return TRANSFORMS[name](*arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "value", "result"),
    [
        ("text", (), "0012", "0012"),
        ("text", (), 12, "12"),
        ("text", (), True, "true"),
        ("text", (), False, "false"),
        ("text", (), Decimal("1.10"), "1.10"),
        ("text", (), Decimal("1E+3"), "1000"),
        ("trim", (), " a b ", "a b"),
        ("trim", (), " \n", None),
        ("lower", (), "ÄB", "äb"),
        ("upper", (), "äb", "ÄB"),
        ("digits", (), "+43 (0)1/23-4", "4301234"),
        ("digits", (), "٣²x", None),
        ("decimal", (), "199.00", Decimal("199.00")),
        ("negate", (), "1.50", Decimal("-1.50")),
        ("negate", (), "-1.50", Decimal("1.50")),
        ("absolute", (), "-1.50", Decimal("1.50")),
        ("integer", (), "3.00", 3),
        ("integer", (), "-0", 0),
        ("flag", (), "Y", True),
        ("flag", (), "0", False),
        ("flag", (), False, False),
        ("opposite", (), "true", False),
        ("date", (), "2026-03-01T23:59:59Z", "2026-03-01"),
        ("nothing_if_zero", (), "0000000000", None),
        ("nothing_if_zero", (), 0, None),
        ("nothing_if_zero", (), "0000000100", "0000000100"),
        ("split", (",",), "a, b c ,,d", ["a", "b c", "d"]),
        ("split", (",",), " , ", None),
        ("split", ("||",), "a||b|c", ["a", "b|c"]),
        ("times", ("100",), "0.2", Decimal("20.0")),
        ("times", ("-1",), 3, Decimal(-3)),
        ("last", ("4",), "411111", "1111"),
        ("last", ("4",), "11", "11"),
        ("times", ("0.001",), "1250", Decimal("1.250")),
        ("first", ("3",), "411111", "411"),
        ("first", ("3",), 41, "41"),
        ("cut", ("3", "6"), "FH00420099", "0042"),
        ("cut", ("3", "6"), "FH0", "0"),
        ("cut", ("3", "6"), "FH", None),
        ("cut", ("1", "1"), "FH", "F"),
        ("part", ("1", "-"), " a -b", "a"),
        ("part", ("2", "-"), "a- ", None),
        ("part", ("2", "-"), "a", None),
        ("part", ("-2", "-"), "a-b-c", "b"),
        ("part", ("-3", "-"), "a-b", None),
        ("pad", ("14",), "4006381333931", "04006381333931"),
        ("pad", ("3",), "12345", "12345"),
        ("pad", ("3", "x"), 7, "xx7"),
        ("strip_zeros", (), "000420", "420"),
        ("strip_zeros", (), "0000", "0"),
        ("replace", ("-", ""), "-1-2-", "12"),
        ("replace", ("-", ""), "--", None),
        ("replace", (".", ","), "1.5", "1,5"),
        ("collapse", (), " a \t\n b ", "a b"),
        ("collapse", (), " \n", None),
        ("decimal", (",",), "1250,50", Decimal("1250.50")),
        ("decimal", (",",), Decimal("12.50"), Decimal("12.50")),
        ("decimal", (",",), " -7 ", Decimal(-7)),
        ("decimal", (",", "."), "1.234.567,891", Decimal("1234567.891")),
        ("decimal", (",", "."), "1234,5", Decimal("1234.5")),
        ("decimal", (".", "'"), "12'500.00", Decimal("12500.00")),
        ("decimal", (",", " "), "12\u00a0500,00", Decimal("12500.00")),
        ("trailing_sign", (), "12.50-", "-12.50"),
        ("trailing_sign", (), "12.50 +", "12.50"),
        ("trailing_sign", (), "-12.50", "-12.50"),
        ("implied", ("2",), "0000125", Decimal("1.25")),
        ("implied", ("2",), "-5", Decimal("-0.05")),
        ("implied", ("2",), "-0", Decimal("0.00")),
        ("implied", ("3",), 1234567, Decimal("1234.567")),
        ("implied", ("0",), "12", Decimal(12)),
        ("implied", ("2",), "1" * 40, Decimal("1" * 38 + ".11")),
        ("divide", ("1000",), "1250", Decimal("1.25")),
        ("divide", ("-4",), 1, Decimal("-0.25")),
        ("divide", ("3", "round", "2", "half_up"), "10", Decimal("3.33")),
        ("divide", ("3", "round", "0", "half_up"), "-2", Decimal(-1)),
        ("round", ("2", "half_up"), "2.345", Decimal("2.35")),
        ("round", ("2", "half_up"), "-2.345", Decimal("-2.35")),
        ("round", ("2", "half_even"), "2.345", Decimal("2.34")),
        ("round", ("2", "half_even"), "2.355", Decimal("2.36")),
        ("round", ("2", "down"), "-2.349", Decimal("-2.34")),
        ("round", ("2", "half_up"), "-0.004", Decimal("0.00")),
        ("round", ("3", "half_up"), "1.5", Decimal("1.500")),
        ("date", ("DD.MM.YYYY",), "01.03.2026", "2026-03-01"),
        ("date", ("YYYYMMDD",), 20260301, "2026-03-01"),
        ("date", ("D.M.YYYY",), "1.12.2026", "2026-12-01"),
        ("date", ("DD-MMM-YYYY",), "01-mar-2026", "2026-03-01"),
        ("date", ("YYMMDD", "pivot", "70"), "691231", "2069-12-31"),
        ("date", ("YYMMDD", "pivot", "70"), "700101", "1970-01-01"),
        ("date", ("YYMMDD", "pivot", "0"), "991231", "1999-12-31"),
        ("prefix", ("AT-",), "007", "AT-007"),
    ],
)
def test_transforms(name: str, arguments: tuple[str, ...], value: Any, result: Any) -> None:
    found = transform(name, *arguments)(value)
    assert (type(found), found) == (type(result), result)
    assert str(found) == str(result)


def test_every_transform_is_shown_above() -> None:
    marks: list[pytest.Mark] = test_transforms.pytestmark
    shown = {row[0] for row in marks[0].args[1]}
    # Those that make a time are shown in the tests of times.
    assert shown | {"moment", "zone"} == set(TRANSFORMS)


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("decimal", (",",), "1.250,50"),
        ("decimal", (",",), "1,2,3"),
        ("decimal", (",",), ","),
        ("decimal", (",",), "5,"),
        ("decimal", (",", "."), "12.34,5"),
        ("decimal", (",", "."), "1.2345,5"),
        ("decimal", (",", "."), ".123,5"),
        ("decimal", (".", ","), "1" * 41),
        ("decimal", (",",), "٣,5"),
        ("trailing_sign", (), "-12.50-"),
        ("implied", ("2",), "12.5"),
        ("implied", ("2",), "12."),
        ("implied", ("2",), Decimal("12.0")),
        ("implied", ("2",), "1" * 41),
        ("divide", ("3",), "10"),
        ("times", ("1" + "0" * 30,), "1" + "0" * 30),
        ("date", ("DD.MM.YYYY",), "1.3.2026"),
        ("date", ("DD.MM.YYYY",), "31.02.2026"),
        ("date", ("DDMMYYYY",), "٠١٠٣٢٠٢٦"),
        ("date", ("DD-MMM-YYYY",), "01-mai-2026"),
        ("moment", ("YYYYMMDDHHmmss",), "20260301"),
        ("moment", ("YYYYMMDDHHmmss",), "20260301250000"),
        ("moment", ("YYYYMMDDHHmmss",), "20260301240000"),
        ("moment", ("YYYY-MM-DD", "h:mm", "A"), "2026-03-01 0:30 am"),
        ("moment", ("YYYY-MM-DD", "h:mm", "A"), "2026-03-01 13:30 pm"),
        ("moment", ("YYYY-MM-DDTHH:mmZ",), "2026-03-01T10:00+99:00"),
        ("moment", ("seconds",), -1),
        ("moment", ("seconds",), 253402300800),
        ("moment", ("seconds",), "1E+30"),
        ("moment", ("seconds",), "0.1234567891"),
        ("moment", ("milliseconds",), "now"),
        ("zone", ("Europe/Vienna",), "0001-01-01T00:00"),
    ],
)
def test_what_no_transform_guesses(name: str, arguments: tuple[str, ...], value: Any) -> None:
    function = transform(name, *arguments)
    with pytest.raises(ValueError, match=r"this |expected") as caught:
        function(value)
    assert type(caught.value) is ValueError
    assert str(value) not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("first", ("0",)),
        ("last", ("x",)),
        ("cut", ("0", "3")),
        ("cut", ("4", "3")),
        ("part", ("0", "-")),
        ("part", ("1", "")),
        ("split", ("",)),
        ("pad", ("1001",)),
        ("pad", ("5", "xx")),
        ("replace", ("", "x")),
        ("decimal", (";",)),
        ("decimal", (",", ",")),
        ("decimal", (",", "x")),
        ("decimal", (",", "..")),
        ("implied", ("17",)),
        ("implied", ("-1",)),
        ("divide", ("0.00",)),
        ("divide", ("3", "2", "half_up")),
        ("divide", ("3", "round", "2", "up")),
        ("round", ("2", "")),
        ("round", ("17", "down")),
        ("date", ("DD.MM",)),
        ("date", ("MM.YYYY",)),
        ("date", ("DD.MM.YY",)),
        ("date", ("DD.MM.YYYY", "pivot", "50")),
        ("date", ("DD.MM.YY", "pivot", "100")),
        ("date", ("DMYYYY",)),
        ("date", ("DD.DD.MM.YYYY",)),
        ("date", ("DD.MM.YYYY YY", "pivot", "50")),
        ("date", ("DD of MM.YYYY",)),
        ("moment", ("YYYYMMDD",)),
        ("moment", ("YYYYMMDDhhmm",)),
        ("moment", ("YYYYMMDDHHmmA",)),
        ("moment", ("YYYYMMDDHHmmSSS",)),
        ("zone", ("Europe/Atlantis",)),
        ("zone", ("../../etc/passwd",)),
    ],
)
def test_arguments_that_mean_nothing_are_refused(name: str, arguments: tuple[str, ...]) -> None:
    with pytest.raises(ArgumentError):
        transform(name, *arguments)


@pytest.mark.parametrize(
    ("name", "value", "result"),
    [
        ("text", "", ""),
        ("decimal", "-0.50", Decimal("-0.50")),
        ("decimal", " 7 ", Decimal(7)),
        ("decimal", 7, Decimal(7)),
        ("decimal", "0E-8", Decimal("0E-8")),
        ("integer", Decimal("2.0"), 2),
        ("flag", "No", False),
        ("date", "2024-02-29", "2024-02-29"),
        ("date", "2026-03-01+01:00", "2026-03-01"),
        ("texts", ["a", None, "", 1], ["a", "1"]),
        ("texts", "a", ["a"]),
    ],
)
def test_coercions(name: str, value: Any, result: Any) -> None:
    found = COERCIONS[name](value)
    assert (type(found), str(found)) == (type(result), str(result))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", None),
        ("text", [1]),
        ("text", {"a": 1}),
        ("text", 1.5),
        ("decimal", ""),
        ("decimal", "1,50"),
        ("decimal", "1.5 EUR"),
        ("decimal", "0x10"),
        ("decimal", "1" * 41),
        ("decimal", "1E999999999"),
        ("decimal", "1E-999999999"),
        ("decimal", "0E+41"),
        ("decimal", Decimal("1E+999999")),
        ("decimal", Decimal("NaN")),
        ("decimal", Decimal("Infinity")),
        ("decimal", True),
        ("decimal", 1.5),
        ("decimal", None),
        ("integer", "3.5"),
        ("integer", "1E999999999"),
        ("flag", "maybe"),
        ("flag", 2),
        ("date", "2026-02-30"),
        ("date", "2026-13-01"),
        ("date", "0000-01-01"),
        ("date", "01.03.2026"),
        ("date", "2026-3-1"),
        ("date", "２０２６-03-01"),
        ("moment", "2026-07-09"),
        ("moment", "2026-02-30T10:00:00"),
        ("moment", "2026-03-01T25:00:00"),
        ("moment", "2026-03-01T10:00:60"),
        ("moment", "2026-03-01T10:00:00+99:00"),
        ("moment", "2026-03-01T10:00:00+01:60"),
        ("moment", "0001-01-01T00:00:00+14:00"),
        ("moment", "9999-12-31T23:59:59-14:00"),
        ("moment", "2026-03-01T10:00:00Europe/Vienna"),
        ("moment", 1772361909),
        ("moment", {"local": "2026-03-01T17:05:09"}),
        ("texts", [["a"]]),
        ("texts", {"a": 1}),
    ],
)
def test_what_does_not_fit_is_said_without_the_value(kind: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"expected|this ") as caught:
        COERCIONS[kind](value)
    assert type(caught.value) is ValueError
    words = str(caught.value)
    assert not isinstance(value, str) or len(value) < 3 or value not in words


def test_every_transform_is_tried_below() -> None:
    assert {name for name, _ in BOUND} == set(TRANSFORMS)


@given(VALUES)
def test_transforms_are_total(value: Any) -> None:
    bound = [(name, transform(name, *arguments)) for name, arguments in BOUND]
    for name, function in (*bound, *COERCIONS.items()):
        try:
            function(value)
        except ValueError as error:
            assert type(error) is ValueError, name  # noqa: PT017
        except Exception as error:
            raise AssertionError(f"{name} raises {error!r}") from error


def test_a_text_does_not_grow_for_ever() -> None:
    grow = transform("replace", "a", "a" * 1000)
    value = grow("a" * 100)
    assert len(value) == 100_000
    with pytest.raises(ValueError, match="too long"):
        grow(value)
    # One that was sent like this may stay, as long as it does not grow.
    assert len(transform("replace", "a", "b")("a" * 200_000)) == 200_000


@given(st.text(min_size=1), st.integers(1, 50))
def test_the_last_characters(text: str, count: int) -> None:
    last = transform("last", str(count))(text)
    assert text.endswith(last)
    assert len(last) == min(count, len(text))

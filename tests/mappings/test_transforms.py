"""Each transform and coercion gives an exact value or raises ValueError, and nothing else."""

from __future__ import annotations

import string
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.transforms import COERCIONS, TRANSFORMS, as_decimal, as_text

ARGUMENTS = {"split": (",",), "times": ("1.10",), "last": ("4",), "prefix": ("no-",)}
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
        ("prefix", ("AT-",), "007", "AT-007"),
    ],
)
def test_transforms(name: str, arguments: tuple[str, ...], value: Any, result: Any) -> None:
    found = transform(name, *arguments)(value)
    assert (type(found), found) == (type(result), result)
    assert str(found) == str(result)


def test_every_transform_is_shown_above() -> None:
    marks: list[pytest.Mark] = test_transforms.pytestmark
    assert {row[0] for row in marks[0].args[1]} == set(TRANSFORMS)


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
    ("text", "local", "offset", "utc"),
    [
        ("2026-03-01T17:05:09", "2026-03-01T17:05:09", None, None),
        ("2026-03-01 17:05", "2026-03-01T17:05:00", None, None),
        ("2026-03-01T17:05:09.120", "2026-03-01T17:05:09.120", None, None),
        ("2026-03-01t17:05:09z", "2026-03-01T17:05:09", "+00:00", "2026-03-01T17:05:09Z"),
        ("2026-03-01T00:05:09+0130", "2026-03-01T00:05:09", "+01:30", "2026-02-28T22:35:09Z"),
        (
            "2026-03-01T17:05:09.5 -05:00",
            "2026-03-01T17:05:09.5",
            "-05:00",
            "2026-03-01T22:05:09.5Z",
        ),
        ("0999-01-01T00:00:00Z", "0999-01-01T00:00:00", "+00:00", "0999-01-01T00:00:00Z"),
    ],
)
def test_moments(text: str, local: str, offset: str | None, utc: str | None) -> None:
    moment = COERCIONS["moment"](text)
    assert moment.get("local") == local
    assert moment.get("offset") == offset
    assert moment.get("utc") == utc
    assert moment.get("zone_origin") == ("source" if offset else None)


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


@given(VALUES)
def test_transforms_are_total(value: Any) -> None:
    bound = {name: make(*ARGUMENTS.get(name, ())) for name, make in TRANSFORMS.items()}
    for name, function in (*bound.items(), *COERCIONS.items()):
        try:
            function(value)
        except ValueError as error:
            assert type(error) is ValueError, name  # noqa: PT017
        except Exception as error:
            raise AssertionError(f"{name} raises {error!r}") from error


@given(NOISE)
def test_a_decimal_is_plain_and_finite(text: str) -> None:
    try:
        number = as_decimal(text)
    except ValueError:
        return
    assert number.is_finite()
    assert text.isascii()
    assert not set(text.lower()) & set("_naifty")
    assert Fraction(number) == Fraction(text.strip())


@given(NUMERALS)
def test_a_decimal_keeps_its_digits(text: str) -> None:
    digits = text.lstrip("+-")
    whole, _, fraction = digits.partition(".")
    written = as_text(as_decimal(text)).lstrip("-")
    assert written == (whole.lstrip("0") or "0") + ("." + fraction if fraction else "")
    assert text.startswith("-") == as_text(as_decimal(text)).startswith("-")


@given(NUMERALS, NUMERALS)
def test_a_product_is_exact(left: str, right: str) -> None:
    product = transform("times", right)(left)
    assert Fraction(product) == Fraction(left) * Fraction(right)


@given(NUMERALS)
def test_signs_are_exact_and_there_is_no_negative_nothing(text: str) -> None:
    assert Fraction(transform("negate")(text)) == -Fraction(text)
    assert Fraction(transform("absolute")(text)) == abs(Fraction(text))
    for name in ("negate", "absolute"):
        assert transform(name)(text) or not transform(name)(text).is_signed()


@given(st.text(min_size=1), st.integers(1, 50))
def test_the_last_characters(text: str, count: int) -> None:
    last = transform("last", str(count))(text)
    assert text.endswith(last)
    assert len(last) == min(count, len(text))

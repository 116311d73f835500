"""Numbers are exact to the last digit, or rounded as the rule says and in no other way."""

from __future__ import annotations

import string
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.transforms import TRANSFORMS, as_decimal, as_text

NUMERALS = st.from_regex(r"[+-]?[0-9]{1,20}(\.[0-9]{1,15})?", fullmatch=True)
NOISE = st.text(alphabet=string.digits + "+-._eE NaInfity\u0663\u0967\uff11\u00b2", max_size=12)


def transform(name: str, *arguments: str) -> Any:
    return TRANSFORMS[name](*arguments)


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


@given(NUMERALS, NUMERALS.filter(Decimal), st.integers(0, 16))
def test_a_quotient_is_exact_or_rounded_as_said(text: str, by: str, places: int) -> None:
    exact = Fraction(text) / Fraction(by)
    rounded = transform("divide", by, "round", str(places), "down")
    try:
        quotient = rounded(text)
    except ValueError:
        assert abs(exact) >= 10**40
        return
    scaled = exact * 10**places
    assert Fraction(quotient) * 10**places == (abs(scaled) // 1) * (1 if scaled >= 0 else -1)
    assert -quotient.as_tuple().exponent == places
    try:
        assert Fraction(transform("divide", by)(text)) == exact
    except ValueError:
        assert Fraction(quotient) != exact or abs(exact) >= 10**40


@given(NUMERALS, st.integers(0, 15))
def test_a_number_is_rounded_by_its_own_digits(text: str, places: int) -> None:
    scaled = Fraction(text) * 10**places
    down, rest = divmod(abs(scaled), 1)
    ties = {"half_up": rest >= Fraction(1, 2), "down": False}
    ties["half_even"] = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and down % 2 == 1)
    for how, away in ties.items():
        found = transform("round", str(places), how)(text)
        assert abs(Fraction(found)) * 10**places == down + away, how
        assert (found < 0) == (scaled < 0 and down + away > 0)
        assert -found.as_tuple().exponent == places


def test_a_chain_of_products_is_refused_before_it_is_rounded() -> None:
    value: Any = "0." + "3" * 35
    times = transform("times", "0." + "7" * 35)
    with pytest.raises(ValueError, match=r"more digits"):
        value = reduce(lambda number, _: times(number), range(24), value)
    assert (
        Fraction(transform("times", "3." + "3" * 38)("3." + "3" * 38))
        == Fraction("3." + "3" * 38) ** 2
    )


@given(NUMERALS)
def test_signs_are_exact_and_there_is_no_negative_nothing(text: str) -> None:
    assert Fraction(transform("negate")(text)) == -Fraction(text)
    assert Fraction(transform("absolute")(text)) == abs(Fraction(text))
    for name in ("negate", "absolute"):
        assert transform(name)(text) or not transform(name)(text).is_signed()

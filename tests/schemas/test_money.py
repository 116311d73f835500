"""Amounts keep every digit, and refuse what is no amount."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.money import Money, plain

AMOUNTS = st.decimals(
    min_value=Decimal(-(10**16) + 1), max_value=Decimal(10**16 - 1), places=8
) | st.integers(min_value=-(10**16) + 1, max_value=10**16 - 1).map(Decimal)


@given(AMOUNTS)
@example(Decimal("199.00"))
@example(Decimal("-0.10"))
@example(Decimal("0.00000001"))
@example(Decimal("-9999999999999999.99999999"))
def test_an_amount_survives_json_digit_by_digit(amount: Decimal) -> None:
    sent = Money(amount=amount, currency="EUR")
    text = sent.model_dump_json()
    read = Money.model_validate_json(text)
    assert read.amount.as_tuple() == amount.as_tuple()
    assert read.model_dump_json() == text


@given(st.integers(min_value=-(10**9), max_value=10**9), st.integers(0, 7))
def test_no_exponent_is_ever_written(digits: int, exponent: int) -> None:
    amount = Decimal(digits).scaleb(exponent)
    written = plain(amount)
    assert set(written) <= set("-0123456789.")
    assert Decimal(written) == amount


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("NaN", id="nan"),
        pytest.param("sNaN", id="signalling nan"),
        pytest.param("Infinity", id="infinity"),
        pytest.param("-Infinity", id="minus infinity"),
        pytest.param("9" * 5000, id="5000 digits"),
        pytest.param("0." + "1" * 5000, id="5000 places"),
        pytest.param("1e5000", id="5000 digits by exponent"),
        pytest.param("12345678901234567", id="17 digits before the point"),
        pytest.param("0.123456789", id="9 places"),
        pytest.param("1,50", id="decimal comma"),
        pytest.param("", id="empty"),
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    for amount in (text, *_decimals(text)):
        with pytest.raises(ValidationError):
            Money.model_validate({"amount": amount, "currency": "EUR"})
    with pytest.raises(ValidationError):
        Money.model_validate_json(f'{{"amount": "{text}", "currency": "EUR"}}')


def _decimals(text: str) -> tuple[Decimal, ...]:
    try:
        return (Decimal(text),)
    except ArithmeticError:
        return ()


@pytest.mark.parametrize("amount", [1.1, 100.0, float("nan"), True, None, b"1.10"])
def test_money_is_never_a_float_nor_another_thing(amount: object) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": amount, "currency": "EUR"})


@pytest.mark.parametrize("currency", ["eur", "EU", "EURO", "978", "EUR\n", "ЕUR", ""])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(ValidationError):
        Money(amount=Decimal(1), currency=currency)

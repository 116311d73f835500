"""Tills that ring up an invented day, or any number of invented sales."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any, Literal

from hub.demo.dice import Dice
from hub.demo.receipt import Control, Line, Loyalty, Receipt, Reward, Tender, cents, total_of
from hub.demo.retailer import CATALOGUE, NEW_YORK, OPERATORS, Article, Store, person

__all__ = [
    "BUSINESS_DATE",
    "KNOWN_CUSTOMERS",
    "REGULAR_CUSTOMERS",
    "day",
    "numbered",
    "sale",
    "sales",
]

BUSINESS_DATE = date(2026, 3, 2)
"""A Monday on which no clock changes in any of the stores' zones."""

KNOWN_CUSTOMERS = 2000
"""Persons below this number come back; those from it on come once."""

REGULAR_CUSTOMERS = 40
"""Persons below this number are the members whom the tills of a day see, and the shop as well."""

Scene = Literal[
    "card", "cash", "cash_back", "void", "weighed", "member", "offer", "no_sale", "return"
]

_ROUTINE: tuple[Scene, ...] = (
    "cash", "card", "void", "no_sale", "member", "weighed", "offer", "cash_back", "return"
)  # fmt: skip
"""What happens at every till on every day, so that no run of the dice can leave a case out."""

_REGULARS: tuple[Scene, ...] = ("cash", "card", "member", "weighed")

_WEIGHED = tuple(article for article in CATALOGUE if article.weighed)
_NOTE = Decimal(5)

_LOAD_TILLS = 8
_LOAD_SALES_A_DAY = 2000
_LOAD_SECONDS_A_SALE = 20


def day(
    store: Store, *, seed: int, business_date: date = BUSINESS_DATE, extra: int = 6
) -> tuple[Control | Receipt, ...]:
    """A day of all tills of a store in the order of the clock, without a gap in any sequence.

    Every till signs on, goes through each case once and through ``extra`` ordinary sales, and
    signs off.
    """
    entries = [
        entry
        for till in store.tills
        for entry in _till_day(store, till, seed=seed, business_date=business_date, extra=extra)
    ]
    return tuple(sorted(entries, key=lambda entry: (entry.at, entry.till)))


def sales(
    n: int, *, seed: int, store: Store = NEW_YORK, lines: int = 10, reward_percent: int = 0
) -> Iterator[Receipt]:
    """``n`` card sales of ``lines`` lines for load tests; a receipt's total is its own oracle."""
    for index in range(n):
        yield sale(index, seed=seed, store=store, lines=lines, reward_percent=reward_percent)


def sale(
    index: int, *, seed: int, store: Store = NEW_YORK, lines: int = 10, reward_percent: int = 0
) -> Receipt:
    """The sale number ``index`` of ``sales``, drawn without the ones before it.

    Eight tills take turns, each with a sequence of its own that goes on over the days. Of the
    customers 40 % are anonymous, 35 % known, 15 % new, and 10 % show a card that misleads.
    """
    dice = Dice("sales", seed, store.number, index)
    rung = tuple(_line(dice, store) for _ in range(lines))
    if reward_percent:
        rung = tuple(_rewarded(line, "Transaction", reward_percent) for line in rung)
    return Receipt(
        store=store,
        **numbered(index),
        operator=dice.pick(OPERATORS),
        lines=rung,
        tenders=(_card(dice, total_of(rung, store=store)),),
        loyalty=_load_customer(dice, index),
    )


def numbered(index: int) -> dict[str, Any]:
    """Till, business date, sequence number and clock of the sale number ``index`` of ``sales``."""
    count, turn = divmod(index, _LOAD_TILLS)
    days, position = divmod(count, _LOAD_SALES_A_DAY)
    business_date = BUSINESS_DATE + timedelta(days=days)
    opening = datetime.combine(business_date, time(8))
    return {
        "till": str(turn + 1),
        "business_date": business_date,
        "sequence": count + 1,
        "at": opening + timedelta(seconds=position * _LOAD_SECONDS_A_SALE + turn),
    }


def _till_day(
    store: Store, till: str, *, seed: int, business_date: date, extra: int
) -> Iterator[Control | Receipt]:
    dice = Dice("day", seed, store.number, till, business_date.isoformat())
    numbers = _numbers(dice, store, till, business_date)
    bought: list[Receipt] = []
    yield Control(**next(numbers), kind="sign_on")
    for scene in (*_ROUTINE, *(dice.pick(_REGULARS) for _ in range(extra))):
        if scene == "no_sale":
            yield Control(**next(numbers), kind="no_sale")
        elif scene == "return":
            yield _return(dice.pick(bought), next(numbers))
        else:
            bought.append(_sale(dice, scene, next(numbers)))
            yield bought[-1]
    yield Control(**next(numbers), kind="sign_off")


def _numbers(dice: Dice, store: Store, till: str, business_date: date) -> Iterator[dict[str, Any]]:
    """The fields that every entry of the till's journal roll has, one after the other."""
    sequence = dice.between(60, 400)
    at = datetime.combine(business_date, time(8, 30)) + timedelta(seconds=dice.below(600))
    operator = dice.pick(OPERATORS)
    while True:
        yield {
            "store": store,
            "till": till,
            "business_date": business_date,
            "sequence": sequence,
            "at": at,
            "operator": operator,
        }
        sequence += 1
        at += timedelta(seconds=dice.between(40, 1800))


def _sale(dice: Dice, scene: Scene, number: dict[str, Any]) -> Receipt:
    store: Store = number["store"]
    articles = _WEIGHED if scene == "weighed" else CATALOGUE
    lines = [_line(dice, store, articles) for _ in range(dice.between(2, 7))]
    loyalty = None
    if scene == "void":
        lines[0] = replace(lines[0], voided=True)
    elif scene == "offer":
        lines[0] = _rewarded(lines[0], "Item", 20)
    elif scene == "member":
        lines = [_rewarded(line, "Transaction", 10) for line in lines]
        shopper = person(dice.below(REGULAR_CUSTOMERS))
        loyalty = Loyalty(shopper.card, shopper.household if dice.percent(50) else "")
    tenders = _tenders(dice, scene, total_of(lines, store=store))
    return Receipt(**number, lines=tuple(lines), tenders=tenders, loyalty=loyalty)


def _return(bought: Receipt, number: dict[str, Any]) -> Receipt:
    """The first line that counted on an earlier receipt comes back for what was paid for it."""
    sold = next(line for line in bought.lines if not line.voided)
    line = replace(sold, quantity=-sold.quantity, amount=-sold.net, reward=None)
    refund = Tender(kind="cash", amount=total_of([line], store=bought.store))
    return Receipt(
        **number, lines=(line,), tenders=(refund,), loyalty=bought.loyalty, returns=bought.key
    )


def _line(dice: Dice, store: Store, articles: Sequence[Article] = CATALOGUE) -> Line:
    article = dice.pick(articles)
    if article.weighed:
        quantity = Decimal(dice.between(20, 250)).scaleb(-2)
    else:
        quantity = Decimal(dice.pick((1, 1, 1, 1, 2, 3)))
    price = article.price[store.currency]
    return Line(
        article=article,
        quantity=quantity,
        unit_price=price,
        amount=cents(price * quantity),
        entry="Keyed" if dice.percent(5) else "Scanned",
    )


def _rewarded(line: Line, level: Literal["Item", "Transaction"], percent: int) -> Line:
    return replace(line, reward=Reward(level, percent, -cents(line.amount * percent / 100)))


def _tenders(dice: Dice, scene: Scene, total: Decimal) -> tuple[Tender, ...]:
    if scene == "cash":
        return _cash(total)
    if scene == "cash_back":
        out = Decimal("20.00")
        card = replace(_card(dice, total + out), cash_back=out)
        return (card, Tender(kind="cash", amount=-out, change=True))
    return (_card(dice, total),)


def _cash(total: Decimal) -> tuple[Tender, ...]:
    given = cents((total / _NOTE).to_integral_value(ROUND_CEILING) * _NOTE)
    paid = Tender(kind="cash", amount=given)
    if given == total:
        return (paid,)
    return (paid, Tender(kind="cash", amount=total - given, change=True))


def _card(dice: Dice, amount: Decimal) -> Tender:
    return Tender(kind="card", amount=amount, authorization=f"{dice.below(1_000_000):06d}")


def _load_customer(dice: Dice, index: int) -> Loyalty | None:
    draw = dice.below(100)
    if draw < 40:
        return None
    if draw < 75:
        known = person(dice.below(KNOWN_CUSTOMERS))
        return Loyalty(known.card, known.household)
    if draw < 90:
        new = person(KNOWN_CUSTOMERS + index)
        return Loyalty(new.card, new.household)
    return dice.pick(_MISLEADING)


_MISLEADING = (
    # No card at all, written as zeros.
    Loyalty("0"),
    # The card that lies beside the till and is scanned for whoever has none.
    Loyalty("8999999"),
    # A card that claims the household of somebody else.
    Loyalty(person(0).card, person(2).household),
)

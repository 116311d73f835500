"""A day of a store: whole, again, and cut in any place."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

import pytest

from hub.demo import poslog_writer, till
from hub.demo.ledger import tally
from hub.demo.retailer import NEW_YORK, NEW_YORK_UPTOWN, VIENNA

if TYPE_CHECKING:
    from tests.e2e.conftest import House

DAYS = ("real_day", "us_day", "eu_day")
CUTS = 40


@pytest.fixture(params=DAYS)
def day(request: pytest.FixtureRequest) -> bytes:
    content: bytes = request.getfixturevalue(request.param)
    return content


@pytest.fixture
def whole(fresh: Callable[[], House], day: bytes) -> str:
    """The export of a house that received the day in one piece."""
    house = fresh()
    house.send("poslog", day)
    return house.export()


def test_the_real_day(house: House, real_day: bytes) -> None:
    report = house.send("poslog", real_day)
    lines = [json.loads(line) for line in house.export().splitlines()]
    assert (report.messages, report.applied, report.held, report.flagged) == (51, 51, 0, 0)
    assert report.totals == {"USD": Decimal("2643.72")}
    assert Counter(line["kind"] for line in lines) == {"Transaction": 42, "Control": 9}
    assert len({line["document"]["workstation"] for line in lines}) == 7
    assert not [line for line in lines if "flags" in line]


@pytest.mark.parametrize("store", [NEW_YORK, VIENNA], ids=lambda store: store.dialect)
def test_an_invented_day_comes_to_what_its_ledger_says(
    house: House, us_day: bytes, eu_day: bytes, store: object
) -> None:
    place, content = (NEW_YORK, us_day) if store is NEW_YORK else (VIENNA, eu_day)
    ledger = tally(till.day(place, seed=3))
    report = house.send("poslog", content)
    kinds = Counter(json.loads(line)["kind"] for line in house.export().splitlines())
    assert report.totals == ledger.totals
    assert kinds == {"Transaction": ledger.transactions, "Control": ledger.controls}
    assert (report.applied, report.flagged) == (ledger.transactions + ledger.controls, 0)


def test_the_second_time_all_are_duplicates(house: House, day: bytes, whole: str) -> None:
    first = house.send("poslog", day)
    again = house.send("poslog", day)
    assert (again.duplicates, again.applied, again.totals) == (first.messages, 0, {})
    assert house.export() == whole


def _cuts(day: bytes, salt: str) -> list[int]:
    """Places anywhere, and those where markup of the document itself is torn."""
    dice = Random(f"{len(day)}/{salt}")
    middle = day.index(b"<Transaction", len(day) // 2)
    telling = (3, day.index(b"<POSLog") + 20, middle - 1, middle, middle + 1, middle + 5)
    anywhere = (dice.randrange(1, len(day)) for _ in range(CUTS))
    return [*telling, day.rindex(b"</") + 1, len(day) - 3, *anywhere]


def _settled(house: House, whole: str) -> bool:
    return house.export() == whole and not house.held()


@pytest.mark.parametrize("way", ["rest", "whole later"])
def test_a_day_cut_anywhere_and_sent_on_is_the_same_day(
    fresh: Callable[[], House], day: bytes, whole: str, way: str
) -> None:
    for cut in _cuts(day, way):
        house = fresh()
        house.send("poslog", day[:cut])
        house.send("poslog", day[cut:] if way == "rest" else day)
        assert _settled(house, whole), f"cut at {cut}"


def test_a_day_in_three_pieces_is_the_same_day(
    fresh: Callable[[], House], day: bytes, whole: str
) -> None:
    cuts = _cuts(day, "three")
    for pair in zip(cuts[::2], cuts[1::2], strict=True):
        low, high = sorted(pair)
        house = fresh()
        for piece in (day[:low], day[low:high], day[high:]):
            if piece:
                house.send("poslog", piece)
        assert _settled(house, whole), f"cut at {low} and {high}"


def test_two_torn_days_find_their_own_rests(
    fresh: Callable[[], House], us_day: bytes, eu_day: bytes
) -> None:
    both = fresh()
    both.send("poslog", us_day)
    both.send("poslog", eu_day)
    whole = both.export()
    cuts = zip(_cuts(us_day, "two"), _cuts(eu_day, "two"), strict=True)
    # Three bytes of the second file do not tell yet that it goes on from nothing.
    for us_cut, eu_cut in list(cuts)[1:]:
        house = fresh()
        house.send("poslog", us_day[:us_cut], "us-day.xml")
        house.send("poslog", eu_day[:eu_cut], "eu-day.xml")
        house.send("poslog", us_day[us_cut:], "us-day.xml")
        house.send("poslog", eu_day[eu_cut:], "eu-day.xml")
        assert _settled(house, whole), f"cut at {us_cut} and {eu_cut}"


def test_a_torn_tag_is_not_settled_by_the_file_of_another_store(
    fresh: Callable[[], House], us_day: bytes
) -> None:
    other_day = poslog_writer.day(NEW_YORK_UPTOWN, seed=3)
    both = fresh()
    both.send("poslog", us_day)
    both.send("poslog", other_day)
    house = fresh()
    cut = us_day.index(b"<Transaction>", len(us_day) // 2) + len(b"<Transaction>")
    house.send("poslog", us_day[:cut])
    house.send("poslog", other_day)
    house.send("poslog", us_day[cut:])
    assert _settled(house, both.export())


def test_a_day_torn_twice_in_the_same_place_needs_its_rest_once(
    fresh: Callable[[], House], day: bytes, whole: str
) -> None:
    for cut in (len(day) // 3, len(day) // 2, len(day) - 3):
        house = fresh()
        for piece in (day[:cut], day[:cut], day[cut:]):
            house.send("poslog", piece)
        assert _settled(house, whole), f"cut at {cut}"


def test_a_day_in_utf_16_cut_anywhere_is_the_same_day(
    fresh: Callable[[], House], us_day: bytes
) -> None:
    whole = fresh()
    whole.send("poslog", us_day)
    wide = us_day.decode().encode("utf-16")
    dice = Random("utf-16")
    for cut in (1, 2, 3, *(dice.randrange(1, len(wide)) for _ in range(10))):
        house = fresh()
        house.send("poslog", wide[:cut])
        house.send("poslog", wide[cut:])
        assert _settled(house, whole.export()), f"cut at {cut}"


def test_the_torn_end_is_held_until_its_rest_arrives(house: House, us_day: bytes) -> None:
    cut = us_day.index(b"<ExtendedAmount>", len(us_day) // 2) + 20
    house.send("poslog", us_day[:cut])
    [problem] = house.held()
    assert problem.code == "LP-DOC-001"
    assert problem.byte == us_day.rindex(b"<Transaction>", 0, cut)
    house.send("poslog", us_day[cut:])
    assert not house.held()


def test_halves_of_two_sales_are_held_as_they_do_not_add_up(house: House, us_day: bytes) -> None:
    starts = [i.start() for i in re.finditer(rb"<Transaction>", us_day)]
    cuts = [us_day.find(b"</LineItem>", start) + len(b"</LineItem>") for start in starts]
    # Of two sales with a line each before the cut and more behind it.
    one, other = [c for c, end in zip(cuts, starts[1:], strict=False) if c < end][2:4]
    house.send("poslog", us_day[:one], "one.xml")
    report = house.send("poslog", us_day[other:], "other.xml")
    assert [problem.code for problem in report.problems] == ["LP-HUB-010"]
    assert report.applied == report.messages - 1

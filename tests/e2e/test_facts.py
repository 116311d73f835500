"""What becomes of post-voids, baskets that never were sales, links and clocks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hub import bootstrap, library, publication
from hub.home import Home
from hub.relocate import load_locations
from tests.hub.replaying import replay

if TYPE_CHECKING:
    from tests.e2e.conftest import House

SAMPLES = Path(__file__).resolve().parents[2] / "connectors" / "poslog" / "samples"


def _sample(name: str, **fields: str) -> bytes:
    """A look-alike, with the first element of each given name holding something else."""
    text = (SAMPLES / f"{name}.xml").read_text()
    for field, value in fields.items():
        text, count = re.subn(rf"(<{field}\b[^>]*>)[^<]*", rf"\g<1>{value}", text, count=1)
        assert count == 1
    return text.encode()


SALE = _sample("v6-tax-included", SequenceNumber="2005", WorkstationID="K07")
SALE = SALE.replace(
    re.search(rb"<BusinessDayDate>[^<]*", SALE)[0],  # type: ignore[index]
    b"<BusinessDayDate>2031-07-08",
)
VOID = _sample("v6-post-void")
PLACE = "7001/K07/2031-07-08/2005"


def _revenue(house: House) -> dict[str, Decimal]:
    """Sums of what was sold and never voided, from the outside."""
    done = house.lynchpin("transaction", "find", "--limit", "10000", "--json")
    totals: dict[str, Decimal] = {}
    for row in json.loads(done.stdout):
        if row["revenue"] is not None and row["voided_by"] is None:
            totals[row["currency"]] = totals.get(row["currency"], Decimal(0)) + Decimal(
                row["revenue"]
            )
    return totals


def test_the_sale_and_its_post_void_are_of_one_place(house: House) -> None:
    house.send("poslog", SALE)
    assert house.show(PLACE).kind == "Transaction"


def test_a_post_void_cancels_its_sale_in_either_order(fresh: Callable[[], House]) -> None:
    exports = set()
    for arrival in permutations((SALE, VOID)):
        house = fresh()
        reports = [house.send("poslog", content) for content in arrival]
        shown = house.show(PLACE)
        assert shown.voided_by == "poslog:7001/K07/2031-07-08/2006"
        assert [(link.kind, link.arrived) for link in house.show(shown.voided_by).to] == [
            ("void", True)
        ]
        assert sum((r.totals.get("EUR", Decimal(0)) for r in reports), Decimal(0)) == 0
        assert _revenue(house) == {}
        exports.add(house.export())
    assert len(exports) == 1


def test_a_post_void_that_a_replay_takes_for_something_else_cancels_nothing(house: House) -> None:
    for content in (SALE, VOID):
        house.send("poslog", content)
    text, file = library.shipped_text("poslog", "retail_v6")
    other = re.sub(r"\b(PostVoid|PostVoided|Void): void\b", r"\1: other", text)
    assert _revenue(house) == {}
    for version, total in ((other, {"EUR": Decimal("30.00")}), (text, {})):
        target = publication.target("poslog.retail_v6")
        with bootstrap.open_hub(Home(house.home)) as hub:
            with hub.engine.begin() as connection:
                publication.publish(
                    connection, target, version, file, actor="ann", now="2031-07-09T00:00:00Z"
                )
            with hub.engine.begin() as connection:
                done = replay(hub, connection, target)
        assert (done.remade, done.failed) == (2, 0)
        assert _revenue(house) == total


@pytest.mark.parametrize("name", ["v6-suspended", "v6-cancelled", "v6-training"])
def test_what_was_never_sold_is_kept_and_is_no_revenue(house: House, name: str) -> None:
    report = house.send("poslog", _sample(name))
    assert (report.applied, report.totals) == (1, {})
    [line] = house.export("Transaction").splitlines()
    assert Decimal(json.loads(line)["document"]["total"]) != 0


def _suspended() -> bytes:
    """The basket that the dangling resume link names."""
    fields = {"SequenceNumber": "777", "WorkstationID": "4", "BusinessDayDate": "2031-05-06"}
    text = _sample("v2-cash-sale-with-change", RetailStoreID="501", **fields)
    marked = text.replace(
        b"<RetailTransaction", b'<RetailTransaction TransactionStatus="Suspended"', 1
    )
    assert marked != text
    return marked


def test_a_resume_link_is_open_until_its_target_arrives(house: House) -> None:
    resumed = "501/3/2031-05-06/106"
    house.send("poslog", _sample("v2-resume-link-dangling"))
    [link] = house.show(resumed).to
    assert (link.kind, link.other, link.arrived) == ("resume", "poslog:501/4/2031-05-06/777", False)
    house.send("poslog", _suspended())
    assert [link.arrived for link in house.show(resumed).to] == [True]
    assert house.show("501/4/2031-05-06/777").body["status"] == "suspended"


def test_a_return_by_transaction_id_finds_its_sale(house: House) -> None:
    returning = _sample("v6-return-linked-by-transaction-id")
    house.send("poslog", returning)
    [line] = house.export("Transaction").splitlines()
    fact = json.loads(line)["fact"]
    before = [link for link in house.show(fact).to if link.kind == "return"]
    house.send("poslog", _sample("v6-tax-included", TransactionID="7001-K02-1888"))
    after = [link for link in house.show(fact).to if link.kind == "return"]
    assert before
    assert [link.arrived for link in before] == [False] * len(before)
    assert [link.arrived for link in after] == [True] * len(after)
    assert after[0].other.startswith("poslog:7001/")


def _placed(house: House, at: str, zone: str | None, **changes: str) -> dict[str, Any]:
    """The export of one sale at a wall clock, in a store of that zone."""
    if zone:
        table = f"system,store,zone,currency\nposlog,7001,{zone},EUR\n"
        file = house.file(table.encode(), "locations.csv")
        with bootstrap.open_hub(Home(house.home)) as hub, hub.engine.begin() as connection:
            load_locations(connection, file)
    house.send("poslog", _sample("v6-tax-included", EndDateTime=at, BeginDateTime=at, **changes))
    [line] = house.export("Transaction").splitlines()
    envelope: dict[str, Any] = json.loads(line)
    return envelope


def _codes(envelope: dict[str, Any]) -> set[str]:
    return {flag["code"] for flag in envelope.get("flags", [])}


def test_the_zone_of_the_location_wins_over_a_wrong_offset_and_both_are_kept(house: House) -> None:
    sale = _placed(house, "2031-01-08T09:00:00+05:00", "Europe/Vienna")
    moment = sale["document"]["occurred_at"]
    assert moment["offset"] == "+05:00"
    assert (moment["zone"], moment["zone_origin"]) == ("Europe/Vienna", "location")
    assert (moment["local"], moment["utc"]) == ("2031-01-08T09:00:00", "2031-01-08T08:00:00Z")
    assert "LP-TIME-001" in _codes(sale)


def test_the_offset_of_the_source_holds_where_no_location_is_loaded(house: House) -> None:
    sale = _placed(house, "2031-01-08T09:00:00+05:00", None)
    moment = sale["document"]["occurred_at"]
    assert (moment["utc"], moment["zone_origin"]) == ("2031-01-08T04:00:00Z", "source")
    assert _codes(sale) == set()


@pytest.mark.parametrize(
    ("at", "utc", "code"),
    [
        # In 2031 Vienna sets its clocks forward on 30 March and back on 26 October.
        ("2031-10-26T02:30:00", "2031-10-26T00:30:00Z", "LP-TIME-002"),
        ("2031-03-30T02:30:00", "2031-03-30T01:30:00Z", "LP-TIME-003"),
        ("2031-10-26T02:30:00+02:00", "2031-10-26T00:30:00Z", None),
        ("2031-10-26T02:30:00+01:00", "2031-10-26T01:30:00Z", None),
        ("2031-07-08T14:30:00", "2031-07-08T12:30:00Z", None),
    ],
)
def test_an_hour_that_comes_twice_or_never_is_flagged(
    house: House, at: str, utc: str, code: str | None
) -> None:
    sale = _placed(house, at, "Europe/Vienna")
    assert sale["document"]["occurred_at"]["utc"] == utc
    assert _codes(sale) == ({code} if code else set())


def test_the_business_date_is_the_source_s_own(house: House) -> None:
    sale = _placed(
        house, "2031-07-09T00:30:00+02:00", "Europe/Vienna", BusinessDayDate="2031-07-08"
    )
    assert sale["document"]["business_date"] == "2031-07-08"

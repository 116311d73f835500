"""The doubled hour of an autumn night: sales are placed by their sequence, whatever comes first."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from hub import bootstrap, export, finding, placing, relocate
from hub.receive import receive
from tests import homes

SHELL = """<POSLog xmlns="http://www.nrf-arts.org/IXRetail/namespace/">{}</POSLog>"""
SALE = """<Transaction><RetailStoreID>501</RetailStoreID><WorkstationID>3</WorkstationID>
<SequenceNumber>{sequence}</SequenceNumber><BusinessDayDate>2026-10-24</BusinessDayDate>
<EndDateTime>2026-10-25T{clock}</EndDateTime><CurrencyCode>EUR</CurrencyCode><RetailTransaction>
<Total TotalType="TransactionGrandAmount">0.00</Total></RetailTransaction></Transaction>"""
# Clocks in Vienna go back from 03:00 to 02:00 on that night, at 01:00 UTC.
NIGHT = {1: "01:50:00", 2: "02:10:00", 3: "02:50:00", 4: "02:05:00", 5: "02:55:00", 6: "03:10:00"}
TRUTH = {
    1: "2026-10-24T23:50:00Z",
    2: "2026-10-25T00:10:00Z",
    3: "2026-10-25T00:50:00Z",
    4: "2026-10-25T01:05:00Z",
    5: "2026-10-25T01:55:00Z",
    6: "2026-10-25T02:10:00Z",
}


def played(folder: Path, *, order: tuple[int, ...], located_first: bool = True) -> dict[str, Any]:
    """What the hub makes of the night's sales, each sent in a file of its own."""
    home = homes.made(folder / "home")
    stores = folder / "locations.csv"
    stores.write_text("system,store,zone,currency\nposlog,501,Europe/Vienna,EUR\n")
    with bootstrap.open_hub(home) as hub:
        if located_first:
            with hub.engine.begin() as connection:
                relocate.load_locations(connection, stores)
        for number in order:
            file = folder / f"{number}.xml"
            file.write_text(SHELL.format(SALE.format(sequence=number, clock=NIGHT[number])))
            assert receive(hub, "poslog", [file]).applied == 1
        with hub.engine.begin() as connection:
            if not located_first:
                relocate.load_locations(connection, stores)
            rows = finding.transactions(connection)
            return {
                "utc": {int(row["sequence"]): row["occurred_utc"] for row in rows},
                "flagged": {int(row["sequence"]) for row in rows if row["flags"]},
                "export": list(export.export(connection)),
            }


def test_sales_of_the_doubled_hour_go_by_their_sequence(tmp_path: Path) -> None:
    night = played(tmp_path, order=(1, 2, 3, 4, 5, 6))
    assert night["utc"] == TRUTH
    assert night["flagged"] == set()


def test_the_order_of_arrival_changes_nothing(tmp_path: Path) -> None:
    exports = []
    for position, order in enumerate(itertools.permutations((2, 3, 4, 5))):
        folder = tmp_path / str(position)
        folder.mkdir()
        night = played(folder, order=order)
        assert night["utc"] == {n: TRUTH[n] for n in (2, 3, 4, 5)}
        exports.append(night["export"])
    assert all(one == exports[0] for one in exports)


def test_a_location_that_is_loaded_later_comes_to_the_same(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "later").mkdir()
    order = (4, 1, 6, 2, 5, 3)
    first = played(tmp_path / "first", order=order)
    assert played(tmp_path / "later", order=order, located_first=False) == first


def test_without_a_step_backwards_the_doubt_stays(tmp_path: Path) -> None:
    night = played(tmp_path, order=(1, 2, 3))
    assert night["flagged"] == {2, 3}
    assert night["utc"] == {n: TRUTH[n] for n in (1, 2, 3)}


@pytest.mark.parametrize(
    ("local", "doubled"),
    [
        ("2026-10-25T01:59:59", False),
        ("2026-10-25T02:00:00", True),
        ("2026-10-25T02:59:59.5", True),
        ("2026-10-25T03:00:00", False),
        ("2026-03-29T02:30:00", False),
    ],
)
def test_only_the_hour_that_is_shown_twice_is_doubled(local: str, *, doubled: bool) -> None:
    assert placing.is_doubled(local, "Europe/Vienna") is doubled

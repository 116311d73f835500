"""Real baskets come to the totals of a store and day that the data itself gives, to the cent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from bench.baskets import baskets, by_day, expected, found
from hub import bootstrap
from hub.receive import receive
from tests import homes

pytestmark = pytest.mark.databases

# In the night between these the clocks went forward.
_FIRST, _LAST = date(2017, 3, 11), date(2017, 3, 12)


def test_real_baskets_come_to_the_totals_of_their_data(tmp_path: Path) -> None:
    frame = baskets()
    some = frame[(frame["day"] >= _FIRST) & (frame["day"] <= _LAST)]
    assert ((some["quantity"] == 0) & (some["sales_value"] > 0)).any()
    assert (some.groupby("basket_id")["sales_value"].sum() == 0).any()
    assert (some["retail_disc"] > 0).any()
    assert (some["quantity"] > 1_000).any()
    home = homes.made(tmp_path / "home")
    sent = 0
    with bootstrap.open_hub(home) as hub:
        for day, body, count in by_day(some):
            file = tmp_path / f"{day}.xml"
            file.write_bytes(body)
            report = receive(hub, "poslog", [file])
            assert (report.applied, report.held) == (count, 0), report.problems[:3]
            sent += count
        with hub.engine.begin() as connection:
            totals = found(connection)
    assert sent == some["basket_id"].nunique() > 700
    assert totals == expected(some)
    # A row less in the data is a row that is seen.
    dear = some[some["sales_value"] > 0].index[0]
    assert totals != expected(some.drop(index=dear))
    assert sum((total for _, total in totals.values()), Decimal(0)) == Decimal(
        int(some["sales_value"].sum())
    ).scaleb(-2)

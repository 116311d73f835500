"""How a record stands is what its receiving reported, whatever came before and after."""

from __future__ import annotations

import random
import re
from decimal import Decimal
from pathlib import Path

import pytest

from hub import bootstrap
from hub.demo import poslog_writer
from hub.home import Home
from hub.receive import Report, receive
from hub.standing import standing
from tests import homes

pytestmark = pytest.mark.databases

SAMPLES = Path(__file__).resolve().parents[2] / "connectors" / "poslog" / "samples"
VOID = (SAMPLES / "v6-post-void.xml").read_bytes()
SALE = (SAMPLES / "v6-tax-included.xml").read_bytes()
for name, value in (
    (b"SequenceNumber", b"2005"),
    (b"WorkstationID", b"K07"),
    (b"BusinessDayDate", b"2031-07-08"),
):
    SALE = re.sub(rb"(<%s\b[^>]*>)[^<]*" % name, rb"\g<1>" + value, SALE, count=1)


def _received(home: Home, file: Path) -> Report:
    with bootstrap.open_hub(home) as hub:
        return receive(hub, "poslog", [file])


def _seen(home: Home, record: int) -> Report:
    with (
        bootstrap.open_hub(home, access="read") as hub,
        hub.engine.begin() as connection,
    ):
        found = standing(connection, record)
    return Report(
        messages=found.states.total(),
        applied=found.states["applied"],
        duplicates=found.states["duplicate"],
        stale=found.states["stale"],
        held=found.states["held"],
        flagged=found.flagged,
        totals=found.totals,
        problems=list(found.problems),
    )


@pytest.mark.parametrize("seed", range(4))
def test_every_record_stands_as_it_was_reported(tmp_path: Path, seed: int) -> None:
    """A sale, its post-void, what comes twice and what is broken, in any order."""
    home = homes.made(tmp_path / "home")
    sales = list(poslog_writer.sales(6, seed=seed))
    day = b"".join(poslog_writer.document(sales, dialect="v2"))
    contents = [SALE, VOID, VOID, day, day, b"<POSLog>"]
    random.Random(seed).shuffle(contents)
    reports = {}
    for number, content in enumerate(contents, 1):
        file = tmp_path / f"{number}.xml"
        file.write_bytes(content)
        reports[number] = _received(home, file)
    seen = {number: _seen(home, number) for number in reports}
    for number, report in reports.items():
        assert seen[number] == report, contents[number - 1][:80]
    eur = sum((report.totals.get("EUR", Decimal(0)) for report in seen.values()), Decimal(0))
    assert eur == 0
    assert any(report.totals.get("EUR") for report in seen.values()) == (
        contents.index(SALE) < contents.index(VOID)
    )


def test_a_record_that_is_not_there_stands_empty(tmp_path: Path) -> None:
    home = homes.made(tmp_path / "home")
    assert _seen(home, 99) == Report()

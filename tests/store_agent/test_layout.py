"""An agent that captures files of a layout: a card number in its place never reaches the spool."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from connectors import registry
from connectors.api import Rest, Slice
from connectors.layout import connector as layouts
from connectors.layout import shelf
from connectors.layout.connector import LayoutOptions
from connectors.scrub import scrub
from store_agent.folder import Folder
from store_agent.home import Home
from store_agent.run import _folder
from store_agent.settings import Settings
from store_agent.spool import Spool
from tests.connectors.layout.taking import HEAD, SALE
from tests.connectors.layout.writing import file
from tests.store_agent.conftest import FakeTime

RTLOG = shelf.shipped()["rtlog-16"]
NO_LUHN = "4012888800001234"


def _day(count: int) -> bytes:
    tender = {"line": "2", "group": "CCARD", "amount": "9.90", "card_number": NO_LUHN}
    sales = []
    for number in range(count):
        head = {**SALE[0][1], "sequence": f"{number:010d}"}
        sales.append([("thead", head), SALE[1], ("ttend", tender), SALE[3]])
    return file(RTLOG, *sales, head=HEAD)


@pytest.fixture(params=["rtlog-16", "layouts/own.yaml", None])
def options(request: pytest.FixtureRequest, home: Home) -> dict[str, str]:
    """A shipped layout, one of the store's own in the agent's home, and none."""
    own = home.path / "layouts" / "own.yaml"
    own.parent.mkdir()
    shipped = registry.folder("layout") / "layouts" / "rtlog-16.yaml"
    # Another tag than any shipped layout has: only the bound connector knows where the fields are.
    own.write_text(shipped.read_text("utf-8").replace("tag: TTEND", "tag: TPAYM"))
    return {"layout": request.param} if request.param else {}


@pytest.fixture
def spool(home: Home) -> Iterator[Spool]:
    with closing(Spool(home, ["log"])) as spool:
        yield spool


def _written_by(options: dict[str, str], day: bytes) -> bytes:
    """The day as a till writes it whose layout was chosen."""
    return day.replace(b"TTEND", b"TPAYM") if "/" in options.get("layout", "") else day


def _watch(home: Home, drop: Path, time: FakeTime, spool: Spool, options: dict[str, str]) -> Folder:
    capture = {"source": "tills", "connector": "layout", "folder": str(drop), "options": options}
    settings = Settings.model_validate(
        {"hub": "http://127.0.0.1:1", "name": "a", "key": "k", "captures": {"log": capture}}
    )
    return _folder("log", settings, spool, time.clock, home)


def _spooled(spool: Spool) -> list[bytes]:
    records = spool.batch("log", records_max=10_000, bytes_max=1 << 40, now="2031").records
    return [record.payload for record in records]


def _written(home: Home) -> bytes:
    return b"".join(path.read_bytes() for path in home.path.rglob("*") if path.is_file())


def test_no_byte_of_a_card_number_reaches_the_spool(
    home: Home, drop: Path, time: FakeTime, spool: Spool, options: dict[str, str]
) -> None:
    folder = _watch(home, drop, time, spool, options)
    day = _written_by(options, _day(3))
    (drop / "RTLOG_120.DAT").write_bytes(day)
    folder.scan()
    (taken,) = _spooled(spool)
    assert taken.count(b"************1234") == 3
    assert taken == day.replace(NO_LUHN.encode(), b"************1234")
    assert NO_LUHN[:8].encode() not in _written(home)


def test_a_file_that_grows_and_is_cut_in_the_number(
    home: Home, drop: Path, time: FakeTime, spool: Spool, options: dict[str, str]
) -> None:
    folder = _watch(home, drop, time, spool, options)
    day, path = _written_by(options, _day(2)), drop / "RTLOG_120.DAT"
    inside = day.index(NO_LUHN.encode()) + 10
    for end in (inside, inside + 3, len(day) - 200, len(day)):
        path.write_bytes(day[:end])
        folder.scan()
        time.sleep(6)
        folder.scan()
    taken = _spooled(spool)
    assert len(taken) > 1
    assert sum(map(len, taken)) == len(day)
    assert NO_LUHN[:8].encode() not in _written(home)
    # What the hub makes of the parts is what it makes of the whole.
    chosen = LayoutOptions.model_validate(
        {"layout": options.get("layout")}, context={"home": home.path}
    )
    bound = layouts.bound(chosen)
    rest: Rest | None = None
    found = []
    for part in taken:
        pieces = list(bound.split([part], chosen, rest))
        rest = next((piece for piece in pieces if isinstance(piece, Rest)), None)
        found += [piece.payload for piece in pieces if isinstance(piece, Slice)]
    whole = bound.split([scrub(day, bound.scrub)], chosen, None)
    assert found == [piece.payload for piece in whole if isinstance(piece, Slice)]


def test_more_than_one_window_of_records(
    home: Home, drop: Path, time: FakeTime, spool: Spool
) -> None:
    folder = _watch(home, drop, time, spool, {"layout": "rtlog-16"})
    day = _day(5000)
    assert len(day) > 2 * 1024 * 1024
    (drop / "RTLOG_120.DAT").write_bytes(day)
    folder.scan()
    taken = _spooled(spool)
    assert len(taken) > 1
    profile = layouts.bound(LayoutOptions(layout="rtlog-16")).scrub
    assert b"".join(taken) == scrub(day, profile)

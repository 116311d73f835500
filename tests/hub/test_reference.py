from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from hub.reference import (
    Loaded,
    item_of,
    load_items,
    load_locations,
    load_workstations,
    location,
)
from hub.store import tables
from hub.store.database import open_database
from schemas.identifier import Identifier
from schemas.problem import ConfigError, Problem

LOCATIONS = """\
system,store,name,zone,currency,phones,mail_domains
tills,0009,"Example Street, 9",Europe/Vienna,EUR,+43 1 555 0100 | +43 1 555 0101,example.org
tills,10,Nowhere,America/New_York,USD,,
"""
GOOD = "system,store,zone,currency\nt,1,UTC,EUR\n"
ITEMS = """\
item,name,category,system,gtin,sku,variant
1001,Blue mug,mugs,shop-eu,04012345678901|40123455,MUG-B,9001|9002
1001,,,shop-us,,MUG-B,77
1002,Red mug,mugs,shop-eu,4012345678918,MUG-R,
"""

Load = Callable[[Connection, Path], Loaded]
Sheet = Callable[[str], Path]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = open_database(tmp_path / "lynchpin.db")
    with engine.begin() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def sheet(tmp_path: Path) -> Sheet:
    def write(text: str) -> Path:
        path = tmp_path / "sheet.csv"
        path.write_bytes(text.encode())
        return path

    return write


def problem(load: Load, connection: Connection, path: Path) -> Problem:
    with pytest.raises(ConfigError) as refused:
        load(connection, path)
    assert refused.value.problem.file == path.name
    return refused.value.problem


def rows(connection: Connection) -> int:
    counted = (tables.location, tables.workstation, tables.item, tables.item_identifier)
    return sum(
        connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in counted
    )


def named(connection: Connection, kind: str, value: str, issuer: str | None = None) -> str | None:
    identifier = Identifier(kind=kind, value=value, issuer=issuer)
    return item_of(connection, [identifier], system="shop-eu")


def test_locations_are_loaded_and_found(connection: Connection, sheet: Sheet) -> None:
    assert load_locations(connection, sheet(LOCATIONS)) == Loaded(2, 0, 0)
    found = location(connection, "tills", "0009")
    assert found is not None
    assert (found.name, found.zone, found.currency) == ("Example Street, 9", "Europe/Vienna", "EUR")
    assert found.phones == ("+43 1 555 0100", "+43 1 555 0101")
    assert found.mail_domains == ("example.org",)
    bare = location(connection, "tills", "10")
    assert bare is not None
    assert bare.phones == ()
    assert location(connection, "tills", "9") is None
    assert location(connection, "shop", "10") is None


def test_loading_again_changes_only_what_differs(connection: Connection, sheet: Sheet) -> None:
    load_locations(connection, sheet(LOCATIONS))
    assert load_locations(connection, sheet(LOCATIONS)) == Loaded(0, 0, 2)
    moved = LOCATIONS.replace("America/New_York", "America/Chicago") + "tills,11,New,UTC,EUR,,\n"
    assert load_locations(connection, sheet(moved)) == Loaded(1, 1, 1)
    found = location(connection, "tills", "10")
    assert found is not None
    assert found.zone == "America/Chicago"


def test_an_empty_cell_clears_and_a_missing_column_does_not(
    connection: Connection, sheet: Sheet
) -> None:
    load_locations(connection, sheet(LOCATIONS))
    short = "system,store,zone,currency,name\ntills,0009,Europe/Vienna,EUR,\n"
    assert load_locations(connection, sheet(short)) == Loaded(0, 1, 0)
    found = location(connection, "tills", "0009")
    assert found is not None
    assert (found.name, found.mail_domains) == (None, ("example.org",))


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffsystem,store,zone,currency\r\ntills,007,Europe/Vienna,EUR\r\n",
        "System; STORE;Zone ;currency\ntills; 007;Europe/Vienna;EUR",
        'currency,zone,"store",system\n\n,,,\nEUR,Europe/Vienna,"007",tills\n',
    ],
    ids=["byte order mark and CRLF", "semicolons and blanks", "other order and empty rows"],
)
def test_what_spreadsheets_write_is_read(connection: Connection, sheet: Sheet, text: str) -> None:
    assert load_locations(connection, sheet(text)) == Loaded(1, 0, 0)
    assert location(connection, "tills", "007") is not None


@pytest.mark.parametrize(
    ("text", "code", "path", "detail"),
    [
        ("", "LP-CFG-031", None, "without column system"),
        ("system,store,zone\n", "LP-CFG-031", None, "without column currency"),
        ("system,store,zone,curency\n", "LP-CFG-031", None, "did you mean currency?"),
        ("system,store,store,zone,currency\n", "LP-CFG-031", None, "'store' comes twice"),
        (GOOD + "t,2,UTC\n", "LP-CFG-032", "line 3", "3 cells under 4 columns"),
        (
            GOOD + "t,2,Europe/Wein,EUR\n",
            "LP-CFG-032",
            "line 3, column zone",
            "did you mean Europe/",
        ),
        (GOOD + "t,2,UTC,eur\n", "LP-CFG-032", "line 3, column currency", "pattern"),
        (GOOD + "t,2,UTC,\n", "LP-CFG-032", "line 3, column currency", "required"),
        (GOOD + ",2,UTC,EUR\n", "LP-CFG-032", "line 3, column system", "required"),
        (GOOD + "t,1,UTC,USD\n", "LP-CFG-033", "line 3, column store", "on line 2"),
        (GOOD + 't,2,UTC,"EUR\n', "LP-CFG-030", "line 3", "end of data"),
        (GOOD + "t,2,UTC,EUR\0\n", "LP-CFG-030", None, "NUL"),
    ],
)
def test_a_bad_file_is_refused_as_a_whole(
    connection: Connection, sheet: Sheet, text: str, code: str, path: str | None, detail: str
) -> None:
    found = problem(load_locations, connection, sheet(text))
    assert (found.code, found.path) == (code, path)
    assert detail in (found.detail or "")
    assert rows(connection) == 0


def test_a_file_in_another_encoding_says_which_byte(connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_bytes("system,store,zone,currency,name\nt,1,UTC,EUR,Caf\xe9\n".encode("latin-1"))
    found = problem(load_locations, connection, path)
    assert (found.code, found.byte) == ("LP-CFG-030", 47)
    path.unlink()
    assert problem(load_locations, connection, path).code == "LP-CFG-030"


def test_a_bad_cell_is_shown_as_a_shape_only(connection: Connection, sheet: Sheet) -> None:
    text = "system,store,zone,currency\nt,1,UTC,Ann Example 42\n"
    found = problem(load_locations, connection, sheet(text))
    assert found.value == "aaa aaaaaaa 99"
    assert "Ann" not in found.line()


def test_workstations_stand_in_loaded_stores(connection: Connection, sheet: Sheet) -> None:
    load_locations(connection, sheet(LOCATIONS))
    text = "system,store,workstation,kind,authoritative\ntills,0009,3,till,poslog\n"
    assert load_workstations(connection, sheet(text)) == Loaded(1, 0, 0)
    assert load_workstations(connection, sheet(text)) == Loaded(0, 0, 1)
    assert load_workstations(connection, sheet(text.replace("poslog", ""))) == Loaded(0, 1, 0)
    before = rows(connection)
    found = problem(load_workstations, connection, sheet(text + "tills,9,4,till,\n"))
    assert (found.code, found.path) == ("LP-CFG-032", "line 3, column store")
    assert rows(connection) == before


def test_items_are_found_by_every_number_they_go_by(connection: Connection, sheet: Sheet) -> None:
    assert load_items(connection, sheet(ITEMS)) == Loaded(2, 0, 0)
    assert named(connection, "sku", "MUG-B") == "1001"
    assert named(connection, "variant", "9002") == "1001"
    assert named(connection, "variant", "77") is None
    assert named(connection, "variant", "77", "shop-us") == "1001"
    assert named(connection, "sku", "MUG-G") is None
    assert item_of(connection, [], system="shop-eu") is None


@pytest.mark.parametrize("written", ["4012345678901", "04012345678901"])
def test_a_gtin_is_the_same_with_and_without_leading_zeros(
    connection: Connection, sheet: Sheet, written: str
) -> None:
    load_items(connection, sheet(ITEMS))
    assert named(connection, "gtin", written) == "1001"
    assert named(connection, "gtin", written, "whoever") == "1001"


def test_numbers_that_name_two_items_name_none(connection: Connection, sheet: Sheet) -> None:
    load_items(connection, sheet(ITEMS))
    blue = Identifier(kind="gtin", value="40123455")
    same = Identifier(kind="sku", value="MUG-B")
    red = Identifier(kind="sku", value="MUG-R")
    assert item_of(connection, [blue, same], system="shop-eu") == "1001"
    assert item_of(connection, [blue, red], system="shop-eu") is None


def test_items_loaded_again_are_unchanged(connection: Connection, sheet: Sheet) -> None:
    load_items(connection, sheet(ITEMS))
    before = rows(connection)
    assert load_items(connection, sheet(ITEMS)) == Loaded(0, 0, 2)
    assert rows(connection) == before


def test_a_file_speaks_only_for_its_own_systems_and_columns(
    connection: Connection, sheet: Sheet
) -> None:
    load_items(connection, sheet(ITEMS))
    text = "item,system,sku\n1001,shop-eu,MUG-BLUE\n"
    assert load_items(connection, sheet(text)) == Loaded(0, 1, 0)
    assert named(connection, "sku", "MUG-B") is None
    assert named(connection, "sku", "MUG-BLUE") == "1001"
    assert named(connection, "sku", "MUG-B", "shop-us") == "1001"
    assert named(connection, "variant", "9001") == "1001"
    assert named(connection, "gtin", "40123455") == "1001"


def test_a_number_may_move_to_another_item(connection: Connection, sheet: Sheet) -> None:
    load_items(connection, sheet(ITEMS))
    text = "item,system,sku\n1001,shop-eu,MUG-R\n1002,shop-eu,MUG-B\n"
    assert load_items(connection, sheet(text)) == Loaded(0, 2, 0)
    assert named(connection, "sku", "MUG-R") == "1001"
    assert named(connection, "sku", "MUG-B") == "1002"


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        ("item,gtin\n7,40123455\n", "LP-CFG-033", "line 2, column gtin"),
        ("item,gtin\n7,12345\n8,00012345\n", "LP-CFG-033", "line 3, column gtin"),
        ("item,gtin\n7,1.23457E+12\n", "LP-CFG-032", "line 2, column gtin"),
        ("item,gtin\n7,123456789012345\n", "LP-CFG-032", "line 2, column gtin"),
        ("item,sku\n7,MUG-X\n", "LP-CFG-032", "line 2, column sku"),
        ("item,name\n7,Mug\n7,Cup\n", "LP-CFG-033", "line 3, column name"),
        ("item,name\n,Mug\n", "LP-CFG-032", "line 2, column item"),
    ],
    ids=[
        "loaded for another item",
        "twice in the file",
        "written by a spreadsheet",
        "too long",
        "of no system",
        "two names",
        "no item",
    ],
)
def test_items_that_cannot_be_are_refused_as_a_whole(
    connection: Connection, sheet: Sheet, text: str, code: str, path: str
) -> None:
    load_items(connection, sheet(ITEMS))
    before = rows(connection)
    found = problem(load_items, connection, sheet(text))
    assert (found.code, found.path) == (code, path)
    assert rows(connection) == before

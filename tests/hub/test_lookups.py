"""What mappings look up in the hub: stores and items as loaded now, also once others are loaded."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from hub import explain, library, publication, reference, relocate
from hub.bootstrap import Hub
from hub.lookups import Cache, Lookups
from hub.publication import Target
from hub.receive import receive
from hub.store.tables import document
from mappings.reference import ITEM_FIELDS, LOCATION_FIELDS, LOOKUPS
from schemas.item import Item
from schemas.location import Location

pytestmark = pytest.mark.databases

NOW = "2031-01-01T00:00:00.000000Z"
SHELL = """<POSLog xmlns="http://www.nrf-arts.org/IXRetail/namespace/"><Transaction>
<RetailStoreID>{store}</RetailStoreID><WorkstationID>3</WorkstationID>
<SequenceNumber>{sequence}</SequenceNumber><BusinessDayDate>2026-10-24</BusinessDayDate>
<EndDateTime>{at}</EndDateTime><CurrencyCode>EUR</CurrencyCode><OperatorID>MUG-B</OperatorID>
<RetailTransaction><Total TotalType="TransactionGrandAmount">0.00</Total></RetailTransaction>
</Transaction></POSLog>"""
TEXT, FILE = library.shipped_text("poslog", "retail")
# What is looked up has no way back, and these are about the way in.
TEXT = re.sub(r"^(direction|root): .*\n|^(lossy|one_way):\n(  .*\n)*", "", TEXT, flags=re.MULTILINE)
ITEMS = """\
item,name,category,system,gtin,sku,variant
1001,Blue mug,mugs,poslog,04012345678901|40123455,MUG-B,9001
1001,,,shop-us,,MUG-B,77
1002,Red mug,,poslog,4012345678918,MUG-R,9002|9003
"""
STORES = """\
system,store,name,zone,currency,country,banner
poslog,501,Linz,Europe/Vienna,EUR,AT,
poslog,502,Tokyo,Asia/Tokyo,JPY,JP,Best
shop,501,Other,UTC,USD,US,
"""


def sheet(hub: Hub, text: str) -> Path:
    file = hub.home.path / "sheet.csv"
    file.write_text(text)
    return file


def load_items(hub: Hub, text: str) -> None:
    with hub.engine.begin() as connection:
        reference.load_items(connection, sheet(hub, text))
    hub.forget_places()


def load_stores(hub: Hub, text: str) -> None:
    with hub.engine.begin() as connection:
        relocate.load_locations(connection, sheet(hub, text))
    hub.forget_places()


def publish(hub: Hub, old: str, new: str) -> None:
    assert old in TEXT
    text = TEXT.replace(old, new, 1)
    with hub.engine.begin() as connection:
        target = Target("poslog", "retail")
        publication.publish(connection, target, text, "own.yaml", actor="ann", now=NOW)


def sold(hub: Hub, sequence: int, store: str = "501", at: str = "2026-07-01T17:05:00") -> Any:
    """The canonical document and the codes of the flags of one sale."""
    file = hub.home.path / f"{sequence}.xml"
    file.write_text(SHELL.format(store=store, sequence=sequence, at=at))
    assert receive(hub, "poslog", [file]).applied == 1
    return kept(hub, sequence)


def kept(hub: Hub, sequence: int) -> Any:
    with hub.engine.begin() as connection:
        query = select(document.c.body, document.c.flags)
        row = connection.execute(query.where(document.c.fact.endswith(f"/{sequence}"))).one()
        return json.loads(row[0]), [flag["code"] for flag in json.loads(row[1] or "[]")]


@pytest.mark.parametrize(
    ("kind", "number", "field", "found"),
    [
        ("sku", "MUG-B", "item", "1001"),
        ("sku", "MUG-B", "name", "Blue mug"),
        ("sku", "MUG-B", "category", "mugs"),
        ("sku", "MUG-R", "category", None),
        ("sku", "MUG-B", "variant", "9001"),
        ("sku", "MUG-R", "gtin", "04012345678918"),
        ("gtin", "4012345678918", "sku", "MUG-R"),
        ("gtin", "04012345678901", "sku", "MUG-B"),
        ("gtin", "40123455", "name", "Blue mug"),
        ("item", "1002", "sku", "MUG-R"),
        ("item", "1002", "item", "1002"),
        # It has two of them, and which of them is meant nobody said.
        ("sku", "MUG-B", "gtin", None),
        ("item", "1002", "variant", None),
        # One of another system.
        ("variant", "77", "name", None),
        ("sku", "MUG-G", "name", None),
        ("item", "1003", "item", None),
        ("gtin", "not a number", "name", None),
        ("sku", "", "name", None),
    ],
)
def test_items_are_looked_up(hub: Hub, kind: str, number: str, field: str, found: str) -> None:
    load_items(hub, ITEMS)
    with hub.engine.begin() as connection:
        assert Lookups(connection, "poslog").item(kind, number, field) == found


def test_a_number_belongs_to_its_system(hub: Hub) -> None:
    load_items(hub, ITEMS)
    with hub.engine.begin() as connection:
        cache = Cache()
        ours, theirs = Lookups(connection, "poslog", cache), Lookups(connection, "shop-us", cache)
        assert ours.item("sku", "MUG-B", "variant") == "9001"
        assert theirs.item("sku", "MUG-B", "variant") == "77"
        assert theirs.item("sku", "MUG-R", "item") is None


def test_stores_are_looked_up(hub: Hub) -> None:
    load_stores(hub, STORES)
    with hub.engine.begin() as connection:
        found = Lookups(connection, "poslog")
        values = [found.location("502", field) for field in LOCATION_FIELDS]
        assert values == ["Asia/Tokyo", "JPY", "Tokyo", "Best", "JP"]
        assert found.location("501", "banner") is None
        assert found.location("503", "zone") is None
        assert Lookups(connection, "shop").location("501", "currency") == "USD"


def test_every_field_that_a_mapping_may_name_is_there() -> None:
    assert set(LOCATION_FIELDS) <= set(Location.model_fields)
    assert set(ITEM_FIELDS) == {
        *(field for field in Item.model_fields if field != "identifiers"),
        *reference._NUMBERS,
    }


def test_what_is_loaded_anew_counts_from_then_on(hub: Hub) -> None:
    publish(hub, "OperatorID\n", "OperatorID | item sku name\n")
    made, flags = sold(hub, 1)
    assert ("operator" in made, flags) == (False, ["LP-MAP-202"])
    load_items(hub, ITEMS)
    assert sold(hub, 2)[0]["operator"] == "Blue mug"
    load_items(hub, ITEMS.replace("Blue mug", "Azure mug"))
    made, flags = sold(hub, 3)
    assert (made["operator"], flags) == ("Azure mug", [])
    # What is there stays, until it is replayed.
    assert kept(hub, 2)[0]["operator"] == "Blue mug"


def test_an_explanation_looks_up_what_is_loaded_now(hub: Hub) -> None:
    load_items(hub, ITEMS)
    publish(hub, "OperatorID\n", "OperatorID | item sku name\n")
    sold(hub, 1)
    with hub.apart().engine.begin() as connection:
        fact = str(connection.scalar(select(document.c.fact)))
        (told,) = explain.explain(hub.apart(), connection, fact, "operator", reveal=True)
    assert (told.value, told.sent, told.source) == ("Blue mug", "MUG-B", "OperatorID")


def test_a_reader_keeps_nothing_for_the_writer(hub: Hub) -> None:
    """What a reader still sees of an older state must never reach a later document."""
    load_items(hub, ITEMS)
    apart = hub.apart()
    assert apart._known is not hub._known
    with apart.engine.begin() as connection:
        Lookups(connection, "poslog", apart._known).item("sku", "MUG-B", "name")
    assert hub._known.items == {}


def test_what_was_looked_up_is_not_asked_again(hub: Hub) -> None:
    load_items(hub, ITEMS)
    load_stores(hub, STORES)
    asked: list[str] = []

    @event.listens_for(hub.engine, "before_cursor_execute")
    def _(connection: object, cursor: object, statement: str, *rest: object) -> None:
        asked.append(statement)

    with hub.engine.begin() as connection:
        found = Lookups(connection, "poslog")
        for _again in range(3):
            assert found.item("sku", "MUG-B", "name") == "Blue mug"
            assert found.item("sku", "gone", "name") is None
            assert found.location("501", "zone") == "Europe/Vienna"
            assert found.location("999", "zone") is None
    assert len([one for one in asked if one.startswith("SELECT")]) == 4


def test_what_was_looked_up_does_not_fill_the_memory(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        found = Lookups(connection, "poslog", Cache(most=10))
        for number in range(35):
            found.item("sku", str(number), "name")
            found.location(str(number), "zone")
            assert len(found.cache.items) <= 10
            assert len(found.cache.places) <= 10


OCCURRED = "EndDateTime or RetailTransaction.ReceiptDateTime or BeginDateTime"


def test_a_zone_that_the_mapping_says_holds_before_the_store(hub: Hub) -> None:
    load_stores(hub, STORES)
    publish(hub, OCCURRED, "EndDateTime | zone America/New_York")
    moment = sold(hub, 1)[0]["occurred_at"]
    assert moment == {
        "local": "2026-07-01T17:05:00",
        "zone": "America/New_York",
        "utc": "2026-07-01T21:05:00Z",
        "zone_origin": "source",
    }


@pytest.mark.parametrize(
    ("at", "utc", "flags"),
    [
        # Shown twice in New York on that day, and never.
        ("2026-11-01T01:30:00", "2026-11-01T05:30:00Z", ["LP-TIME-002"]),
        ("2026-03-08T02:30:00.5", "2026-03-08T07:30:00.5Z", ["LP-TIME-003"]),
        # Shown twice in Vienna, where nobody says that the till is.
        ("2026-10-25T02:30:00", "2026-10-25T06:30:00Z", []),
    ],
)
def test_an_hour_shown_twice_or_never_is_flagged_in_its_own_zone(
    hub: Hub, at: str, utc: str, flags: list[str]
) -> None:
    publish(hub, OCCURRED, "EndDateTime | zone America/New_York")
    made, found = sold(hub, 1, at=at)
    assert (made["occurred_at"]["utc"], found) == (utc, flags)
    assert made["occurred_at"]["zone"] == "America/New_York"
    # A Location that is loaded later says nothing about a clock whose zone is known.
    load_stores(hub, STORES)
    assert kept(hub, 1) == (made, found)


def test_the_zone_of_the_store_that_a_field_names(hub: Hub) -> None:
    load_stores(hub, STORES)
    publish(hub, OCCURRED, "EndDateTime | zone {RetailStoreID | location zone}")
    moment = sold(hub, 1, store="502", at="2026-07-01T09:30:00")[0]["occurred_at"]
    assert (moment["zone"], moment["utc"]) == ("Asia/Tokyo", "2026-07-01T00:30:00Z")
    made, flags = sold(hub, 2, store="503")
    # Nobody knows the store: the hub assumes a zone, as it does for every other clock.
    assert made["occurred_at"]["zone_origin"] == "assumed"
    assert flags == ["LP-MAP-202"]


@pytest.mark.parametrize(
    ("number", "found"),
    [(501, "Linz"), (Decimal(501), "Linz"), (True, None)],
    ids=["whole", "decimal", "no number"],
)
def test_a_number_without_quotes_is_looked_up_as_it_is_written(
    hub: Hub, number: Any, found: str | None
) -> None:
    load_stores(hub, STORES)
    load_items(hub, ITEMS)
    unknown: list[tuple[str, str, str]] = []
    with hub.engine.begin() as connection:
        lookups = Lookups(connection, "poslog")
        assert LOOKUPS["location"]("name")(number, lookups, "store", unknown) == found
        item = LOOKUPS["item"]("gtin", "name")
        assert item(4012345678918, lookups, "item", unknown) == "Red mug"
    assert unknown == ([] if found else [("store", "location name", "true")])


@pytest.mark.parametrize(
    "look_up", [LOOKUPS["location"]("name"), LOOKUPS["item"]("sku", "name")], ids=["store", "item"]
)
def test_a_list_is_not_looked_up(hub: Hub, look_up: Any) -> None:
    with hub.engine.begin() as connection, pytest.raises(ValueError, match="a single value"):
        look_up(["501"], Lookups(connection, "poslog"), "store", [])

"""The same input comes to the same export, held messages and all, in SQLite and in PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.contract.trial import samples
from hub import bootstrap, export, finding, gaps, holds, library, publication
from hub.bootstrap import Hub
from hub.demo import day, poslog_writer, shop, shop_writer, till
from hub.demo.retailer import NEW_YORK, VIENNA
from hub.publication import Target
from hub.receive import receive
from hub.relocate import load_locations
from hub.whereabouts import whereabouts
from tests import homes, postgres
from tests.hub.replaying import replay

NOW = "2031-01-01T00:00:00.000000Z"
LOCATIONS = (
    "system,store,zone,currency\nposlog,{us},America/New_York,USD\nposlog,{eu},Europe/Vienna,EUR\n"
)
Look = Callable[[Hub], Any]


def _orders() -> bytes:
    placed = [json.loads(shop_writer.order(order)) for order in shop.orders(20, seed=4)]
    return json.dumps({"orders": placed}).encode()


def _inputs() -> Iterator[tuple[str, str, bytes]]:
    """Source, name of the file and content: whole, twice, torn, broken, altered and late."""
    for connector in registry.manifests():
        for sample in samples(connector):
            yield connector, sample.name, sample.read_bytes()
    whole = poslog_writer.day(NEW_YORK, seed=3)
    yield "poslog", "torn.xml", whole[: len(whole) // 2]
    yield "poslog", "day.xml", whole
    yield "poslog", "again.xml", whole
    yield "poslog", "vienna.xml", poslog_writer.day(VIENNA, seed=3)
    yield "poslog", "broken.xml", poslog_writer.without_total(till.sale(7, seed=9))
    sold = till.sale(1, seed=9)
    for name, receipt in (("first.xml", sold), ("other.xml", day.altered(sold))):
        yield "poslog", name, day.file([receipt])
    yield "shopify", "orders.json", _orders()
    yield "shopify", "orders-again.json", _orders()
    noted = json.loads(shop_writer.order(next(shop.orders(1, seed=5))))
    noted |= {"id": 77, "name": "#77\0x", "note": "a\0b and \\u0000", "tags": "\U0001f9fe, é, Z, a"}
    yield "shopify", "nul.json", json.dumps(noted).encode()


@contextmanager
def _hub(folder: Path, url: str | None) -> Iterator[Hub]:
    with pytest.MonkeyPatch.context() as patch:
        if url is not None:
            patch.setenv("LYNCHPIN_DATABASE_URL", url)
        with bootstrap.open_hub(homes.made(folder), now=lambda: NOW) as hub:
            assert hub.engine.dialect.name == ("sqlite" if url is None else "postgresql")
            yield hub


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Hub, Hub]]:
    """A hub on SQLite and one on PostgreSQL."""
    with (
        postgres.database() as url,
        _hub(tmp_path / "sqlite", None) as first,
        _hub(tmp_path / "postgresql", url.render_as_string(hide_password=False)) as second,
    ):
        yield first, second


def _exported(hub: Hub) -> str:
    with hub.engine.begin() as connection:
        return "\n".join(export.export(connection))


def _held(hub: Hub) -> Any:
    with hub.engine.begin() as connection:
        return holds.held(connection)


def _gaps(hub: Hub) -> Any:
    with hub.engine.begin() as connection:
        return list(gaps.gaps(connection))


def _places(hub: Hub) -> Any:
    with hub.engine.begin() as connection:
        facts = [json.loads(line)["fact"] for line in export.export(connection)]
        return whereabouts(connection, facts)


def _found(hub: Hub) -> Any:
    with hub.engine.begin() as connection:
        rows = finding.transactions(connection, limit=40), finding.orders(connection, limit=40)
    # What is listed comes from the indexes, where PostgreSQL keeps the sign for a NUL.
    return json.dumps(rows).replace("\\u0000", "\\u2400")


def _same(both: tuple[Hub, Hub], *looks: Look) -> None:
    for look in looks:
        first, second = map(look, both)
        assert first
        assert first == second


def _receive_all(both: tuple[Hub, Hub], folder: Path) -> None:
    folder.mkdir()
    for source, name, content in _inputs():
        file = folder / name
        file.write_bytes(content)
        reports = [receive(hub, source, [file]).as_json() for hub in both]
        assert reports[0] == reports[1]


def test_the_same_input_comes_to_the_same_export(both: tuple[Hub, Hub], tmp_path: Path) -> None:
    _receive_all(both, tmp_path / "inbox")
    _same(both, _exported, _held, _gaps, _places, _found)
    assert "\\u0000" in _exported(both[1])
    # A person decides: the altered sale stands, and what cannot be read is given up.
    for hub in both:
        codes = {held["code"]: held["message_id"] for held in _held(hub)}
        holds.release(hub, [codes.pop("LP-HUB-020")], actor="ann", replace=True)
        holds.discard(hub, [min(codes.values())], actor="ann", reason="broken\0")
    _same(both, _exported)
    assert [_held(hub) for hub in both] == [[], []]


def test_stores_that_are_loaded_later_and_a_replay_come_to_the_same(
    both: tuple[Hub, Hub], tmp_path: Path
) -> None:
    _receive_all(both, tmp_path / "inbox")
    before = _exported(both[0])
    table = tmp_path / "locations.csv"
    table.write_text(LOCATIONS.format(us=NEW_YORK.number, eu=VIENNA.number))
    text = library.shipped_text("poslog", "retail")[0].replace("status:", "status: ", 1)
    target = Target("poslog", "retail")
    for hub in both:
        with hub.engine.begin() as connection:
            loaded = load_locations(connection, table)
            assert loaded.added == 2
            publication.publish(
                connection, target, f"{text}# ours\n", "own.yaml", actor="ann", now=NOW
            )
        hub.forget_places()
        with hub.engine.begin() as connection:
            assert replay(hub, connection, target).remade
    assert _exported(both[0]) != before
    _same(both, _exported, _gaps, _places)

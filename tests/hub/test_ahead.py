"""What a second process translates ahead is what the hub would have made, or is not taken."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from hub import bootstrap, library, publication
from hub.bootstrap import Hub
from hub.demo import poslog_writer, shop, shop_writer, till
from hub.demo.receipt import Receipt
from hub.demo.retailer import NEW_YORK
from hub.door import take_in
from hub.home import Home
from hub.publication import Target
from hub.settle import BATCH, settle_next
from hub.store.tables import (
    claim,
    document,
    hold,
    link,
    location,
    message,
    order_index,
    transaction_index,
)
from hub.writer import writing
from tests import homes
from tests.processes import naming

AT_ONCE = 10
SALES = 8 * AT_ONCE
HALF = SALES // 2
TABLES = (document, transaction_index, order_index, link, claim, message, hold)
_RUN = ("record_id", "settled_at", "held_at", "received_at")
"""Columns that tell when and in which order something came."""


@contextmanager
def opened(home: Home, *, ahead: bool = True) -> Iterator[Hub]:
    homes.made(home.path)
    with bootstrap.open_hub(home, now=lambda: "2031-01-01T00:00:00.000000Z") as hub:
        hub.ahead.enabled, hub.ahead.at_once = ahead, AT_ONCE
        yield hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with opened(Home(tmp_path / "home")) as hub:
        yield hub


def journal(hub: Hub, body: bytes, source: str = "poslog") -> None:
    with hub.engine.begin() as connection:
        take_in(connection, hub.door(source), [body], name="file", now=hub.now())


def sales(hub: Hub, count: int = SALES) -> None:
    journal(hub, b"".join(poslog_writer.sales(count, seed=1, lines=2)))


def settled(hub: Hub) -> int:
    """Settle a batch; give how many messages it had."""
    return len(settle_next(hub.engine, hub.bus, hub.translator, hub.now, AT_ONCE, hub.ahead).states)


def all_settled(hub: Hub) -> None:
    while settled(hub):
        # Each portion is another part of what follows, none to half of it the hub's own.
        hub.ahead.waited = not hub.ahead.waited


def some_settled(hub: Hub) -> int:
    """Settle half of the sales or a few more; give how many."""
    count = 0
    while count < HALF:
        count += settled(hub)
    assert count < SALES - AT_ONCE
    return count


def mixed(hub: Hub) -> None:
    """Everything that a batch may hold: other kinds, doubles, conflicts, what cannot be read."""
    day = list(till.day(NEW_YORK, seed=3))
    entries = [poslog_writer.transaction(entry, detail="lean") for entry in day]
    receipts = [entry for entry in day if isinstance(entry, Receipt)]
    entries.insert(9, poslog_writer.without_total(receipts[0]))
    entries.insert(20, entries[2])
    entries.insert(30, entries[4].replace(b"<Quantity>1", b"<Quantity>7"))
    journal(hub, b"".join(poslog_writer.document(entries, dialect="v2")))
    for order in shop.orders(3 * AT_ONCE, seed=2):
        journal(hub, shop_writer.order(order), "shopify")
    journal(hub, b'{"id": 1, "line_items": "none"}', "shopify")
    sales(hub, 2 * AT_ONCE)


def rows(hub: Hub) -> dict[str, list[tuple[Any, ...]]]:
    found = {}
    with hub.engine.begin() as connection:
        for table in TABLES:
            columns = [column for column in table.c if column.name not in _RUN]
            lines = [tuple(row) for row in connection.execute(select(*columns))]
            found[table.name] = sorted(lines, key=repr)
    return found


@pytest.mark.databases
def test_what_is_made_ahead_are_the_same_rows(tmp_path: Path, database: str) -> None:
    found = []
    for ahead in (False, True):
        if database == "postgresql":
            from tests import postgres

            with postgres.database() as url, pytest.MonkeyPatch.context() as patch:
                address = url.render_as_string(hide_password=False)
                patch.setenv("LYNCHPIN_DATABASE_URL", address)
                found.append(_mixed_rows(Home(tmp_path / str(ahead)), ahead=ahead))
        else:
            found.append(_mixed_rows(Home(tmp_path / str(ahead)), ahead=ahead))
    assert found[0] == found[1]


def _mixed_rows(home: Home, *, ahead: bool) -> dict[str, list[tuple[Any, ...]]]:
    with opened(home, ahead=ahead) as hub:
        mixed(hub)
        all_settled(hub)
        states = {row[0] for row in connection_rows(hub, select(message.c.state))}
        assert states >= {"applied", "held", "duplicate"}
        assert (hub.ahead.taken > 2 * AT_ONCE) == ahead
        return rows(hub)


def connection_rows(hub: Hub, query: Any) -> list[Any]:
    with hub.engine.begin() as connection:
        return list(connection.execute(query))


def test_a_process_that_is_killed_is_replaced_and_nothing_is_missing(hub: Hub) -> None:
    sales(hub)
    settled(hub)
    first = hub.ahead.process
    assert first is not None
    os.kill(first, signal.SIGKILL)
    settled(hub)
    assert hub.ahead.process is None
    # Another one may come a moment later, not at once.
    time.sleep(1.1)
    all_settled(hub)
    assert hub.ahead.process not in (None, first)
    assert connection_rows(hub, select(message.c.state).distinct()) == [("applied",)]
    assert len(connection_rows(hub, select(document.c.fact))) == SALES


def test_a_process_that_is_stuck_is_replaced(hub: Hub) -> None:
    hub.ahead.patience_seconds = 0.3
    sales(hub)
    settled(hub)
    first = hub.ahead.process
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    all_settled(hub)
    assert not Path(f"/proc/{first}").exists()
    assert connection_rows(hub, select(message.c.state).distinct()) == [("applied",)]


def test_who_wants_something_written_does_not_wait_for_the_process(hub: Hub) -> None:
    hub.ahead.patience_seconds = 600
    with writing(hub) as writer:
        # More than the writer settles at once, so that some wait, whenever it looks.
        writer.submit(lambda connection: _sales(connection, hub, BATCH + SALES)).result()
        _until(lambda: hub.ahead.process is not None)
        first = hub.ahead.process
        assert first is not None
        # It has not even begun: it has to be started first, which takes longer than to stop it.
        os.kill(first, signal.SIGSTOP)
        _until(lambda: hub.ahead.busy)
        writer.submit(lambda connection: _sales(connection, hub, SALES)).result()
        assert hub.ahead.busy
        assert hub.ahead.process == first
        os.kill(first, signal.SIGCONT)
        _until(lambda: writer.settled["applied"] == BATCH + SALES)
    assert hub.ahead.process == first


def test_a_batch_ends_where_the_process_is_through(hub: Hub) -> None:
    hub.ahead.at_once, hub.ahead.patience_seconds = 4 * AT_ONCE, 10
    sales(hub, 12 * AT_ONCE)
    settled(hub)
    first = hub.ahead.process
    assert first is not None
    _until(lambda: hub.ahead.ready)
    # Once that is read the process stops, and what it is given next it never does.
    assert hub.ahead.within(AT_ONCE) == AT_ONCE
    os.kill(first, signal.SIGSTOP)
    settled(hub)
    done = settle_next(hub.engine, hub.bus, hub.translator, hub.now, 9 * AT_ONCE, hub.ahead)
    assert len(done.states) == 3 * AT_ONCE
    assert hub.ahead.process == first


def test_a_hub_that_had_to_wait_translates_a_part_itself(hub: Hub) -> None:
    sales(hub)
    count, taken = some_settled(hub), hub.ahead.taken
    left = SALES - count
    while settled(hub):
        hub.ahead.waited = True
    assert 0 < hub.ahead.taken - taken < left


def test_what_comes_when_the_process_is_idle_goes_to_it_first(hub: Hub) -> None:
    with writing(hub) as writer:
        writer.submit(lambda connection: _sales(connection, hub, BATCH + SALES)).result()
        _until(lambda: writer.settled.total() == BATCH + SALES)
        _until(lambda: hub.ahead.idle)
        before = hub.ahead.taken
        writer.submit(lambda connection: _sales(connection, hub, AT_ONCE, seed=2)).result()
        _until(lambda: writer.settled.total() == BATCH + SALES + AT_ONCE)
        # All but what it keeps because it had to wait before.
        assert hub.ahead.taken > before


def test_what_the_process_cannot_be_told_of_is_settled_all_the_same(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(hub) as writer:
        writer.submit(lambda connection: _sales(connection, hub, BATCH + SALES)).result()
        _until(lambda: writer.settled["applied"] == BATCH + SALES)
        _until(lambda: hub.ahead.idle)
        monkeypatch.setattr("hub.ahead.ahead._Way.text", None)
        writer.submit(lambda connection: _sales(connection, hub, SALES, seed=2)).result()
        _until(lambda: writer.settled.total() == BATCH + 2 * SALES)


def test_what_cannot_even_be_given_to_the_process_stops_nothing(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ValueError

    with writing(hub) as writer:
        writer.submit(lambda connection: _sales(connection, hub, BATCH + SALES)).result()
        _until(lambda: writer.settled["applied"] == BATCH + SALES)
        _until(lambda: hub.ahead.idle)
        monkeypatch.setattr("hub.ahead.ahead._unread", fails)
        writer.submit(lambda connection: _sales(connection, hub, AT_ONCE, seed=2)).result()
        _until(lambda: writer.settled.total() == BATCH + SALES + AT_ONCE)


def _sales(connection: Connection, hub: Hub, count: int, seed: int = 1) -> None:
    bodies = poslog_writer.sales(count, seed=seed, lines=2)
    take_in(connection, hub.door("poslog"), bodies, name="file", now=hub.now())


def _until(true: Callable[[], bool]) -> None:
    """Wait for it. Two minutes are no measure: they end a test of what never comes."""
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.mark.databases
def test_what_is_published_meanwhile_counts_from_the_next_message_on(hub: Hub) -> None:
    sales(hub)
    before = some_settled(hub)
    assert hub.ahead.taken
    text, file = library.shipped_text("poslog", "retail")
    with hub.engine.begin() as connection:
        target = Target("poslog", "retail")
        new = f"{text}# another\n"
        line = publication.publish(connection, target, new, file, actor="ann", now=hub.now())
    all_settled(hub)
    made = connection_rows(hub, select(document.c.mapping).order_by(document.c.message_id))
    assert [row[0] for row in made[before:]] == [line.hash] * (SALES - before)
    assert line.hash not in {row[0] for row in made[:before]}


def test_a_location_that_is_loaded_meanwhile_counts_from_the_next_message_on(hub: Hub) -> None:
    sales(hub)
    before = some_settled(hub)
    assert hub.ahead.taken
    place = {"system": "poslog", "store": NEW_YORK.number, "zone": "Asia/Tokyo"}
    with hub.engine.begin() as connection:
        connection.execute(insert(location), {**place, "currency": "USD"})
    hub.forget_places()
    all_settled(hub)
    bodies = connection_rows(hub, select(document.c.body).order_by(document.c.message_id))
    zones = [json.loads(row[0])["occurred_at"]["zone"] for row in bodies]
    assert zones[before:] == ["Asia/Tokyo"] * (SALES - before)
    assert "Asia/Tokyo" not in zones[:before]


_HUB = """
import os, sys
from pathlib import Path
from hub import bootstrap
from hub.home import Home
from hub.receive import receive
with bootstrap.open_hub(Home(Path(sys.argv[1]))) as hub:
    hub.ahead.at_once = 10
    def stop(count):
        if hub.ahead.process:
            os.kill(os.getpid(), 9)
    receive(hub, "poslog", [Path(sys.argv[2])], stop)
"""


def test_it_does_not_outlive_its_hub(hub: Hub, tmp_path: Path) -> None:
    home = homes.made(tmp_path / "other")
    file = tmp_path / "sales.xml"
    file.write_bytes(b"".join(poslog_writer.sales(300, seed=1, lines=2)))
    command = [sys.executable, "-c", _HUB, str(home.path), str(file)]
    done = subprocess.run(command, env={**os.environ, "WHOSE": str(tmp_path)}, check=False)
    assert done.returncode == -signal.SIGKILL
    until = time.monotonic() + 20
    while naming(tmp_path):
        assert time.monotonic() < until, "a process is left"
        time.sleep(0.05)

"""The watchdog: only a hub that has work and gets no further is ended."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from hub import bootstrap
from hub.bootstrap import Hub
from hub.demo import poslog_writer
from hub.door import take_in
from hub.home import Home
from hub.store.tables import message
from hub.watchdog import EXIT_STATUS, is_stalled, watched
from hub.writer import Writer, writing
from tests import homes

PATIENCE_SECONDS = 60
STALL_SECONDS = 1.5
"""Longer than the writer waits before it tries again."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = homes.made(tmp_path / "home")
    settings = home.settings.read_text() + f"\n[watchdog]\nstall_seconds = {STALL_SECONDS}\n"
    home.settings.write_text(settings)
    return home


@pytest.fixture
def hub(home: Home) -> Iterator[Hub]:
    with bootstrap.open_hub(home) as hub:
        yield hub


class Ended:
    """Takes the place of the end of the process."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.status: int | None = None

    def __call__(self, status: int) -> None:
        self.status = status
        self.event.set()


def wait_until(so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def locked(home: Home) -> Iterator[None]:
    """Somebody else holds the database's lock."""
    with closing(sqlite3.connect(home.path / "lynchpin.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


@contextmanager
def full(hub: Hub) -> Iterator[None]:
    """The disk is full: reading goes on, and so does every statement that needs no room."""
    with hub.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA max_page_count = 1").scalar_one()
    try:
        yield
    finally:
        with hub.engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages * 1000}")


def pending(hub: Hub) -> int:
    with hub.engine.begin() as connection:
        query = text("SELECT count(*) FROM message WHERE state = 'pending'")
        return connection.scalar(query) or 0


def test_work_that_hangs_ends_the_hub(hub: Hub) -> None:
    gate, ended = threading.Event(), Ended()
    with writing(hub) as writer, watched(writer, ended):
        writer.alone(gate.wait)
        assert ended.event.wait(PATIENCE_SECONDS)
        assert is_stalled(writer)
        gate.set()
        wait_until(lambda: not is_stalled(writer))
    assert ended.status == EXIT_STATUS


@pytest.mark.parametrize("why", ["locked", "full"])
def test_messages_that_cannot_be_settled_end_the_hub(hub: Hub, home: Home, why: str) -> None:
    with hub.engine.begin() as connection:
        body = [b"".join(poslog_writer.sales(100, seed=1))]
        take_in(connection, hub.door("poslog"), body, name="day.xml", now=hub.now())
    ended = Ended()
    trouble = locked(home) if why == "locked" else full(hub)
    with trouble, writing(hub) as writer, watched(writer, ended):
        assert ended.event.wait(PATIENCE_SECONDS)
    with writing(hub) as writer:
        wait_until(lambda: not pending(hub))
        wait_until(lambda: not is_stalled(writer))


def test_who_has_nothing_to_do_does_not_stall(hub: Hub) -> None:
    ended = Ended()
    with writing(hub) as writer, watched(writer, ended):
        writer.submit(lambda connection: connection.scalar(text("SELECT 1"))).result()
        wait_until(lambda: writer.stalled_for == 0)
        assert not ended.event.wait(2 * STALL_SECONDS)


def test_long_work_that_gets_on_does_not_stall(hub: Hub) -> None:
    with writing(hub) as writer:
        waited = writer.alone(lambda: before_and_after(hub, writer)).result()
    assert waited[1] < waited[0]


def before_and_after(hub: Hub, writer: Writer) -> tuple[float, float]:
    """For how long it has been stalled before a statement, and after it."""
    wait_until(lambda: writer.stalled_for > STALL_SECONDS)
    before = writer.stalled_for
    with hub.engine.begin() as connection:
        connection.execute(message.select().limit(1))
    return before, writer.stalled_for

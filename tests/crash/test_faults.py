"""The short forms of ``make faults``: harmed while a store sends, a hub holds what was sold, once
and in order. Beside it stands one without the guard that stands against the harm: the same turns it
red.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import make_url

from faults.disk import failing, filled, small_disk
from faults.down import down
from faults.harm import FAULTS, suffered
from faults.house import House, Sender
from faults.ledger import FILE, Verdict, content, judge
from faults.server import open_server, start_server, stop_server

if TYPE_CHECKING:
    from faults.harm import Fault

CUT = 800
DISK_MB = 64
TOLD = 60
STOPS = 3
NOBODYS = 99
"""A file that counts for nothing."""


@contextmanager
def stores(*houses: House) -> Iterator[list[Sender]]:
    """A store for each of these, whose hub runs until the block ends."""
    with ExitStack() as stack:
        senders = [Sender(house, 0) for house in houses]
        for sender in senders:
            stack.callback(sender.close)
            stack.callback(sender.house.kill)
            sender.house.start()
        yield senders


def house(folder: Path, variant: str, database: str | None = None) -> House:
    folder.mkdir()
    return House(folder, variant, database)


def send(number: int, *stores: Sender) -> None:
    """Each sends the file until it is acknowledged."""
    body = content(number)
    for store in stores:
        while not store.sends(number, body):
            store.house.start()
            time.sleep(0.05)


def found(store: Sender, *files: int) -> Verdict:
    """What the hub holds of these files, killed once it has nothing left to settle."""
    while not store.house.settled():
        store.house.start()
        time.sleep(0.05)
    store.house.kill()
    return judge(store.house.home, store.house.database, files)


def both(fault: Fault, suffer: Callable[[str], Verdict]) -> tuple[Verdict, Verdict]:
    """What comes of a hub as it is, and meanwhile of one without its guard."""
    with ThreadPoolExecutor() as threads:
        whole, broken = threads.map(suffer, ("as it is", fault.control))
    return whole, broken


def test_answers_that_are_cut_after_the_commit_double_nothing() -> None:
    fault = FAULTS["cut"]
    whole, broken = both(fault, lambda variant: suffered(fault, CUT, variant=variant))
    assert (whole.messages, whole.is_clean) == (CUT, True)
    assert whole.harms > 0
    assert broken.doubled > 0


def test_a_disk_that_is_full_or_fails_takes_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    assert FAULTS["full"].control == FAULTS["eio"].control
    with small_disk(tmp_path / "disk", DISK_MB) as disk:
        houses = [house(disk / name, name) for name in ("as it is", FAULTS["full"].control)]
        with stores(*houses) as (whole, broken):
            send(0, whole, broken)
            with filled(disk):
                refused_and_lost(1, whole, broken)
            send(1, whole)
            with failing(*(each.process.pid for each in houses if each.process)):
                refused_and_lost(2, whole, broken)
            send(2, whole)
            send(3, whole, broken)
            assert found(whole, *range(4)) == Verdict(4 * FILE, 0, 0, 0)
            assert found(broken, 1, 2).lost == 2 * FILE


def refused_and_lost(number: int, whole: Sender, broken: Sender) -> None:
    """A file comes while nothing can be kept."""
    assert not whole.sends(number, content(number))
    assert broken.sends(number, content(number))
    # The next one is looked at when the commit of this one has failed.
    assert broken.sends(NOBODYS, content(NOBODYS))


def test_a_server_that_is_stopped_at_once_takes_nothing_that_was_acknowledged(
    tmp_path: Path,
) -> None:
    fault = FAULTS["server"]
    files = range(STOPS + 1)
    with open_server() as server:
        houses = [
            house(tmp_path / name, name, database_of(server, f"lynchpin_{number}"))
            for number, name in enumerate(("as it is", fault.control))
        ]
        with stores(*houses) as (whole, broken):
            send(0, whole, broken)
            for number in files[1:]:
                send(number, whole, broken)
                stop_server(server)
                assert not whole.sends(NOBODYS, content(NOBODYS))
                start_server(server)
            assert found(whole, *files) == Verdict(len(files) * FILE, 0, 0, 0)
            assert found(broken, *files).lost > 0


def database_of(server: Any, name: str) -> str:
    """A database of this server that nobody else has."""
    address = str(server.get_uri())
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return make_url(address).set(database=name).render_as_string(hide_password=False)


def test_a_destination_that_is_down_for_days_is_told_all_in_order(tmp_path: Path) -> None:
    fault = FAULTS["down"]

    def suffer(variant: str) -> Verdict:
        folder = tmp_path / variant
        folder.mkdir()
        return down(folder, TOLD, variant, Random(variant))

    whole, broken = both(fault, suffer)
    assert whole == Verdict(TOLD, 0, 0, 0, harms=1)
    assert broken.lost > 0

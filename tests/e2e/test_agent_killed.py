"""kill -9 of agent and hub while files arrive: in the end the hub has what an undisturbed one has.

The controls are red: an agent that deletes before the hub's commit, a hub that acknowledges before
its commit.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

import pytest

from hub.demo import poslog_writer, till
from hub.demo.ledger import tally
from hub.demo.retailer import NEW_YORK
from tests.e2e.conftest import House
from tests.e2e.store import AGENT, DELETED, VARIANT, Store, asked, is_settled, wait_until
from tests.e2e.variant import WORST

SEED = 4
HUB: Sequence[str | Path] = (Path(sys.executable).with_name("lynchpin"), "up")
HUB_KILLS, AGENT_KILLS = 15, 35
LIFE_SECONDS_MAX = 20
PORTION = 5
PACE = 10
"""Entries in a file of till 31."""
EXTRA = 120
"""Ordinary sales of each till."""
CAPTURES = {"log": "", "parts": DELETED}
END = b"</POSLog>"


@contextmanager
def hub(
    house: House, port: int, command: Sequence[str | Path] = HUB
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the hub, killed -9 at the end. Nobody waits for it to listen."""
    environment = {**os.environ, "LYNCHPIN_HOME": str(house.home)}
    with (house.folder / "hub.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)], env=environment, stderr=log, cwd=house.folder
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


def day(store: Store) -> Iterator[None]:
    """Write a day, piece by piece: each till in its own way, all in the order of the clock.

    Till 1 writes a file for each entry, till 2 one log that grows by pieces of any size, till 31 a
    file now and then.
    """
    dice = Random(SEED)
    entries = till.day(NEW_YORK, seed=SEED, extra=EXTRA)
    written: dict[str, list[bytes]] = {name: [] for name in NEW_YORK.tills}
    head = b"".join(poslog_writer.document([], dialect="v2")).removesuffix(END)
    open_end = b""
    with (store.drop("log") / "day.xml").open("wb", buffering=0) as log:
        log.write(head)
        for entry in entries:
            content = poslog_writer.transaction(entry)
            mine = written[entry.till]
            mine.append(content)
            if entry.till == "1":
                store.put(f"{len(mine):04}.xml", _document(mine[-1:]), "parts")
            elif entry.till == "2":
                open_end += content
                size = dice.randrange(len(open_end) + 1)
                log.write(open_end[:size])
                open_end = open_end[size:]
            elif len(mine) % PORTION == 0:
                store.put(f"part-{len(mine):04}.xml", _document(mine[-PORTION:]), "parts")
            yield
        log.write(open_end + END)
    rest = written["31"][len(written["31"]) // PORTION * PORTION :]
    if rest:
        store.put("part-last.xml", _document(rest), "parts")


def _document(entries: Sequence[bytes]) -> bytes:
    return b"".join(poslog_writer.document(entries, dialect="v2"))


def state(house: House) -> dict[str, Any]:
    """All that two hubs must have in common that were told of the same day."""
    return {
        "export": house.export(),
        "kinds": asked(
            house.home, "SELECT kind, count(*) FROM document GROUP BY kind ORDER BY kind"
        ),
        "held": house.held(),
        "gaps": json.loads(house.lynchpin("store", "gaps", "--json").stdout),
    }


def finish(house: House, store: Store, port: int) -> None:
    """Let both run until nothing is left to do."""
    log = store.folder / "agent.log"
    before = log.stat().st_size if log.exists() else 0
    with hub(house, port), store.agent() as agent:
        # Nothing may be left to do from the first, and who is not up yet cannot stop in order.
        wait_until(lambda: b"watching" in log.read_bytes()[before:], "the agent does not start")
        wait_until(store.is_done, "the agent does not get through")
        wait_until(lambda: is_settled(house.home), "the hub does not settle")
        agent.terminate()
        assert agent.wait() == 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, empty_home: Path) -> dict[str, Any]:
    """The state of a hub that got the files of the day at once, and by no agent."""
    house = House(tmp_path_factory.mktemp("undisturbed"))
    shutil.copytree(empty_home, house.home)
    store = Store(house.folder, "http://127.0.0.1:1", "none", CAPTURES)
    for _ in day(store):
        pass
    house.receive("poslog", *(file for name in CAPTURES for file in store.drop(name).iterdir()))
    found = state(house)
    counted = tally(till.day(NEW_YORK, seed=SEED, extra=EXTRA))
    expected = [("Control", counted.controls), ("Transaction", counted.transactions)]
    assert (found["kinds"], found["held"], found["gaps"]) == (expected, [], [])
    return found


def test_killed_at_random_while_files_arrive_the_hub_ends_as_if_undisturbed(
    fresh: Callable[[], House], port: int, whole: dict[str, Any]
) -> None:
    house = fresh()
    store = a_store(house, port)
    closed = Event()
    with ThreadPoolExecutor() as threads:
        hubs = threads.submit(hub_lives, house, port, closed)
        agents = threads.submit(agent_lives, store, closed)
        dice = Random("till")
        had = 0
        for entry, _ in enumerate(day(store), start=1):
            until = time.monotonic() + (LIFE_SECONDS_MAX if entry % PACE == 0 else 0)
            # A till is never so far ahead that all comes to the hub within one life.
            while not hubs.done() and records(house) == had and time.monotonic() < until:
                time.sleep(0.05)
            had = records(house) if entry % PACE == 0 else had
            if not (hubs.done() and agents.done()):
                time.sleep(dice.uniform(0, 0.25))
        closed.set()
    assert len({*hubs.result()}) > 2, "the moments were all the same"
    assert len(hubs.result()) + agents.result() == HUB_KILLS + AGENT_KILLS
    finish(house, store, port)
    assert state(house) == whole
    listed = json.loads(house.lynchpin("store", "list", "--json").stdout)
    # Nothing was ever missing on either side, so nobody had to begin anew.
    assert [(one["pending"], one["epochs"], one["refused"]) for one in listed] == [(0, 1, 0)] * 2
    assert store.spooled("SELECT count(*) FROM lane WHERE forgotten IS NOT NULL") == [(0,)]


def a_store(house: House, port: int, keep_days: int = 14) -> Store:
    key = house.key("source", "--source", "poslog")
    return Store(house.folder, f"http://127.0.0.1:{port}", key, CAPTURES, keep_days)


def records(house: House) -> int:
    """How many the hub has."""
    return sum(row[0] for row in asked(house.home, "SELECT count(*) FROM record"))


def hub_lives(house: House, port: int, closed: Event) -> list[int]:
    """Start it and kill it, again and again; how many records it had each time."""
    dice = Random("hub")
    had: list[int] = []
    looks: Sequence[Callable[[], object]] = (
        lambda: records(house),
        lambda: asked(house.home, "SELECT count(*) FROM message WHERE state != 'pending'"),
    )
    for number in range(HUB_KILLS):
        with hub(house, port) as process:
            live(dice, number, looks, closed)
        assert process.returncode == -signal.SIGKILL
        had.append(records(house))
    return had


def agent_lives(store: Store, closed: Event) -> int:
    """Start it and kill it; how often that was."""
    dice = Random("agent")
    looks = (
        lambda: store.spooled("SELECT sum(number) FROM lane"),
        lambda: store.spooled("SELECT sum(committed) FROM lane"),
    )
    for number in range(AGENT_KILLS):
        with store.agent() as process:
            live(dice, number, looks, closed)
        assert process.returncode == -signal.SIGKILL
    return AGENT_KILLS


def live(dice: Random, number: int, looks: Sequence[Callable[[], object]], closed: Event) -> None:
    """Until a random moment. One life in three ends anywhere; the others, as long as the store is
    not closed, soon after a look has shown something new.
    """
    if number % 3 == 0:
        time.sleep(dice.uniform(0, 2))
        return
    look = looks[number % len(looks)]
    before, until = look(), time.monotonic() + LIFE_SECONDS_MAX
    while look() == before and not closed.is_set() and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(dice.uniform(0, 0.3))


@pytest.mark.parametrize(
    ("who", "variant", "is_whole"),
    [
        ("agent", "held", True),
        ("agent", "early", False),
        ("hub", "held", True),
        ("hub", "early", False),
    ],
)
def test_killed_at_the_worst_moment_all_is_there_thanks_to_its_guard(
    fresh: Callable[[], House],
    port: int,
    whole: dict[str, Any],
    who: str,
    variant: str,
    is_whole: bool,  # noqa: FBT001
) -> None:
    """The controls: with its guard removed, the same kill turns the same checks red."""
    house = fresh()
    # What is kept for a hub that was restored would mend this as well.
    store = a_store(house, port, keep_days=0)
    for _ in day(store):
        pass
    program = [*VARIANT, who, variant]
    with (
        hub(house, port, program if who == "hub" else HUB),
        store.agent(program if who == "agent" else AGENT),
    ):
        log = (house.folder if who == "hub" else store.folder) / f"{who}.log"
        wait_until(lambda: WORST in log.read_text(), "the worst moment does not come")
        if variant == "early":
            wait_until(store.committed, "the agent is not told")
    finish(house, store, port)
    assert (state(house) == whole) is is_whole

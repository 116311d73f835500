"""A restored agent, and a restored hub: each gets from the other what it lacks."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from dataclasses import replace

import pytest

from schemas.problem import Unavailable
from store_agent import kept
from store_agent.home import Home
from store_agent.spool import Spool
from tests.store_agent.conftest import FakeHub, FakeTime
from tests.store_agent.test_lane import NOW, Agent, agent, sent
from tests.store_agent.test_spool import entry

__all__ = ["agent"]


def test_two_agents_on_copies_of_one_spool_lose_nothing(
    agent: Agent, hub: FakeHub, home: Home, time: FakeTime, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A box restored from an image goes on counting where its twin has counted already."""
    agent.capture(1, 2)
    agent.lane.open()
    agent.drain()
    twin_home = Home(tmp_path_factory.mktemp("twin") / "home")
    shutil.copytree(home.path, twin_home.path)
    agent.capture(3, 4)
    agent.drain()
    with closing(Agent(twin_home, time)) as twin:
        twin.capture(30, 40, 50)
        twin.lane.open()
        twin.drain()
        assert ("POST", 409) in hub.calls
        assert twin.spool.lane("log").epoch != agent.spool.lane("log").epoch
    agent.capture(5)
    agent.drain()
    assert sorted(sent(hub)) == [1, 2, 3, 4, 5, 30, 40, 50]


def test_a_restored_spool_behind_the_hub_begins_anew_before_it_sends(
    agent: Agent, hub: FakeHub, home: Home, time: FakeTime, tmp_path_factory: pytest.TempPathFactory
) -> None:
    agent.capture(1)
    agent.lane.open()
    agent.drain()
    old = Home(tmp_path_factory.mktemp("old") / "home")
    shutil.copytree(home.path, old.path)
    agent.capture(*range(2, 20))
    agent.drain()
    with closing(Agent(old, time)) as restored:
        restored.capture(100)
        restored.lane.open()
        restored.drain()
        assert restored.problem() is None
    assert sent(hub) == [*range(1, 20), 100]
    assert ("POST", 409) not in hub.calls


@pytest.mark.parametrize("notices", ["when it starts", "by the gap", "by its sign of life"])
def test_a_restored_hub_gets_again_what_it_lacks(agent: Agent, hub: FakeHub, notices: str) -> None:
    agent.capture(*range(25))
    agent.lane.open()
    agent.drain()
    (records,) = hub.stores.values()
    del records[13:]
    if notices == "when it starts":
        agent.lane.open()
    elif notices == "by the gap":
        agent.capture(25)
    else:
        agent.time.sleep(61)
    agent.drain()
    agent.drain()
    last = 26 if notices == "by the gap" else 25
    assert sent(hub) == list(range(last)), "in order, and nothing that it had"
    assert agent.problem() is None


def test_a_hub_that_says_it_was_restored_is_asked_for_every_epoch(
    agent: Agent, hub: FakeHub
) -> None:
    agent.capture(*range(5))
    agent.lane.open()
    agent.drain()
    agent.spool.begin_epoch("log")
    (records,) = hub.stores.values()
    del records[3:]
    agent.capture(5)
    hub.life = "another"
    agent.drain()
    # What the hub has of the epoch of now is all that it should have; of the one before it lacks 3
    # and 4. What comes behind them comes again, to be known by its content.
    assert sent(hub) == [0, 1, 2, 5, 3, 4, 5]
    assert agent.problem() is None


def test_what_is_not_kept_any_more_is_told_of_loudly(agent: Agent, hub: FakeHub) -> None:
    agent.capture(*range(5))
    agent.lane.open()
    agent.drain()
    (records,) = hub.stores.values()
    del records[3:]
    with agent.spool._database.writing() as write:
        kept.let_go(write, now="2031-05-21T08:00:00.000000Z", days=14)
    assert agent.spool.kept("log") == {}
    agent.capture(5)
    agent.lane.open()
    assert agent.problem() == "LP-AGENT-014"
    agent.drain()
    assert agent.problem() == "LP-AGENT-014", "it stays until somebody has dealt with it"
    assert sent(hub) == [0, 1, 2, 5]
    agent.spool.forget("log", since_ns=1 << 60)
    assert agent.problem() is None


def test_another_hub_gets_what_is_kept_and_is_not_said_to_have_forgotten_the_rest(
    agent: Agent, hub: FakeHub
) -> None:
    agent.capture(*range(3))
    agent.lane.open()
    agent.drain()
    with agent.spool._database.writing() as write:
        write("DELETE FROM kept WHERE seq = 1")
    hub.stores.clear()
    agent.spool.join("log", "http://elsewhere")
    agent.lane.open()
    agent.drain()
    assert sent(hub) == [1, 2]
    assert agent.problem() is None


def test_a_disk_that_is_short_lets_go_of_what_is_kept_first(
    home: Home, hub: FakeHub, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_GO_AT_ONCE", 10)
    with closing(Agent(home, time)) as agent:
        noise = [replace(entry(n), payload=os.urandom(100_000)) for n in range(120)]
        agent.spool.add("log", noise, now=NOW)
        agent.lane.open()
        agent.drain()
        size = home.spool.stat().st_size
    short = Spool(home, ["log"], free_mb_min=1 << 40)
    with closing(short):
        short.add("log", [entry(1)], now=NOW)
        (first,) = short.kept("log").values()
        assert 20 < first < 60
        assert home.spool.stat().st_size == size
        with short._database.writing() as write:
            write("DELETE FROM kept")
            write("CREATE TABLE filler AS SELECT zeroblob(12000000)")
        with pytest.raises(Unavailable, match="LP-AGENT-006"):
            short.add("log", [entry(2)], now=NOW)

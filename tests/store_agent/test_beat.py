"""Signs of life: an agent with nothing to ship is not silent, and no record waits for that."""

# ruff: noqa: F811 - a fixture of another module

from __future__ import annotations

from typing import TYPE_CHECKING

from store_agent.link import Link
from tests.store_agent.test_lane import agent, faults, sent  # noqa: F401

if TYPE_CHECKING:
    from tests.store_agent.conftest import FakeHub
    from tests.store_agent.test_lane import Agent


def test_an_agent_with_nothing_to_ship_says_so_at_once_and_each_minute(
    agent: Agent, hub: FakeHub
) -> None:
    agent.lane.open()
    beats = []
    for _ in range(180):
        agent.drain()
        beats.append(hub.calls.count(("POST", 200)))
        agent.time.sleep(1)
    assert (beats[0], beats[59], beats[60], beats[-1]) == (1, 1, 2, 3)
    assert sent(hub) == []


def test_what_ships_needs_no_other_sign_of_life(agent: Agent, hub: FakeHub) -> None:
    agent.lane.open()
    for number in range(5):
        agent.capture(number)
        agent.drain()
        agent.time.sleep(59)
    agent.drain()
    assert hub.calls.count(("POST", 200)) == 5


def test_a_record_does_not_wait_for_a_sign_of_life_that_failed(agent: Agent, hub: FakeHub) -> None:
    faults(hub, "away")
    agent.lane.open()
    agent.drain()
    assert agent.problem() == "LP-AGENT-011"
    agent.capture(1)
    agent.drain()
    assert agent.slept == []
    assert sent(hub) == [1]
    assert agent.problem() is None


def test_a_sign_of_life_that_arrives_ends_the_problem(agent: Agent, hub: FakeHub) -> None:
    faults(hub, "away")
    agent.lane.open()
    agent.drain()
    agent.time.sleep(60)
    agent.drain()
    assert agent.problem() is None


def test_a_record_does_not_wait_for_a_sign_of_life_that_is_left_unanswered(
    agent: Agent, hub: FakeHub
) -> None:
    agent.link.close()
    agent.link = Link(agent.settings, agent.time.clock, beat_timeout_seconds=0.2)
    agent.lane = agent.new_lane()
    # Until the test has ended, or for a minute.
    faults(hub, "slow")
    agent.lane.open()
    agent.drain()
    assert agent.problem() == "LP-AGENT-011"
    agent.capture(1)
    agent.drain()
    assert agent.slept == []
    assert sent(hub) == [1]
    assert agent.problem() is None
    assert hub.calls == [("GET", 200), ("POST", 200)]

"""A lane, against a hub on a real socket that fails in every way a hub can."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from connectors import registry
from schemas.problem import Denied, Refused
from store_agent import status
from store_agent.folder import Folder
from store_agent.home import Home, create
from store_agent.lane import Lane, Limits
from store_agent.link import Link
from store_agent.settings import read
from store_agent.spool import Spool
from tests.store_agent.conftest import FakeHub, FakeTime, log, write_settings
from tests.store_agent.test_spool import entry

NOW = "2031-05-06T08:00:00.000000Z"


class Agent:
    """Spool, link and lane of one home; time passes only while it sleeps."""

    def __init__(self, home: Home, time: FakeTime) -> None:
        self.home, self.time = home, time
        self.settings = read(home)
        self.stopping = threading.Event()
        self.spool = Spool(home, ["log"])
        self.link = Link(self.settings, time.clock)
        self.slept: list[float] = []
        self.lane = self.new_lane()

    def new_lane(self, *, records: int = 10) -> Lane:
        return Lane(
            "log",
            spool=self.spool,
            link=self.link,
            clock=self.time.clock,
            stopping=self.stopping,
            beat_seconds=self.settings.beat_seconds,
            sleep=self.sleep,
            limits=Limits(records=records),
        )

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time.sleep(seconds)

    def capture(self, *numbers: int) -> None:
        self.spool.add("log", [entry(number) for number in numbers], now=NOW)

    def drain(self) -> None:
        while self.lane.ship():
            pass

    def problem(self) -> str | None:
        (capture,) = status.read(self.home, self.settings).captures
        return capture.problems[0].code if capture.problems else None

    def close(self) -> None:
        self.link.close()
        self.spool.close()


@pytest.fixture
def agent(home: Home, time: FakeTime) -> Iterator[Agent]:
    with closing(Agent(home, time)) as agent:
        yield agent


def sent(hub: FakeHub) -> list[int]:
    """The numbers of the sales that the hub has, in its order."""
    return [int(record.payload.split()[1]) for record in hub.arrived()]


def overheard(agent: Agent) -> list[str | None]:
    """What the status says each time that the lane waits."""
    said: list[str | None] = []
    sleep = agent.lane._sleep

    def heard(seconds: float) -> None:
        said.append(agent.problem())
        sleep(seconds)

    agent.lane._sleep = heard
    return said


def faults(hub: FakeHub, *answers: str | None, method: str = "POST") -> None:
    """Let the next calls fail like this; then all is well."""
    left = list(answers)

    def fault(called: str) -> str | None:
        return left.pop(0) if left and called == method else None

    hub.fault = fault


def test_records_arrive_in_order_and_are_gone_here(agent: Agent, hub: FakeHub) -> None:
    agent.capture(*range(25))
    agent.lane.open()
    agent.drain()
    assert sent(hub) == list(range(25))
    assert hub.calls == [("GET", 200), *[("POST", 200)] * 3]
    assert agent.spool.lane("log").committed == 25
    assert list(hub.stores) == [("store-0501.log", agent.spool.lane("log").epoch)]


def test_an_answer_cut_after_every_commit_doubles_nothing(agent: Agent, hub: FakeHub) -> None:
    turns = count()
    hub.fault = lambda method: "cut" if method == "POST" and next(turns) % 2 == 0 else None
    agent.capture(*range(100))
    agent.lane.open()
    agent.drain()
    assert sent(hub) == list(range(100))
    assert hub.calls.count(("POST", 0)) == 10


@pytest.mark.parametrize(
    "fault", ["503", "500", "502", "408", "425", "429", "302", "away", "portal"]
)
def test_what_is_no_answer_of_a_hub_is_tried_again(agent: Agent, hub: FakeHub, fault: str) -> None:
    faults(hub, fault, fault, fault)
    agent.capture(1)
    agent.lane.open()
    said = overheard(agent)
    agent.drain()
    assert said == ["LP-AGENT-011"] * 3
    assert agent.problem() is None
    assert sent(hub) == [1]


def test_a_hub_too_slow_to_answer_doubles_nothing(
    agent: Agent, hub: FakeHub, time: FakeTime
) -> None:
    faults(hub, "slow", "slow")
    agent.link.close()
    agent.link = Link(agent.settings, time.clock, timeout_seconds=0.2)
    agent.lane = agent.new_lane()
    agent.capture(1, 2)
    agent.lane.open()
    agent.drain()
    assert sent(hub) == [1, 2]
    assert len(agent.slept) == 2


def test_an_hour_away_with_five_thousand_files(agent: Agent, hub: FakeHub, drop: Path) -> None:
    back = agent.time.seconds + 3600
    hub.fault = lambda _method: "away" if agent.time.seconds < back else None
    capture = agent.settings.captures["log"]
    poslog = registry.load("poslog")
    folder = Folder("log", capture, spool=agent.spool, connector=poslog, clock=agent.time.clock)
    for number in range(5000):
        file = drop / f"{number:04}.xml"
        file.write_bytes(log(number))
        os.utime(file, (number, number))
    folder.scan()
    agent.lane = agent.new_lane(records=500)
    agent.lane.open()
    agent.drain()
    assert agent.time.seconds >= back
    assert [record.payload for record in hub.arrived()] == [log(n) for n in range(5000)]
    assert max(agent.slept) <= 60
    assert len(set(agent.slept)) > 20, "the waits have no jitter"


def test_the_hub_paces(agent: Agent, hub: FakeHub) -> None:
    faults(hub, "503 120", "429 Tue, 06 May 2031 08:10:00 GMT", "503 99999999")
    agent.capture(1)
    agent.lane.open()
    agent.drain()
    first, second, third = agent.slept
    assert 120 <= first <= 180
    assert first + second >= 600
    assert 3600 <= third <= 3660, "a hub cannot send an agent away for years"


def test_an_answer_about_something_else_acknowledges_nothing(
    agent: Agent, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = hub.post
    wrong = [{"epoch": "other"}, {"capture": "store-0502.log"}, {"committed": "1"}]

    def answer(capture: str, body: bytes) -> tuple[int, dict[str, object]]:
        code, told = post(capture, body)
        return code, {**told, **(wrong.pop() if wrong else {})}

    monkeypatch.setattr(hub, "post", answer)
    agent.capture(1)
    agent.lane.open()
    agent.drain()
    assert len(agent.slept) == 3
    assert sent(hub) == [1]


def test_a_batch_that_is_too_large_is_halved(agent: Agent, hub: FakeHub) -> None:
    hub.records_max = 3
    agent.capture(*range(20))
    agent.lane.open()
    agent.drain()
    assert sent(hub) == list(range(20))
    assert hub.calls.count(("POST", 413)) == 2


@pytest.mark.parametrize("answer", ["401", "403"])
def test_a_key_that_is_not_let_in_pauses_the_lane(agent: Agent, hub: FakeHub, answer: str) -> None:
    faults(hub, answer, answer)
    agent.capture(1)
    agent.lane.open()
    with pytest.raises(Denied, match="LP-AGENT-012"):
        agent.lane.ship()
    agent.capture(2)
    stop_when_idle(agent)
    agent.lane.run()
    assert sent(hub) == [1, 2]
    assert 300 in agent.slept


@pytest.mark.parametrize("answer", ["400", "404", "422", "413"])
def test_what_the_hub_refuses_waits_for_a_person(agent: Agent, hub: FakeHub, answer: str) -> None:
    faults(hub, *[answer] * 4)
    agent.capture(1)
    agent.lane.open()
    with pytest.raises(Refused):
        agent.lane.ship()
    seen = overheard(agent)
    stop_when_idle(agent)
    agent.lane.run()
    assert seen[0] == "LP-AGENT-013"
    assert seen[-1] is None
    assert sent(hub) == [1]


def stop_when_idle(agent: Agent) -> None:
    sleep = agent.lane._sleep

    def watched(seconds: float) -> None:
        sleep(seconds)
        if not agent.spool.batch("log", records_max=1, bytes_max=1, now=NOW).records:
            agent.stopping.set()

    agent.lane._sleep = watched


def test_a_record_refused_for_good_does_not_hold_up_the_others(agent: Agent, hub: FakeHub) -> None:
    hub.refuse = lambda record: record.name == "2.xml"
    agent.capture(1, 2, 3)
    agent.lane.open()
    agent.drain()
    assert agent.spool.lane("log").committed == 3
    (capture,) = status.read(agent.home, agent.settings).captures
    assert [(one.file, one.code) for one in capture.files] == [("2.xml", "LP-DOOR-003")]
    assert capture.word == "needs help"


def test_a_stopped_lane_ends_at_once_while_the_hub_is_away(agent: Agent, hub: FakeHub) -> None:
    hub.fault = lambda _method: "away"
    agent.capture(1)
    lane = Lane(
        "log",
        spool=agent.spool,
        link=agent.link,
        clock=agent.time.clock,
        stopping=agent.stopping,
        beat_seconds=60,
    )
    thread = threading.Thread(target=lane.run)
    thread.start()
    while not hub.calls:
        agent.stopping.wait(0.01)
    agent.stopping.set()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert len(agent.spool.batch("log", records_max=9, bytes_max=1, now=NOW).records) == 1


def test_the_name_of_an_agent_and_its_capture_stand_in_the_address(
    agent: Agent, home: Home, hub: FakeHub
) -> None:
    assert agent.link.address("log") == f"{hub.url}/sources/poslog/captures/store-0501.log"
    other = Home(home.path / "other")
    create(other)
    write_settings(other, home.path, f"{hub.url}/lynchpin/")
    with closing(Link(read(other), agent.time.clock)) as link:
        assert link.address("log") == f"{hub.url}/lynchpin/sources/poslog/captures/store-0501.log"

"""Rates: who calls too often waits, everybody else does not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import keys
from hub.api.rate import Buckets, Limited, Rates
from hub.home import Home, create
from hub.keys import COMMAND_LINE
from hub.settings import Limits, read
from schemas.problem import ConfigError

if TYPE_CHECKING:
    from tests.hub.api.conftest import Serving


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _taken(buckets: Buckets, who: str, times: int) -> int:
    """How many of so many were let through."""
    count = 0
    for _ in range(times):
        try:
            buckets.take(who)
        except Limited:
            continue
        count += 1
    return count


def test_a_burst_then_the_steady_rate() -> None:
    clock = Clock()
    buckets = Buckets(per_second=2, burst=4, clock=clock)
    assert _taken(buckets, "a", 10) == 4
    clock.now += 1.5
    assert _taken(buckets, "a", 10) == 3
    clock.now += 1000
    assert _taken(buckets, "a", 10) == 4


def test_it_says_after_how_many_whole_seconds_the_next_is_let_through() -> None:
    clock = Clock()
    buckets = Buckets(per_second=0.2, burst=1, clock=clock)
    buckets.take("a")
    clock.now += 1
    with pytest.raises(Limited) as limited:
        buckets.take("a")
    assert limited.value.seconds == 4
    clock.now += limited.value.seconds
    buckets.take("a")


def test_one_caller_takes_nothing_from_another() -> None:
    buckets = Buckets(per_second=1, burst=1, clock=Clock())
    assert _taken(buckets, "a", 2) == 1
    assert _taken(buckets, "b", 2) == 1


def test_only_so_many_callers_are_remembered_and_the_longest_silent_is_forgotten() -> None:
    buckets = Buckets(per_second=1, burst=1, clock=Clock(), room=2)
    for who in ("a", "b"):
        buckets.take(who)
    assert _taken(buckets, "a", 1) == 0
    buckets.take("c")
    assert len(buckets._levels) == 2
    assert _taken(buckets, "a", 1) == 0
    assert _taken(buckets, "b", 1) == 1


@given(
    per_second=st.floats(0.1, 1000),
    steps=st.lists(st.floats(0, 10), min_size=1, max_size=50),
)
def test_never_more_than_the_burst_and_what_the_time_gave(
    per_second: float, steps: list[float]
) -> None:
    clock = Clock()
    buckets = Buckets(per_second=per_second, burst=max(1, 2 * per_second), clock=clock)
    taken = 0
    for step in steps:
        clock.now += step
        taken += _taken(buckets, "a", 3)
    assert taken <= buckets.burst + clock.now * per_second + 1e-6


def test_the_kinds_are_counted_apart_as_the_settings_say() -> None:
    rates = Rates.of(
        Limits(calls_per_second=3, records_per_second=5, denied_per_minute=7), clock=Clock()
    )
    bursts = {kind: _taken(buckets, "a", 100) for kind, buckets in rates.buckets.items()}
    assert bursts == {"calls": 6, "records": 10, "denied": 7}


def test_however_long_a_caller_is_called_little_of_it_is_kept() -> None:
    rates = Rates.of(Limits(), clock=Clock())
    rates.take("denied", "x" * 100_000)
    assert [len(name) for name in rates.buckets["denied"]._levels] == [100]


@pytest.mark.parametrize("wrong", ["call_per_second = 5", "calls_per_second = 0"])
def test_a_limit_that_is_none_is_refused(tmp_path: Path, wrong: str) -> None:
    home = Home(tmp_path / "home")
    create(home, ())
    home.settings.write_text(f"[limits]\n{wrong}\n")
    with pytest.raises(ConfigError) as refused:
        read(home)
    text = refused.value.problem.line()
    assert f"limits.{wrong.partition(' ')[0]}" in text
    assert ("did you mean 'calls_per_second'?" in text) == wrong.startswith("call_")


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Serving:
    """A hub that lets nearly nothing through, and nothing more in the time of a test."""
    monkeypatch.setenv("LYNCHPIN_LIMITS__CALLS_PER_SECOND", "0.001")
    monkeypatch.setenv("LYNCHPIN_LIMITS__RECORDS_PER_SECOND", "0.001")
    monkeypatch.setenv("LYNCHPIN_LIMITS__DENIED_PER_MINUTE", "2")
    serving: Serving = request.getfixturevalue("serving")
    return serving


def test_who_calls_too_often_is_told_when_to_come_again(strict: Serving) -> None:
    assert strict.call("reader", "GET", "/orders").status_code == 200
    answer = strict.call("reader", "GET", "/orders")
    assert (answer.status_code, answer.json()["code"]) == (429, "LP-API-020")
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"] == "application/problem+json"
    assert strict.call("agent", "GET", "/orders").status_code == 200


def test_records_are_counted_by_key_and_nothing_of_the_refused_is_kept(strict: Serving) -> None:
    assert strict.send(b"<POSLog/>").status_code != 429
    kept = strict.count("record")
    assert strict.send(b"<POSLog/>").status_code == 429
    assert strict.count("record") == kept


def test_without_a_key_that_holds_there_are_few_tries(strict: Serving) -> None:
    tries = [strict.call(None, "GET", "/orders").status_code for _ in range(4)]
    assert tries == [401, 401, 429, 429]
    # Whoever has a key is not held up by others at the same address.
    assert strict.call("reader", "GET", "/orders").status_code == 200
    assert strict.call(None, "GET", "/health/live").status_code == 200


def _command_line(serving: Serving) -> str:
    """A role that calls with the key of the command line."""
    now = serving.hub.now()
    made = serving.writer.submit(
        lambda connection: keys.create(connection, COMMAND_LINE, "operator", actor="hub", now=now)
    )
    serving.keys[COMMAND_LINE] = made.result()[1]
    return COMMAND_LINE


def test_the_command_line_is_not_counted(strict: Serving) -> None:
    role = _command_line(strict)
    calls = [strict.call(role, "GET", "/orders").status_code for _ in range(5)]
    assert calls == [200] * 5


def test_metrics_count_who_was_denied_and_limited(strict: Serving) -> None:
    for _ in range(3):
        strict.call(None, "GET", "/orders")
    expected = {
        "lynchpin_requests_denied_total 2.0",
        "lynchpin_requests_limited_total 1.0",
        "lynchpin_connections_open 1.0",
        'lynchpin_request_seconds_count{method="GET",route="/orders",status="429"} 1.0',
    }
    role = _command_line(strict)
    found: set[str] = set()
    # A call is counted, and its connection closed, when its caller has the answer already.
    while not expected <= found:
        found = set(strict.call(role, "GET", "/metrics").text.splitlines())
        assert "lynchpin_requests_denied_total 3.0" not in found

"""Several hubs on one PostgreSQL: a job is done by one of them at a time, and never twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from hub import bootstrap
from hub.bootstrap import Hub
from hub.home import Home
from hub.jobs.ask import Ask
from hub.store.tables import job as table
from tests import postgres
from tests.hub.jobs.conftest import (
    ORDERS,
    SALES,
    due,
    exported,
    filled,
    hand,
    job,
    started,
)

Hubs = tuple[tuple[Hub, Engine], tuple[Hub, Engine]]


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hubs]:
    """Two hubs, each with a home of its own, on one database."""
    with ExitStack() as stack:
        url = stack.enter_context(postgres.database())
        address = url.render_as_string(hide_password=False)
        monkeypatch.setenv("LYNCHPIN_DATABASE_URL", address)
        homes = Home(tmp_path / "one"), Home(tmp_path / "two")
        for home in homes:
            bootstrap.create(home)
        one = next(filling := filled(homes[0], tmp_path))
        stack.callback(filling.close)  # type: ignore[attr-defined]
        two = stack.enter_context(bootstrap.open_hub(homes[1]))
        engines = one.reader(), two.reader()
        for engine in engines:
            stack.callback(engine.dispose)
        yield (one, engines[0]), (two, engines[1])


def test_a_job_that_one_hub_is_at_is_left_alone_until_its_time_is_over(both: Hubs) -> None:
    one, two = both
    due(one[0])
    number = started(one[0], Ask(all=True))
    first, second = hand(*one), hand(*two)
    assert first.step() is not None
    assert second.step() is None
    with two[0].engine.begin() as connection:
        connection.execute(update(table).values(until_ms=0))
    taken = second.step()
    assert taken is not None
    assert taken.done == 6
    # The first one was only slow: it has looked up what comes next, and finds that it is not its.
    assert first.step() is None
    while second.step() is not None:
        pass
    found = job(one[0], number)
    assert (found.state, found.done, found.remade) == ("done", ORDERS + SALES, ORDERS)
    assert found.unchanged == 1 + SALES


def test_two_that_take_turns_at_one_job_do_every_message_once(both: Hubs) -> None:
    """However they meet: each step looks where the job is in its own transaction."""
    one, two = both
    due(one[0])
    number = started(one[0], Ask(all=True))
    hands = [hand(*one, seconds=0, batch=2), hand(*two, seconds=0, batch=3)]
    while [each for each in hands if each.step() is not None]:
        pass
    found = job(two[0], number)
    assert (found.done, found.remade, found.unchanged) == (ORDERS + SALES, ORDERS, 1 + SALES)
    before = exported(one[0])
    again = started(two[0], Ask(all=True))
    while [each for each in hands if each.step() is not None]:
        pass
    assert job(one[0], again).remade == 0
    assert exported(two[0]) == before


def test_another_job_is_free_meanwhile(both: Hubs) -> None:
    one, two = both
    numbers = [started(one[0], Ask(all=True)) for _ in range(2)]
    taken = [hand(*each).step() for each in (one, two)]
    assert [each and each.id for each in taken] == numbers

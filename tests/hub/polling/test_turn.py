"""No system is asked by two processes at once, and none is forgotten when one of them is killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select, update

from hub import bootstrap
from hub.bootstrap import Hub
from hub.bus import LeaseLost
from hub.polling.poller import Poller, polled_by
from hub.polling.turn import Turn
from hub.settle import settle_pending
from hub.store.tables import lease, message, poll
from tests import homes, postgres
from tests.hub.polling.conftest import described, of
from tests.hub.polling.shop import Call, Shop, open_shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop() as shop:
        yield shop


@pytest.fixture
def hubs(tmp_path: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Hub]]:
    """Two hubs, each with a home of its own, on one database, that poll the same shop."""
    with ExitStack() as stack:
        url = stack.enter_context(postgres.database())
        address = url.render_as_string(hide_password=False)
        monkeypatch.setenv("LYNCHPIN_DATABASE_URL", address)
        opened = []
        for name in ("one", "two"):
            home = homes.made(tmp_path / name)
            with home.settings.open("a") as settings:
                settings.write(described("shop", **of(shop, every_seconds=0.001)))
            opened.append(stack.enter_context(bootstrap.open_hub(home)))
        yield opened


def both_poll(hubs: list[Hub], shop: Shop, *, calls: int) -> None:
    """Both poll as fast as they can, until the shop was asked so often."""
    shop.per_page = 3
    shop.place(9)
    shop.before = lambda call: time.sleep(0.02)
    with ExitStack() as stack:
        pollers = [stack.enter_context(polled_by(hub, "shop")) for hub in hubs]
        threads = [threading.Thread(target=each.run) for each in pollers]
        for thread in threads:
            thread.start()
        try:
            until = time.monotonic() + 60
            while len(shop.calls) < calls:
                assert time.monotonic() < until
                assert any(thread.is_alive() for thread in threads)
                time.sleep(0.01)
        finally:
            for each in pollers:
                each.over.set()
            for thread in threads:
                thread.join()


def test_two_never_ask_at_once(hubs: list[Hub], shop: Shop) -> None:
    both_poll(hubs, shop, calls=60)
    assert shop.at_once_max == 1
    one = hubs[0]
    settle_pending(one.engine, one.bus, one.translator, one.now)
    with one.engine.begin() as connection:
        counts = select(message.c.state, func.count()).group_by(message.c.state)
        assert [tuple(row) for row in connection.execute(counts)] == [("applied", 9)]
        assert connection.scalar(select(func.count()).select_from(lease)) == 0


def test_control_without_turns_they_do(
    hubs: list[Hub], shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Turn, "take", lambda self, connection: True)
    monkeypatch.setattr(Turn, "confirm", lambda self, connection: None)
    both_poll(hubs, shop, calls=60)
    assert shop.at_once_max == 2


def _poller(stack: ExitStack, hub: Hub) -> Poller:
    found = stack.enter_context(polled_by(hub, "shop"))
    found.dice = Random(1)
    return found


def test_the_turn_of_one_that_was_killed_passes_on(hubs: list[Hub], shop: Shop) -> None:
    shop.place(2)
    with ExitStack() as stack:
        one, two = (_poller(stack, hub) for hub in hubs)
        # Killed: it has taken its turn, and nothing of it happens any more.
        assert one.keep(one.turn.take)
        assert two.round() == 0
        assert shop.calls == []
        with hubs[1].engine.begin() as connection:
            connection.execute(update(lease).values(until_ms=0))
        assert two.round() == 1
        assert len(shop.calls) == 1


def test_one_that_was_only_slow_keeps_nothing(hubs: list[Hub], shop: Shop) -> None:
    shop.place(2)
    with ExitStack() as stack:
        one, two = (_poller(stack, hub) for hub in hubs)

        def overtaken(call: Call) -> None:
            if len(shop.calls) == 1:
                with hubs[1].engine.begin() as connection:
                    connection.execute(update(lease).values(until_ms=0))
                assert two.keep(two.turn.take)

        shop.before = overtaken
        one.round()
        with hubs[0].engine.begin() as connection:
            assert connection.scalar(select(func.count()).select_from(message)) == 0
            row = connection.execute(select(poll)).mappings().one()
        assert (row["cursor"], row["failures"], row["polled_at"]) == (None, 0, None)
        # The turn is still the other's.
        with pytest.raises(LeaseLost), hubs[0].engine.begin() as connection:
            one.turn.confirm(connection)
        with hubs[1].engine.begin() as connection:
            two.turn.confirm(connection)

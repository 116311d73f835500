"""A hub that polls the stand-in of a shop."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from hub import bootstrap
from hub.bootstrap import Hub
from hub.home import Home
from hub.polling.poller import polled_by
from hub.polling.status import Status, polls
from hub.settle import settle_pending
from hub.store.tables import document, message, record
from tests.hub.polling.shop import TOKEN, Shop, open_shop


@dataclass
class Clock:
    """Stands still until it is told to go on."""

    at: datetime = datetime(2031, 1, 1, tzinfo=UTC)

    def __call__(self) -> str:
        return self.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(clock: Clock) -> Iterator[Shop]:
    with open_shop(lambda: clock.at) as shop:
        yield shop


ORDERS = {"path": "/orders.json", "items": "orders", "since": "updated_at_min"}
REFUNDS = {
    "path": "/refunds.json",
    "items": "refunds",
    "since": "created_at_min",
    "changed": "created_at",
}
NUMBERED = {
    "path": "/numbered.json",
    "items": "data.orders",
    "since": "updated_at_min",
    "pages": "number",
}
RECENT = {"since": "created_at_min", "window_seconds": 86_400, "every": 3}


def described(name: str, **chosen: Any) -> str:
    """A poll as the settings describe it."""
    lines = [f"{key} = {_toml(value)}" for key, value in chosen.items()]
    return "\n".join((f"[polls.{name}]", *lines, ""))


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {_toml(each)}' for key, each in value.items())}}}"
    return json.dumps(value)


def of(shop: Shop, **chosen: Any) -> dict[str, Any]:
    """A poll of the shop; of its orders, unless other streams are named."""
    preset = {
        "source": "shopify",
        "url": shop.url,
        "header": "X-Shop-Token",
        "secret": TOKEN,
        "allow_private": True,
        "streams": {"orders": ORDERS},
    }
    return {**preset, **chosen}


@dataclass
class Wired:
    """A hub that polls, by hand and not by itself."""

    hub: Hub
    clock: Clock
    shop: Shop
    close: Callable[[], None]
    dice: Random = field(default_factory=lambda: Random(1))

    def poll(self, name: str = "shop", *, settle: bool = True) -> None:
        """Read what is due of a poll, until nothing is."""
        with polled_by(self.hub, name) as poller:
            poller.dice = self.dice
            while poller.round():
                pass
        if settle:
            settle_pending(self.hub.engine, self.hub.bus, self.hub.translator, self.hub.now)

    def poll_later(self, seconds: float = 60, name: str = "shop") -> None:
        self.clock.pass_by(seconds)
        self.poll(name)

    def status(self, stream: str = "orders", name: str = "shop") -> Status:
        with self.hub.engine.begin() as connection:
            found = polls(connection, self.hub.settings.polls, self.hub.now())
        return next(each for each in found if (each.name, each.stream) == (name, stream))

    def messages(self) -> list[tuple[str, str | None]]:
        """State and fact of every message, in their order."""
        with self.hub.engine.begin() as connection:
            found = select(message.c.state, message.c.fact).order_by(message.c.id)
            return [(row[0], row[1]) for row in connection.execute(found)]

    def count(self, kind: str) -> int:
        """How many documents of this kind there are."""
        with self.hub.engine.begin() as connection:
            mine = document.c.kind == kind
            return connection.scalar(select(func.count()).select_from(document).where(mine)) or 0

    def records(self) -> int:
        with self.hub.engine.begin() as connection:
            return connection.scalar(select(func.count()).select_from(record)) or 0


@pytest.fixture
def wired(home: Home, clock: Clock, shop: Shop) -> Iterator[Callable[..., Wired]]:
    plain = home.settings.read_text()
    with ExitStack() as stack:

        def wire(**chosen: dict[str, Any]) -> Wired:
            """A hub with these polls; a second call opens it anew."""
            stack.close()
            told = [described(name, **of(shop, **each)) for name, each in chosen.items()]
            home.settings.write_text("\n".join((plain, *told)))
            hub = stack.enter_context(bootstrap.open_hub(home, now=clock))
            return Wired(hub, clock, shop, stack.close)

        yield wire

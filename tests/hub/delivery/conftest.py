"""A hub with destinations, and orders of the invented shop in as many versions as wanted."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, RowMapping, select

from hub import bootstrap
from hub.bootstrap import Hub
from hub.delivery.sender import Sender
from hub.delivery.status import Status, destinations
from hub.demo import shop, shop_writer
from hub.home import Home
from hub.receive import receive
from hub.store.tables import delivery
from hub.writer import Writer, writing
from tests.hub.delivery.receiver import Receiver, receiving

SECRET = "whsec_" + b64encode(b"planted secret of 32 bytes......").decode()


def described(name: str, **settings: Any) -> str:
    """A destination as the settings describe it."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    return "\n".join((f"[destinations.{name}]", *lines, ""))


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


@dataclass
class Opening:
    """Opens the hub of the home with these destinations; a second call opens it anew."""

    home: Home
    clock: Clock
    stack: ExitStack
    plain: str

    def __call__(self, **destinations: dict[str, Any]) -> Hub:
        self.close()
        preset = {"url": "https://crm.example.org/hook", "secrets": [SECRET]}
        told = [described(name, **{**preset, **said}) for name, said in destinations.items()]
        self.home.settings.write_text("\n".join((self.plain, *told)))
        return self.stack.enter_context(bootstrap.open_hub(self.home, now=self.clock))

    def close(self) -> None:
        self.stack.close()


@pytest.fixture
def opening(home: Home, clock: Clock) -> Iterator[Opening]:
    with ExitStack() as stack:
        yield Opening(home, clock, stack, home.settings.read_text())


def order(index: int = 0, *, version: int = 0, seed: int = 1) -> bytes:
    """An order of the invented shop; a later version has another note and a later time."""
    placed = list(shop.orders(index + 1, seed=seed))[index]
    body = json.loads(shop_writer.order(placed))
    body["note"] = f"version {version}"
    body["updated_at"] = f"2031-01-{version + 1:02}T00:00:00+01:00"
    return json.dumps(body).encode()


def received(hub: Hub, *contents: bytes, source: str = "shopify") -> None:
    """Take these files in, one after the other, settling each."""
    folder = hub.home.path.parent
    for content in contents:
        file = Path(folder / "received.json")
        file.write_bytes(content)
        receive(hub, source, [file], lambda count: None)


def told(hub: Hub, *columns: str) -> list[Any]:
    """These columns of every delivery; of one column, its values."""
    with hub.engine.begin() as connection:
        chosen = [delivery.c[name] for name in columns]
        found = connection.execute(select(*chosen).order_by(delivery.c.id)).all()
    return [row[0] if len(columns) == 1 else tuple(row) for row in found]


def rows(hub: Hub) -> list[RowMapping]:
    with hub.engine.begin() as connection:
        return list(connection.execute(select(delivery).order_by(delivery.c.id)).mappings())


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@dataclass
class Wired:
    """A hub with one destination, crm, which is the receiver."""

    hub: Hub
    clock: Clock
    receiver: Receiver
    readers: Engine
    dice: Random = field(default_factory=lambda: Random(1))

    def sender(self, writer: Writer) -> Sender:
        to = self.hub.settings.destinations["crm"]
        return Sender(writer, self.readers, "crm", to, dice=self.dice)

    def rounds(self) -> int:
        """Send until nothing is due any more; says how often something was."""
        with writing(self.hub) as writer:
            sender, count = self.sender(writer), 0
            while sender.round():
                count += 1
        return count

    def killed(self) -> bool:
        """Make one attempt whose answer the hub does not live to write down, if any is due."""

        class Killed(BaseException):
            pass

        with writing(self.hub) as writer:
            sender = self.sender(writer)
            post = sender.post

            def last(*said: Any) -> Any:
                post(*said)
                raise Killed

            sender.post = last
            try:
                sender.round()
            except Killed:
                return True
            return False

    def status(self) -> Status:
        with self.hub.engine.begin() as connection:
            (found,) = destinations(connection, self.hub)
        return found

    def until_done(self, step: float = 60, most: int = 20_000) -> None:
        for _ in range(most):
            self.rounds()
            if not any(state == "waiting" for state in told(self.hub, "state")):
                return
            self.clock.pass_by(step)
        raise AssertionError(told(self.hub, "state", "due_at"))


@pytest.fixture
def wired(opening: Opening, clock: Clock, receiver: Receiver) -> Iterator[Callable[..., Wired]]:
    engines = []

    def wire(**settings: Any) -> Wired:
        hub = opening(crm={"url": receiver.url, "allow_private": True, **settings})
        engines.append(hub.reader())
        return Wired(hub, clock, receiver, engines[-1])

    yield wire
    for engine in engines:
        engine.dispose()

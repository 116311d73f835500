"""Three hubs on one PostgreSQL, killed at random: every sale counts once, and nothing is lost.

The senders send again what was not acknowledged, to whichever hub is up, through any source.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random

import httpx2
import pytest
from sqlalchemy import Engine, func, select

from hub import bootstrap, keys
from hub.demo import poslog_writer, till
from hub.demo.ledger import tally
from hub.home import Home
from hub.store.database import open_database
from hub.store.tables import document, message
from tests import homes, postgres
from tests.crash.several import LEASE_SECONDS

SEVERAL = Path(__file__).with_name("several.py")
HUBS, FILES, KILLS = 3, 48, 4
SOURCES = ("tills_a", "tills_b", "tills_c")
SEED = 6


@dataclass
class Member:
    """A hub with a home of its own; it may be down."""

    home: Home
    variant: str
    process: subprocess.Popen[bytes] | None = None
    runs: int = 0

    @property
    def log(self) -> Path:
        return self.home.path.with_name(f"{self.home.path.name}-{self.runs}.log")

    def start(self) -> None:
        self.runs += 1
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, SEVERAL, self.variant, "up", "--port", "0"],
                env={**os.environ, "LYNCHPIN_HOME": str(self.home.path), "COLUMNS": "400"},
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def address(self) -> str | None:
        """Where it listens, once it does."""
        said = re.search(r"listening at (http://\S+)", self.log.read_text())
        return said[1] if said else None


@dataclass
class Retailer:
    """Hubs that share a database, and a key that is good at each of them."""

    members: list[Member]
    engine: Engine
    key: str

    def send(self, content: bytes, dice: Random) -> None:
        """Send a file until some hub has acknowledged it."""
        while True:
            address = dice.choice(self.members).address()
            source = dice.choice(SOURCES)
            if address is None:
                time.sleep(0.05)
                continue
            try:
                answer = httpx2.post(
                    f"{address}/sources/{source}/records",
                    content=content,
                    headers={"Authorization": f"Bearer {self.key}", "X-File-Name": "sales.xml"},
                    timeout=60,
                )
            except httpx2.HTTPError:
                continue
            if answer.is_success:
                return
            assert answer.status_code == 503, answer.text

    def states(self) -> Counter[str]:
        with self.engine.begin() as connection:
            found = select(message.c.state, func.count()).group_by(message.c.state)
            return Counter({row[0]: row[1] for row in connection.execute(found)})


@contextmanager
def retailer(folder: Path, variant: str) -> Iterator[Retailer]:
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        url = stack.enter_context(postgres.database())
        patch.setenv("LYNCHPIN_DATABASE_URL", url.render_as_string(hide_password=False))
        patch.setenv("LYNCHPIN_LEASE_SECONDS", str(LEASE_SECONDS))
        members = []
        for number in range(HUBS):
            home = homes.made(folder / f"home-{number}")
            more = (f'[sources.{n}]\nconnector = "poslog"\nsystem = "poslog"\n' for n in SOURCES)
            home.settings.write_text("\n".join((home.settings.read_text(), *more)))
            members.append(Member(home, variant))
        with bootstrap.open_hub(members[0].home) as hub, hub.engine.begin() as connection:
            _, key = keys.create(
                connection, "tills", "source", SOURCES, actor="test", now=hub.now()
            )
        engine = open_database(url, access="read")
        stack.callback(engine.dispose)
        for member in members:
            member.start()
            stack.callback(member.kill)
        yield Retailer(members, engine, key)


def _files() -> list[bytes]:
    return [poslog_writer.sale(index, seed=SEED) for index in range(FILES)]


def _answered_by_themselves(engine: Engine) -> int:
    """Messages that were settled twice: the second time found what the first had applied.

    One that came through another source may well be answered by a later one.
    """
    with engine.begin() as connection:
        wrong = select(func.count()).where(message.c.first_id == message.c.id)
        return connection.scalar(wrong) or 0


def _wait_until_settled(shop: Retailer) -> None:
    while shop.states()["pending"]:
        assert any(m.process and m.process.poll() is None for m in shop.members)
        time.sleep(0.1)


def test_killed_at_random_three_hubs_count_every_sale_once(tmp_path: Path) -> None:
    dice = Random("several")
    with retailer(tmp_path, "slow") as shop:
        kills = dict.fromkeys(range(FILES // KILLS, FILES + 1, FILES // KILLS))
        for number, content in enumerate(_files(), 1):
            shop.send(content, dice)
            if dice.random() < 0.2:
                shop.send(content, dice)
            if number in kills:
                victim = dice.choice(shop.members)
                victim.kill()
                victim.start()
            time.sleep(dice.random() * 0.1)
        _wait_until_settled(shop)
        assert _answered_by_themselves(shop.engine) == 0
        states = shop.states()
        assert set(states) == {"applied", "duplicate"}
        with shop.engine.begin() as connection:
            rows = connection.execute(select(document.c.currency, document.c.revenue)).all()
        ledger = tally(till.sales(FILES, seed=SEED))
        assert len(rows) == states["applied"] == ledger.transactions == FILES
        totals = {currency: Decimal(0) for currency, _ in rows}
        for currency, revenue in rows:
            totals[currency] += Decimal(revenue)
        assert totals == ledger.totals
        for member in shop.members:
            while member.address() is None:
                time.sleep(0.05)
            assert member.process is not None
            member.process.send_signal(signal.SIGTERM)
        assert [m.process and m.process.wait(60) for m in shop.members] == [0] * HUBS


def test_hubs_that_do_not_look_at_their_lease_settle_messages_twice(tmp_path: Path) -> None:
    """The control: the check above is red."""
    dice = Random("blind")
    with retailer(tmp_path, "blind") as shop:
        while not all(member.address() for member in shop.members):
            time.sleep(0.05)
        for content in _files() * 20:
            shop.send(content, dice)
            if _answered_by_themselves(shop.engine):
                break
        assert _answered_by_themselves(shop.engine) > 0

"""A hub that is killed between an answer and its commit sends the same again, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook

from hub import bootstrap
from hub.demo import shop, shop_writer
from hub.home import Home
from hub.receive import receive
from hub.store.tables import delivery
from tests import homes
from tests.crash.sender import TIMEOUT_SECONDS
from tests.hub.delivery.conftest import SECRET, described
from tests.hub.delivery.receiver import Receiver, receiving

SENDER = Path(__file__).with_name("sender.py")
ORDERS = 5
PATIENCE_SECONDS = 60


def _home(folder: Path, url: str) -> tuple[Home, list[str]]:
    """A home in which orders wait to be sent, and the names of the deliveries."""
    home = homes.made(folder / "home")
    told = described(
        "crm", url=url, secrets=[SECRET], allow_private=True, timeout_seconds=TIMEOUT_SECONDS
    )
    home.settings.write_text(f"{home.settings.read_text()}\n{told}")
    orders = [json.loads(shop_writer.order(order)) for order in shop.orders(ORDERS, seed=1)]
    file = folder / "orders.json"
    file.write_text(json.dumps({"orders": orders}))
    with bootstrap.open_hub(home) as hub:
        assert receive(hub, "shopify", [file]).held == 0
    return home, [key for key, _ in _states(home)]


def _states(home: Home) -> list[tuple[str, str]]:
    with bootstrap.open_hub(home, access="read") as hub, hub.engine.begin() as connection:
        found = connection.execute(select(delivery.c.key, delivery.c.state).order_by(delivery.c.id))
        return [(row[0], row[1]) for row in found]


def _up(home: Home, variant: str) -> subprocess.Popen[bytes]:
    with (home.path.parent / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, SENDER, variant, home.path.parent / "mark", "up", "--port", "0"],
            env={**os.environ, "LYNCHPIN_HOME": str(home.path)},
            stdout=log,
            stderr=log,
        )


def _killed_and_started_again(home: Home, variant: str) -> None:
    """Until nothing waits any more."""
    killed = _up(home, variant)
    assert killed.wait(PATIENCE_SECONDS) == -9
    second = _up(home, variant)
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while {state for _, state in _states(home)} != {"delivered"}:
            assert time.monotonic() < until
            assert second.poll() is None
            time.sleep(0.05)
    finally:
        second.terminate()
        second.wait(PATIENCE_SECONDS)


def _verified(receiver: Receiver) -> list[str]:
    for call in receiver.calls:
        Webhook(SECRET).verify(call.body, dict(call.headers))
    return receiver.ids


@pytest.mark.databases
def test_what_was_answered_and_not_kept_is_sent_again(tmp_path: Path) -> None:
    with receiving() as receiver:
        home, keys = _home(tmp_path, receiver.url)
        _killed_and_started_again(home, "answered")
    ids = _verified(receiver)
    assert set(ids) == set(keys)
    # Several may have been answered by the time the first of them was to be kept.
    again = {key for key in keys if ids.count(key) == 2}
    assert again
    assert all(ids.count(key) == 1 for key in set(keys) - again)
    bodies = {call.id: call.body for call in receiver.calls}
    assert all(bodies[call.id] == call.body for call in receiver.calls)


def test_control_what_counts_as_delivered_before_it_was_sent_is_lost(tmp_path: Path) -> None:
    with receiving() as receiver:
        home, keys = _home(tmp_path, receiver.url)
        _killed_and_started_again(home, "posted early")
    assert set(_verified(receiver)) < set(keys)

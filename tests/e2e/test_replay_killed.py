"""kill -9 of the hub in the middle of a replay: the next one goes on as if nothing had been."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from hub import library
from hub.demo import shop, shop_writer
from hub.jobs.step import BATCH
from tests.e2e.conftest import House
from tests.e2e.store import VARIANT, wait_until
from tests.e2e.variant import WORST

ORDERS = BATCH + 20


def _published(house: House) -> None:
    text = library.shipped_text("shopify", "order")[0]
    old = "paid: paid, partially_refunded"
    assert text.count(old) == 1
    file = house.file(text.replace(old, "paid: due, partially_refunded").encode(), "order.yaml")
    file.write_text(file.read_text().partition("examples:")[0])
    done = house.lynchpin("map", "publish", file)
    assert done.returncode == 0, done.stderr


def _replayed(house: House) -> int:
    done = house.lynchpin("map", "replay", "shopify.order", "--json")
    assert done.returncode == 0, done.stderr
    return int(json.loads(done.stdout)["remade"])


def test_a_replay_that_was_killed_comes_to_the_same(house: House, tmp_path: Path) -> None:
    bodies = [shop_writer.order(each) for each in shop.orders(ORDERS, seed=5)]
    house.send("shopify", b"\n".join(bodies), "orders.jsonl")
    other = House(tmp_path / "undisturbed")
    shutil.copytree(house.home, other.home)
    before = house.export()
    _published(other)
    assert _replayed(other) == ORDERS

    with house.up(*VARIANT, "hub", "replaying") as up:
        _published(house)
        asking = subprocess.Popen(
            [Path(sys.executable).with_name("lynchpin"), "map", "replay", "shopify.order"],
            env={**os.environ, "LYNCHPIN_HOME": str(house.home), "COLUMNS": "400"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: WORST in up.log.read_text(), "the hub does not come to a second batch")
        up.process.kill()
        up.process.wait()
        _, said = asking.communicate(timeout=60)
    assert asking.returncode != 0
    assert "LP-CLI-002" in said
    # The batch that was committed is there, with where the job is; of the other one there is
    # nothing.
    assert before != house.export() != other.export()
    shown = house.lynchpin("job", "show", "1", "--json")
    found = json.loads(shown.stdout)
    assert (found["state"], found["done"], found["remade"]) == ("running", BATCH, BATCH)

    # Nobody has to ask again: whoever comes next goes on.
    done = house.lynchpin("job", "run", "--json")
    assert done.returncode == 0, done.stderr
    [found] = json.loads(done.stdout)
    assert (found["state"], found["done"], found["remade"]) == ("done", ORDERS, ORDERS)
    assert found["unchanged"] == 0
    assert house.export() == other.export()
    with house.up():
        assert _replayed(house) == 0

"""A hub that polls, killed -9 while pages come, and restored: in the end it has what the shop has,
once. The oracle is the shop.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.e2e.store import asked, is_settled, wait_until
from tests.hub.polling.conftest import ORDERS, REFUNDS, described, of
from tests.hub.polling.shop import Call, Shop, open_shop

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import House

KILLS = 3
RECENT = {"since": "created_at_min", "window_seconds": 86_400, "every": 2}


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop() as shop:
        shop.per_page = 2
        yield shop


def _polling(house: House, shop: Shop, **chosen: object) -> None:
    with (house.home / "lynchpin.toml").open("a") as settings:
        settings.write(described("shop", **of(shop, every_seconds=0.05, **chosen)))


def _facts(house: House, kind: str) -> list[str]:
    return sorted(json.loads(line)["fact"] for line in house.export(kind).splitlines())


def _same(house: House, shop: Shop) -> bool:
    """Whether the hub has what the shop has, no less and no more."""
    orders = sorted(f"shopify:order/{number}" for number in shop.orders)
    refunds = sorted(f"shopify:refund/{each['id']}" for each in shop.refunds)
    return (_facts(house, "Order"), _facts(house, "Reversal")) == (orders, refunds)


def _messages(home: Path) -> dict[str, int]:
    rows = asked(home, "SELECT state, count(*) FROM message GROUP BY state")
    return {state: count for state, count in rows}  # noqa: C416


def test_killed_again_and_again_it_loses_nothing_and_doubles_nothing(
    house: House, shop: Shop
) -> None:
    _polling(house, shop, streams={"orders": {**ORDERS, "reread": RECENT}})
    numbers = shop.place(12)
    reached = threading.Event()
    for kill in range(KILLS):
        reached.clear()
        at = len(shop.calls) + 4 + 2 * kill

        def count(call: Call, at: int = at) -> None:
            # The page is made and not yet sent, sent and not yet kept, or kept.
            if len(shop.calls) >= at:
                reached.set()

        shop.after = count
        with house.up() as up:
            assert reached.wait(60)
            up.process.kill()
        with shop.lock:
            numbers += shop.place(3)
            shop.refund(numbers[kill])
    with house.up():
        wait_until(lambda: _same(house, shop), "it does not come to what the shop has")
        before = len(shop.calls)
        wait_until(lambda: len(shop.calls) > before + 9, "it does not poll")
        wait_until(lambda: is_settled(house.home), "it does not settle")
    assert _same(house, shop)
    assert house.held() == []
    # Each is in the journal as it first was, and as it was after its refund, if that was seen.
    assert set(_messages(house.home)) == {"applied"}
    doubled = "SELECT digest FROM message GROUP BY digest HAVING count(*) > 1"
    assert asked(house.home, doubled) == []


def test_a_restored_hub_reads_again_what_it_lost(house: House, shop: Shop) -> None:
    _polling(house, shop, streams={"orders": ORDERS, "refunds": REFUNDS}, overlap_seconds=0.2)
    backup = house.folder / "today.backup"
    numbers = shop.place(9)
    shop.refund(numbers[0])
    with house.up() as up:
        wait_until(lambda: _same(house, shop), "it does not read")
        taken = house.lynchpin("db", "backup", str(backup), "--json")
        assert taken.returncode == 0, taken.stderr
        shop.place(5)
        shop.refund(numbers[1])
        wait_until(lambda: _same(house, shop), "it does not read")
        up.process.kill()
    # The shop sells while nobody asks.
    shop.place(2)
    done = house.lynchpin("db", "restore", str(backup), "--replace", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["rewound"], told["unverified"]) == (["shop"], [])
    assert (len(_facts(house, "Order")), len(_facts(house, "Reversal"))) == (9, 1)
    with house.up():
        wait_until(lambda: _same(house, shop), "it does not heal")
        wait_until(lambda: is_settled(house.home), "it does not settle")
    assert _same(house, shop)
    assert house.held() == []


def test_the_commands_say_how_it_is(house: House, shop: Shop) -> None:
    _polling(house, shop)
    shop.before = lambda call: (401, {}, b"")
    now = house.lynchpin("poll", "now", "shop")
    assert now.returncode == 1
    assert "LP-POLL-002" in now.stdout
    back = house.lynchpin("poll", "rewind", "shop", "--to", "2020-01-01T00:00+01:00", "--json")
    assert back.returncode == 0, back.stderr
    assert [each["due"] for each in json.loads(back.stdout)] == [True]

"""Dictionaries: used where they pay, holding nobody's data, and read wherever they come to."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zstandard
from sqlalchemy import Connection, delete, func, select, update

from hub import backup, bootstrap, dictionaries, holds, integrity, journal, restore, settings
from hub.bootstrap import Hub
from hub.demo import shop, shop_writer
from hub.dictionaries import MESSAGES_MIN
from hub.door import take_in
from hub.home import Home
from hub.settle import settle_pending
from hub.store.tables import audit, dictionary, message
from hub.upkeep import round_of
from hub.writer import writing
from schemas.problem import ConfigError

pytestmark = pytest.mark.databases

FEW = 40
ORDERS = [json.loads(shop_writer.order(each)) for each in shop.orders(FEW, seed=4)]
MARK = "xerxes.{}@example.org"
FIRST = ("Quenby", "Rollo", "Sunniva", "Tancred", "Ulrica", "Vashti", "Wystan", "Ysolde")
LAST = ("Blenkin", "Crowhurst", "Dunthorn", "Eccles", "Farthing", "Garlick", "Hazeldine", "Ibbot")
NAMES = [f"{first} {last}" for last in LAST for first in FIRST]
"""Each of the words is in an eighth of all messages, and two of them together are in few."""


def orders(first: int, count: int) -> bytes:
    """So many orders, each with an address that no other has."""
    made = [
        {**ORDERS[n % FEW], "id": n, "name": f"#{n}", "note": f"{MARK.format(n)} {NAMES[n % 64]}"}
        for n in range(first, first + count)
    ]
    return json.dumps({"orders": made}).encode()


def came(hub: Hub, content: bytes, source: str = "shopify") -> None:
    with hub.engine.begin() as connection:
        take_in(connection, hub.door(source), [content], name="x.json", now=hub.now())


def learn(hub: Hub, source: str = "shopify") -> dictionaries.Trial | None:
    with hub.engine.begin() as connection:
        tried = dictionaries.trial(connection, source)
        if tried is not None:
            dictionaries.keep(connection, tried, actor="test", now=hub.now())
    hub.dictionaries.forget()
    return tried


def given_up(hub: Hub) -> None:
    """What these tests do not look at need not be settled either."""
    with hub.engine.begin() as connection:
        done = {"state": "discarded", "settled_at": hub.now()}
        connection.execute(update(message).values(done))


def packed_with(connection: Connection) -> list[int]:
    rows = connection.scalars(select(message.c.payload).order_by(message.c.id))
    return [zstandard.get_frame_parameters(each).dict_id for each in rows]


@pytest.fixture
def taught(hub: Hub) -> Hub:
    """A hub with a dictionary, and ten orders that were packed with it."""
    came(hub, orders(1, MESSAGES_MIN))
    tried = learn(hub)
    assert tried is not None
    assert tried.pays
    came(hub, orders(MESSAGES_MIN + 1, 10))
    return hub


def test_what_comes_after_it_was_learned_is_packed_with_it_and_read_again(taught: Hub) -> None:
    with taught.engine.begin() as connection:
        used = packed_with(connection)
        number, content = connection.execute(select(dictionary.c.id, dictionary.c.content)).one()
        first, last = journal.entry(connection, 1), journal.entry(connection, MESSAGES_MIN + 10)
        sizes = list(
            connection.scalars(select(func.length(message.c.payload)).order_by(message.c.id))
        )
        [told] = connection.scalars(select(audit.c.detail).where(audit.c.act == "journal.train"))
    assert used == [0] * MESSAGES_MIN + [number] * 10
    assert first is not None
    assert last is not None
    assert json.loads(last.payload)["note"].startswith(MARK.format(MESSAGES_MIN + 10))
    assert json.loads(first.payload)["note"].startswith(MARK.format(1))
    assert sum(sizes[-10:]) < 0.85 * sum(sizes[:10])
    assert json.loads(told)["used"] is True
    assert b"financial_status" in content


def test_it_holds_nothing_that_only_some_messages_say(taught: Hub) -> None:
    with taught.engine.begin() as connection:
        content = connection.scalar(select(dictionary.c.content))
    assert content is not None
    assert b"xerxes" in content
    assert not [n for n in range(1, 1011) if MARK.format(n).encode() in content]
    assert [word for word in FIRST if word.encode() in content]
    assert not [name for name in NAMES if name.encode() in content]


def test_texts_that_have_nothing_in_common_get_none(hub: Hub) -> None:
    door = hub.door("poslog")
    with hub.engine.begin() as connection:
        for _ in range(2):
            lines = [f"<Transaction>{os.urandom(300).hex()}</Transaction>" for _ in range(500)]
            content = f"<POSLog>{''.join(lines)}</POSLog>".encode()
            take_in(connection, door, [content], name="x.xml", now=hub.now())
    tried = learn(hub, "poslog")
    if tried is not None:
        assert not tried.pays
    with hub.engine.begin() as connection:
        assert dictionaries.in_use(connection, "poslog") is None
        assert dictionaries.due(connection, ["poslog"]) == ([] if tried else ["poslog"])


def test_one_is_tried_once_there_is_enough_to_learn_from(hub: Hub) -> None:
    came(hub, orders(1, MESSAGES_MIN - 1))
    with hub.engine.begin() as connection:
        assert dictionaries.due(connection, hub.settings.sources) == []
        assert dictionaries.trial(connection, "shopify") is None
    came(hub, orders(MESSAGES_MIN, 1))
    with hub.engine.begin() as connection:
        assert dictionaries.due(connection, hub.settings.sources) == ["shopify"]


def test_a_hub_at_rest_learns_by_itself_and_uses_it(hub: Hub) -> None:
    came(hub, orders(1, MESSAGES_MIN))
    given_up(hub)
    with writing(hub) as writer:
        readers = hub.reader()
        round_of(writer, readers)
        writer.submit(
            lambda connection: take_in(
                connection, hub.door("shopify"), [orders(5000, 1)], name="x", now=hub.now()
            )
        ).result()
        readers.dispose()
    with hub.engine.begin() as connection:
        assert packed_with(connection)[-1] == connection.scalar(select(dictionary.c.id))
        [acted] = connection.scalars(select(audit.c.actor).where(audit.c.act == "journal.train"))
    assert acted == "hub"


def test_a_backup_brings_it_along(taught: Hub, tmp_path: Path, home: Home) -> None:
    file = tmp_path / "x.backup"
    place = taught.settings.database(home)
    backup.back_up(place, file, now=taught.now, overwrite=False)
    with taught.engine.begin() as connection:
        before = [
            journal.decompress(each, connection)
            for each in connection.scalars(select(message.c.payload).order_by(message.c.id))
        ]
    taught.engine.dispose()
    restore.restore_from(
        file, place, settings.read(home), replace=True, actor="test", now=taught.now
    )
    assert list(integrity.examine(place)) == []
    with bootstrap.open_hub(home, access="read") as hub, hub.engine.begin() as connection:
        after = [
            journal.decompress(each, connection)
            for each in connection.scalars(select(message.c.payload).order_by(message.c.id))
        ]
    assert after == before


@pytest.mark.parametrize("how", ["gone", "changed"])
def test_a_dictionary_that_is_gone_is_found_by_the_check(taught: Hub, home: Home, how: str) -> None:
    with taught.engine.begin() as connection:
        if how == "gone":
            connection.execute(delete(dictionary))
        else:
            connection.execute(update(dictionary).values(content=b"else"))
    found = {problem.code for problem in integrity.examine(taught.settings.database(home))}
    assert found == {"LP-DB-009"}
    if how == "changed":
        return

    def read() -> None:
        with taught.engine.begin() as connection:
            journal.entry(connection, MESSAGES_MIN + 1)

    # A thread that has read none of it yet remembers nothing either.
    with ThreadPoolExecutor(1) as fresh, pytest.raises(ConfigError, match="LP-DB-010"):
        fresh.submit(read).result()


def test_held_and_released_as_ever(taught: Hub) -> None:
    broken = json.loads(orders(9000, 1))
    broken["orders"][0]["total_price"] = "much"
    given_up(taught)
    came(taught, json.dumps(broken).encode())
    settle_pending(taught.engine, taught.bus, taught.translator, taught.now)
    with taught.engine.begin() as connection:
        [row] = holds.held(connection)
    released = holds.release(taught, [row["message_id"]], actor="test")
    assert list(released.states.values()) == ["held"]

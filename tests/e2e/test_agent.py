"""A store's agent and the hub, both as they are run: faults of the line, hostile files, clones."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from hub.demo import poslog_writer, till
from hub.demo.receipt import Receipt
from tests.e2e.store import DELETED, VARIANT, Store, asked, is_settled, line_to, wait_until
from tests.e2e.variant import HASTE

if TYPE_CHECKING:
    from tests.e2e.conftest import House

SEED = 4
TILLS = 8
SALES = 5_000
HOSTILE = b'<!DOCTYPE a [<!ENTITY b "c">]><POSLog>&b;</POSLog>'
HOUR_SECONDS = 3600
FOOT = b"</POSLog>\n"


def numbered(*indices: int) -> list[Receipt]:
    return [till.sale(index, seed=SEED, lines=1) for index in indices]


def log(receipts: Iterable[Receipt]) -> bytes:
    entries = (poslog_writer.transaction(receipt, detail="lean") for receipt in receipts)
    return b"".join(poslog_writer.document(entries, dialect="v2"))


def undisturbed(house: House, receipts: Iterable[Receipt]) -> str:
    """What a hub exports that got these at once."""
    assert house.send("poslog", log(receipts)).held == 0
    return house.export()


def test_every_answer_is_lost_once_and_nothing_is_doubled(fresh: Callable[[], House]) -> None:
    house, receipts = fresh(), numbered(*range(40))
    key = house.key("source", "--source", "poslog")
    with house.up() as up, line_to(up.port) as line:
        line.losing = True
        store = Store(house.folder, line.url, key)
        with store.agent():
            for wave in range(8):
                for index in range(wave * 5, wave * 5 + 5):
                    store.put(f"{index:03}.xml", log([receipts[index]]))
                wait_until(store.is_done, "the agent does not get through")
        wait_until(lambda: is_settled(house.home), "the hub does not settle what it has")
    assert len(line.lost) >= 8
    assert asked(house.home, "SELECT state, count(*) FROM message GROUP BY state") == [
        ("applied", 40)
    ]
    assert asked(house.home, "SELECT count(*) FROM record") == [(40,)]
    assert house.export() == undisturbed(fresh(), receipts)


def test_an_hour_without_the_hub_all_arrives_in_order_and_gaps_are_told_meanwhile(
    house: House,
) -> None:
    key = house.key("source", "--source", "poslog")
    with house.up() as up, line_to(up.port) as line:
        store = Store(house.folder, line.url, key, {"log": "", "sales": DELETED})
        with store.agent([*VARIANT, "agent", "hasty"]):
            ring_up(store, numbered(*range(80)))
            wait_until(store.is_done, "the first sales are not shipped")
            known = asked(house.home, "SELECT count(*) FROM record")[0][0]
            line.up, away = False, time.monotonic()
            # Somebody brings the hub one sale by hand; it tells what should lie before it.
            with up.calling(key) as client:
                late = log(numbered(400))
                client.post("/sources/poslog/records", content=late).raise_for_status()
            wait_until(lambda: is_settled(house.home), "the hub does not settle")
            assert gaps(house) == [("1", 11, 50)]
            ring_up(store, numbered(*range(80, SALES)), more=FOOT)
            wait_until(store.is_captured, "not everything is captured")
            assert "LP-AGENT-011" in store.said()
            time.sleep(max(0, away + HOUR_SECONDS / HASTE - time.monotonic()))
            line.up = True
            wait_until(store.is_done, "not everything is shipped")
        wait_until(lambda: is_settled(house.home), "the hub does not settle")
    assert house.held() == []
    assert gaps(house) == []
    assert asked(house.home, "SELECT count(*) FROM transaction_index") == [(SALES,)]
    in_order = [*range(1, SALES // TILLS + 1)]
    assert arrivals(house) == {str(number): in_order for number in range(1, TILLS + 1)}
    # By its own clock the agent kept the first of them for an hour.
    query = f"SELECT min(captured_at) FROM record WHERE capture IS NOT NULL AND id > {known} + 1"
    ((captured,),) = asked(house.home, query)
    ((shipped,),) = store.spooled("SELECT min(shipped_at) FROM lane")
    assert seconds(shipped) - seconds(captured) >= HOUR_SECONDS


def ring_up(store: Store, receipts: Iterable[Receipt], *, more: bytes = b"") -> None:
    """Tills 7 and 8 write a file for each sale, the others one log that grows."""
    with (store.drop("log") / "day.xml").open("ab", buffering=0) as day:
        if not day.tell():
            day.write(log([]).removesuffix(FOOT.strip()))
        for receipt in receipts:
            if int(receipt.till) > 6:
                store.put(f"{receipt.sequence:05}-{receipt.till}.xml", log([receipt]))
            else:
                day.write(poslog_writer.transaction(receipt, detail="lean"))
        day.write(more)


def gaps(house: House) -> list[tuple[str, int, int]]:
    """What ``lynchpin store gaps`` tells: workstation, first and last number."""
    told = json.loads(house.lynchpin("store", "gaps", "--json").stdout)
    return [(gap["workstation"], gap["first"], gap["last"]) for gap in told]


def arrivals(house: House) -> dict[str, list[int]]:
    """Sequence numbers by till, in the order in which the agent's messages came."""
    found: dict[str, list[int]] = {}
    query = """SELECT message.fact FROM message JOIN record ON record.id = record_id
        WHERE capture IS NOT NULL ORDER BY message.id"""
    for (fact,) in asked(house.home, query):
        _, workstation, _, sequence = fact.split("/")
        found.setdefault(workstation, []).append(int(sequence))
    return found


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def test_a_hostile_file_is_shown_and_keeps_nothing_back(house: House) -> None:
    key = house.key("source", "--source", "poslog")
    receipts = numbered(*range(6))
    with house.up() as up:
        store = Store(house.folder, up.url, key)
        with store.agent():
            for receipt in receipts[:3]:
                store.put(f"{receipt.till}.xml", log([receipt]))
            store.put("hostile.xml", HOSTILE)
            for receipt in receipts[3:]:
                store.put(f"{receipt.till}.xml", log([receipt]))
            wait_until(store.is_done, "the rest does not go on")
            (shown,) = store.status()["sales"]["files"]
            table = store.said()
        wait_until(lambda: is_settled(house.home), "the hub does not settle")
    assert (shown["file"], shown["code"]) == ("hostile.xml", "LP-DOOR-003")
    assert "hostile.xml" in table
    assert "LP-DOOR-003" in table
    assert [file.name for file in store.drop().iterdir()] == ["hostile.xml"]
    assert asked(house.home, "SELECT count(*) FROM transaction_index") == [(6,)]
    assert house.held() == []


def test_what_a_key_of_another_store_sends_is_held_and_shown(house: House) -> None:
    key = house.key("source", "--source", "poslog", "--store", "7777")
    with house.up() as up:
        store = Store(house.folder, up.url, key)
        with store.agent():
            store.put("a.xml", log(numbered(0, 1)))
            wait_until(store.is_done, "the file is not shipped")
        wait_until(lambda: is_settled(house.home), "the hub does not settle")
        held = json.loads(house.lynchpin("hold", "list", "--json").stdout)
    assert [(one["code"], one["file"]) for one in held] == [("LP-HUB-011", "a.xml")] * 2
    assert asked(house.home, "SELECT count(*) FROM document") == [(0,)]


def test_two_agents_on_copies_of_one_spool_lose_and_double_nothing(
    fresh: Callable[[], House],
) -> None:
    house = fresh()
    key = house.key("source", "--source", "poslog")
    receipts = numbered(*range(60))
    with house.up() as up, line_to(up.port) as line:
        store = Store(house.folder / "store", line.url, key)
        with store.agent() as process:
            put_each(store, receipts[:10])
            wait_until(store.is_done, "the first sales are not shipped")
            line.up = False
            put_each(store, receipts[10:20])
            wait_until(store.is_captured, "the files are not captured")
            process.terminate()
            process.wait()
        clone = store.cloned(house.folder / "clone")
        line.up = True
        with store.agent(), clone.agent():
            for index in range(20, 60, 2):
                put_each(store, receipts[index : index + 1])
                put_each(clone, receipts[index + 1 : index + 2])
                time.sleep(0.05)
            wait_until(store.is_done, "the first agent does not get through")
            wait_until(clone.is_done, "the second agent does not get through")
        wait_until(lambda: is_settled(house.home), "the hub does not settle")
        (listed,) = json.loads(house.lynchpin("store", "list", "--json").stdout)
    assert (listed["epochs"], listed["pending"]) == (2, 0)
    assert house.held() == []
    assert house.export() == undisturbed(fresh(), receipts)


def put_each(store: Store, receipts: Iterable[Receipt]) -> None:
    for receipt in receipts:
        store.put(f"{receipt.sequence:05}-{receipt.till}.xml", log([receipt]))

"""The spool: what is in it is as it was written, and what is gone from it is at the hub."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from schemas.problem import ConfigError, Unavailable
from store_agent.cut import Mark
from store_agent.home import Home, create
from store_agent.spool import Batch, Entry, Spool, _unsealed
from store_agent.watched import Look, Watched

NOW = "2031-05-06T08:00:00.000000Z"


def entry(number: int, payload: bytes | None = None) -> Entry:
    key = number.to_bytes(16, "big")
    watched = Watched(key, f"{number}.xml", Look(9, 9, number), Mark(9, 9), key)
    watched = replace(watched, whole=True, settled=True)
    return Entry(watched, payload if payload is not None else b"sale %d" % number)


def batch(spool: Spool, *, records_max: int = 100, bytes_max: int = 1 << 20) -> Batch:
    return spool.batch("log", records_max=records_max, bytes_max=bytes_max, now=NOW)


def payloads(found: Batch) -> list[bytes]:
    return [record.payload for record in found.records]


def meddle(home: Home, sql: str, *values: object) -> None:
    """Change the database behind the agent's back."""
    with closing(sqlite3.connect(home.spool)) as connection, connection:
        connection.execute(sql, values)


@pytest.fixture
def spool(home: Home) -> Iterator[Spool]:
    with closing(Spool(home, ["log"])) as spool:
        spool.join("log", "http://hub.invalid/captures/store.log")
        yield spool


def test_records_are_numbered_from_one_and_sealed(spool: Spool) -> None:
    spool.add("log", [entry(1), entry(2)], now=NOW)
    spool.add("log", [entry(3)], now=NOW)
    found = batch(spool)
    assert [(record.seq, record.name) for record in found.records] == [
        (1, "1.xml"),
        (2, "2.xml"),
        (3, "3.xml"),
    ]
    assert len(found.epoch) == 16


def test_a_batch_ends_before_it_is_too_large_but_is_never_empty(spool: Spool) -> None:
    spool.add("log", [entry(n, bytes(100)) for n in range(4)], now=NOW)
    assert len(batch(spool, records_max=3).records) == 3
    assert len(batch(spool, bytes_max=250).records) == 2
    assert len(batch(spool, bytes_max=10).records) == 1


def test_only_what_was_sent_and_is_committed_goes(spool: Spool) -> None:
    spool.add("log", [entry(n) for n in range(5)], now=NOW)
    sent = batch(spool, records_max=3)
    spool.acknowledge("log", sent, 2, {}, now=NOW)
    assert [record.seq for record in batch(spool).records] == [3, 4, 5]
    # A hub that claims more has not seen ours.
    spool.acknowledge("log", batch(spool, records_max=1), 500, {}, now=NOW)
    assert [record.seq for record in batch(spool).records] == [4, 5]
    assert spool.lane("log").committed == 3


def test_an_acknowledgement_of_another_epoch_deletes_nothing(spool: Spool) -> None:
    spool.add("log", [entry(1)], now=NOW)
    sent = batch(spool)
    spool.begin_epoch("log")
    spool.acknowledge("log", sent, 1, {}, now=NOW)
    assert len(batch(spool).records) == 1


def test_a_new_epoch_renumbers_what_waits_in_the_same_order(spool: Spool) -> None:
    spool.add("log", [entry(n) for n in range(5)], now=NOW)
    before = batch(spool)
    spool.acknowledge("log", before, 2, {}, now=NOW)
    spool.begin_epoch("log")
    found = batch(spool)
    assert found.epoch != before.epoch
    assert [record.seq for record in found.records] == [1, 2, 3]
    assert payloads(found) == payloads(before)[2:]
    spool.add("log", [entry(9)], now=NOW)
    assert batch(spool).records[-1].seq == 4


def test_another_address_knows_nothing_of_this_epoch(spool: Spool) -> None:
    first = spool.lane("log").epoch
    spool.join("log", "http://hub.invalid/captures/store.log")
    assert spool.lane("log").epoch == first
    spool.join("log", "http://hub.invalid/captures/renamed.log")
    assert spool.lane("log").epoch != first


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("payload", b"x"),
        ("name", "other.xml"),
        ("captured_at", "2032"),
        ("length", 3),
        ("length", "many"),
        ("sha256", "0" * 64),
        ("file", b"other"),
        ("seal", b""),
    ],
)
def test_a_damaged_row_is_set_aside_and_the_rest_goes_on(
    spool: Spool, home: Home, column: str, value: object
) -> None:
    spool.add("log", [entry(n) for n in range(4)], now=NOW)
    meddle(home, f"UPDATE record SET {column} = ? WHERE number = 2", value)
    first = batch(spool)
    assert payloads(first) == [b"sale 0"]
    spool.acknowledge("log", first, 1, {}, now=NOW)
    rest = batch(spool)
    assert payloads(rest) == [b"sale 2", b"sale 3"]
    assert [record.seq for record in rest.records] == [1, 2]
    assert rest.epoch != first.epoch
    assert spool.damaged("log") == 1


def test_any_flipped_byte_of_a_payload_is_found(spool: Spool, home: Home) -> None:
    spool.add("log", [entry(1)], now=NOW)
    with closing(sqlite3.connect(home.spool)) as connection:
        packed = connection.execute("SELECT payload FROM record").fetchone()[0]
    for at in range(len(packed)):
        flipped = packed[:at] + bytes([packed[at] ^ 1]) + packed[at + 1 :]
        meddle(home, "UPDATE record SET payload = ?", flipped)
        assert _unsealed(spool._oldest("log", 1, 1)[0], 0) is None


def test_a_file_whose_record_was_damaged_is_forgotten(spool: Spool, home: Home) -> None:
    spool.add("log", [entry(1)], now=NOW)
    meddle(home, "UPDATE record SET payload = x'00'")
    assert batch(spool).records == ()
    assert spool.file("log", entry(1).file.key) is None


def test_a_full_spool_keeps_all_it_has_and_takes_no_more(spool: Spool) -> None:
    spool.add("log", [entry(1)], now=NOW)
    connection = spool._database._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    large = entry(2, Random(7).randbytes(1 << 20))
    with pytest.raises(Unavailable, match="LP-AGENT-006"):
        spool.add("log", [entry(3, b"x"), large], now=NOW)
    assert spool.file("log", entry(3).file.key) is None
    assert payloads(batch(spool)) == [b"sale 1"]
    connection.execute("PRAGMA max_page_count = 100000")
    spool.add("log", [large], now=NOW)
    found = batch(spool, bytes_max=1 << 30)
    assert [record.seq for record in found.records] == [1, 2]


def test_what_fails_half_way_is_undone(spool: Spool) -> None:
    broken = replace(entry(2), payload=7)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        spool.add("log", [entry(1), broken], now=NOW)
    spool.add("log", [entry(3)], now=NOW)
    assert [(record.seq, record.name) for record in batch(spool).records] == [(1, "3.xml")]


def test_the_disk_keeps_room_for_acknowledgements(home: Home) -> None:
    free = shutil.disk_usage(home.path).free // (1024 * 1024)
    with closing(Spool(home, ["log"], free_mb_min=free * 2)) as spool:
        with pytest.raises(Unavailable, match="LP-AGENT-006"):
            spool.add("log", [entry(1)], now=NOW)
        assert spool.lane("log").seq == 0


@pytest.mark.parametrize("setting", ["journal_mode", "synchronous"])
def test_a_disk_that_is_not_waited_for_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    class Deaf(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            deaf = sql.startswith(f"PRAGMA {setting} =")
            return super().execute("SELECT 1" if deaf else sql, *values)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **k, factory=Deaf))
    if setting == "synchronous":
        # The default differs from build to build; here it is another than ours.
        monkeypatch.setattr(Deaf, "__init__", _normal)
    with pytest.raises(ConfigError, match="LP-AGENT-005"):
        Spool(home, ["log"])


def _normal(self: sqlite3.Connection, *values: Any, **named: Any) -> None:
    sqlite3.Connection.__init__(self, *values, **named)
    sqlite3.Connection.execute(self, "PRAGMA synchronous = 1")


def test_a_spool_that_is_damaged_as_a_whole_is_refused(home: Home) -> None:
    with closing(Spool(home, ["log"])) as spool:
        spool.add("log", [entry(n, bytes(range(256)) * 40) for n in range(50)], now=NOW)
    content = bytearray(home.spool.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096 : page * 4096 + 16] = b"\xff" * 16
    home.spool.write_bytes(content)
    with pytest.raises(ConfigError, match="LP-AGENT-005"):
        Spool(home, ["log"])


def test_nobody_else_may_read_it(spool: Spool, home: Home) -> None:
    spool.add("log", [entry(1)], now=NOW)
    for path in home.path.glob("spool.db*"):
        assert path.stat().st_mode & 0o077 == 0


def test_the_secret_is_made_once_for_each_spool(spool: Spool, home: Home) -> None:
    secret = spool.secret
    spool.close()
    with closing(Spool(home, ["log"])) as again:
        assert again.secret == secret
    other = Home(home.path / "other")
    create(other)
    with closing(Spool(other, ["log"])) as fresh:
        assert fresh.secret != secret

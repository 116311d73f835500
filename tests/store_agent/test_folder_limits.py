"""A watched folder at its limits: large files, a full disk, deletion, and card numbers."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from random import Random

import pytest

from connectors.api import MESSAGE_BYTES_MAX
from schemas.problem import Unavailable
from store_agent import cut, folder
from store_agent.causes import HUB_REFUSES
from tests.store_agent.conftest import FOOT, HEAD, Watch, log, sale

CARD = "4111 1111 1111 1111"


def test_a_full_disk_leaves_files_to_the_till_until_there_is_room(
    deleting: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    (deleting.path / "a.xml").write_bytes(log(1))
    deleting.scan()
    connection = deleting.spool._database._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    noise = Random(3).randbytes(100_000).hex()
    (deleting.path / "b.xml").write_bytes(log(2, text=noise))
    for _ in range(2):
        with pytest.raises(Unavailable, match="LP-AGENT-006"):
            deleting.scan()
    assert [name for name, _ in deleting.waiting()] == ["a.xml"]
    # What the hub takes can be noted all the same, and makes room.
    deleting.ship()
    connection.execute("PRAGMA max_page_count = 100000")
    assert deleting.scan() == [("b.xml", log(2, text=noise))]
    assert [path.name for path in deleting.path.iterdir()] == ["b.xml"]


def test_a_huge_file_goes_in_pieces_in_one_scan(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "WINDOWS", (1000, 2000))
    data = log(*range(100))
    (watch.path / "day.xml").write_bytes(data)
    records = watch.scan()
    assert len(records) > 20
    assert max(len(payload) for _, payload in records) <= 2000
    assert b"".join(payload for _, payload in records) == data


def test_a_message_too_large_for_any_window_is_named(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "WINDOWS", (1000, 2000))
    (watch.path / "day.xml").write_bytes(HEAD + sale(1) + sale(2, text="x" * 3000) + FOOT)
    watch.scan()
    (record,) = watch.scan(after=1)
    assert record[1].rstrip() == (HEAD + sale(1)).rstrip()
    assert watch.problem("day.xml") == "LP-AGENT-009"


def test_the_windows_have_room_for_any_message() -> None:
    assert cut.WINDOWS[-2] > MESSAGE_BYTES_MAX + 64 * 1024


def test_nothing_is_deleted_before_the_hub_has_it(deleting: Watch) -> None:
    file = deleting.path / "day.xml"
    file.write_bytes(log(1))
    deleting.scan()
    deleting.scan(after=100)
    assert file.exists()
    deleting.ship()
    deleting.scan()
    assert not file.exists()


def test_a_copy_goes_only_with_its_original(deleting: Watch) -> None:
    (deleting.path / "day.xml").write_bytes(log(1))
    deleting.scan()
    (deleting.path / "copy.xml").write_bytes(log(1))
    deleting.scan()
    deleting.scan()
    assert len(list(deleting.path.iterdir())) == 2
    deleting.ship()
    deleting.scan()
    assert list(deleting.path.iterdir()) == []


def test_what_has_changed_since_or_stopped_in_the_middle_is_not_deleted(deleting: Watch) -> None:
    changed, torn = deleting.path / "changed.xml", deleting.path / "torn.xml"
    changed.write_bytes(log(1))
    torn.write_bytes(HEAD + sale(2))
    deleting.scan()
    deleting.scan(after=1)
    deleting.ship()
    changed.write_bytes(log(1) + HEAD)
    deleting.scan()
    assert changed.exists()
    assert torn.exists()


def test_a_file_that_the_hub_refused_is_not_deleted(deleting: Watch) -> None:
    (deleting.path / "day.xml").write_bytes(log(1))
    deleting.scan()
    batch = deleting.spool.batch("log", records_max=10, bytes_max=1 << 20, now="2031")
    deleting.spool.acknowledge("log", batch, 1, {1: HUB_REFUSES.at()}, now="2031")
    deleting.scan()
    assert (deleting.path / "day.xml").exists()
    assert deleting.problem("day.xml") == "LP-AGENT-013"


def test_recapture_takes_again_what_is_still_there(watch: Watch) -> None:
    for n in range(3):
        (watch.path / f"{n}.xml").write_bytes(log(n))
        os.utime(watch.path / f"{n}.xml", (n * 1000, n * 1000))
    watch.scan()
    watch.ship()
    assert watch.spool.forget("log", since_ns=1000 * 10**9) == 2
    watch.restart()
    assert watch.scan() == [("1.xml", log(1)), ("2.xml", log(2))]


def test_card_numbers_reach_no_file_of_the_home(watch: Watch) -> None:
    texts = (CARD, CARD.replace(" ", ""), "%B4111111111111111^X^2512101?")
    (watch.path / f"till {CARD}.xml").write_bytes(log(1, text=texts[0]))
    (watch.path / "torn.xml").write_bytes(HEAD + sale(2, text=texts[1])[:-60])
    (watch.path / "track.xml").write_bytes(log(3, text=texts[2]))
    (watch.path / "bad.xml").write_bytes(b"<!DOCTYPE x>" + log(4, text=CARD))
    watch.scan()
    names = {name for name, _ in watch.scan(after=1)}
    assert names == {"till **** **** **** 1111.xml", "torn.xml", "track.xml"}
    assert b"4111" not in b"".join(payload for _, payload in watch.waiting())
    # Payloads are compressed, so what is next to them is looked at, and they were just now.
    for path in watch.home.path.iterdir():
        content = path.read_bytes().replace(b" ", b"")
        assert b"41111111" not in content, path.name


def test_a_file_whose_record_was_damaged_is_taken_again(watch: Watch) -> None:
    for number in range(3):
        (watch.path / f"{number}.xml").write_bytes(log(number))
    watch.scan()
    with closing(sqlite3.connect(watch.home.spool)) as connection, connection:
        connection.execute("UPDATE record SET payload = x'00' WHERE number = 1")
    assert len(watch.waiting()) == 2
    found = watch.scan()
    assert sorted(found) == [(f"{number}.xml", log(number)) for number in range(3)]


def test_a_file_that_changes_at_the_last_moment_is_not_deleted(
    deleting: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = deleting.path / "day.xml"
    file.write_bytes(log(1))
    deleting.scan()
    deleting.ship()
    deletable = deleting.spool.deletable

    def late(capture: str) -> set[bytes]:
        file.write_bytes(log(1, 2))
        return deletable(capture)

    monkeypatch.setattr(deleting.spool, "deletable", late)
    deleting.scan()
    assert file.exists()


def test_line_ends_behind_the_last_document_are_no_record(deleting: Watch) -> None:
    file = deleting.path / "day.xml"
    file.write_bytes(log(1))
    deleting.scan()
    file.write_bytes(log(1) + b"\r\n\r\n")
    assert deleting.scan() == [("day.xml", log(1))]
    deleting.ship()
    deleting.scan()
    assert not file.exists()


def test_a_copy_of_what_the_hub_refused_is_another_attempt(watch: Watch) -> None:
    (watch.path / "day.xml").write_bytes(log(1))
    watch.scan()
    batch = watch.spool.batch("log", records_max=10, bytes_max=1 << 20, now="2031")
    watch.spool.acknowledge("log", batch, 1, {1: HUB_REFUSES.at()}, now="2031")
    (watch.path / "again.xml").write_bytes(log(1))
    assert watch.scan() == [("again.xml", log(1))]

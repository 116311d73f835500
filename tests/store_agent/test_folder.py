"""A watched folder: what is taken of it, and when, with the real spool and the real connector."""

from __future__ import annotations

import os
import shutil
from itertools import count
from pathlib import Path

import pytest

from store_agent import cut, folder
from store_agent.folder import Folder
from store_agent.watched import Look
from tests.store_agent.conftest import HEAD, Watch, log, sale


def test_a_file_renamed_in_is_taken_at_once(watch: Watch) -> None:
    part = watch.path / "day.xml.part"
    part.write_bytes(log(1))
    assert watch.scan() == []
    part.rename(watch.path / "day.xml")
    assert watch.scan() == [("day.xml", log(1))]


def test_files_are_taken_the_oldest_first(watch: Watch) -> None:
    for n, name in enumerate(("b.xml", "a.xml", "c.xml")):
        (watch.path / name).write_bytes(log(n))
        os.utime(watch.path / name, (n, n))
    assert [name for name, _ in watch.scan()] == ["b.xml", "a.xml", "c.xml"]


def test_files_that_come_while_the_folder_is_read_keep_their_order(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reading may miss a file that was there before another one that it finds."""
    listed, readings = Folder._listed, count()

    def misses(self: Folder) -> dict[str, Look]:
        found = listed(self)
        if next(readings) == 0:
            del found["1.xml"]
            # And one that comes when the first reading is over.
            (watch.path / "3.xml").write_bytes(log(3))
        return found

    for n in (1, 2):
        (watch.path / f"{n}.xml").write_bytes(log(n))
        os.utime(watch.path / f"{n}.xml", (n, n))
    monkeypatch.setattr(Folder, "_listed", misses)
    assert [name for name, _ in watch.scan()] == ["1.xml", "2.xml"]
    assert [name for name, _ in watch.scan()][-1] == "3.xml"


def test_a_file_is_taken_once_and_known_after_a_restart(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(50):
        (watch.path / f"{n}.xml").write_bytes(log(n))
    assert len(watch.scan()) == 50
    watch.restart()
    # Not even opened: a folder of ten thousand old files is not read at each start.
    monkeypatch.setattr(Folder, "_open", lambda *_: pytest.fail("an old file was opened"))
    assert len(watch.scan(after=10)) == 50


def test_a_partial_file_is_waited_for(watch: Watch) -> None:
    file = watch.path / "day.xml"
    file.write_bytes(HEAD + sale(1))
    assert watch.scan() == []
    assert watch.scan(after=0.9) == []
    file.write_bytes(HEAD + sale(1) + sale(2))
    assert watch.scan(after=0.9) == []
    file.write_bytes(log(1, 2))
    assert watch.scan() == [("day.xml", log(1, 2))]


def test_what_is_never_finished_is_taken_when_it_is_quiet(watch: Watch) -> None:
    (watch.path / "day.xml").write_bytes(HEAD + sale(1) + sale(2)[:-40])
    watch.scan()
    (record,) = watch.scan(after=1)
    assert record[1].startswith(HEAD + sale(1))
    assert watch.problem("day.xml") == "LP-AGENT-010"
    assert watch.scan(after=100) == [record]


def test_a_root_that_is_never_closed_is_no_trouble_between_two_sales(watch: Watch) -> None:
    (watch.path / "day.xml").write_bytes(HEAD + sale(1))
    watch.scan()
    assert watch.scan(after=1) == [("day.xml", HEAD + sale(1))]
    assert watch.problem("day.xml") is None


def test_a_file_that_the_connector_fails_on_does_not_keep_others_back(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(window: bytes, *values: object, **named: object) -> object:
        if b"PEAR" in window:
            raise RecursionError(window)
        return cutting(window, *values, **named)  # type: ignore[arg-type]

    cutting = cut.cut
    monkeypatch.setattr(folder, "cut", failing)
    (watch.path / "a.xml").write_bytes(log(1, text="PEAR"))
    (watch.path / "b.xml").write_bytes(log(2))
    watch.scan()
    assert watch.scan(after=1) == [("b.xml", log(2))]
    assert watch.problem("a.xml") == "LP-AGENT-017"
    known = watch.spool.file("log", watch.folder._key("a.xml"))
    assert known
    assert known.problem
    assert "PEAR" not in known.problem.line()


def test_a_network_folder_that_was_away_is_not_taken_again(
    watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (watch.path / "a.xml").write_bytes(log(1))
    watch.scan()
    watch.path.rename(tmp_path / "away")
    watch.path.mkdir()
    watch.scan()
    key = watch.folder._key("a.xml")
    gone = watch.spool.file("log", key)
    assert gone
    assert gone.gone_at
    watch.path.rmdir()
    (tmp_path / "away").rename(watch.path)
    assert watch.scan() == [("a.xml", log(1))]
    known = watch.spool.file("log", key)
    assert known
    assert known.gone_at is None


def test_only_what_was_appended_follows(watch: Watch) -> None:
    file = watch.path / "day.xml"
    file.write_bytes(HEAD + sale(1))
    watch.scan()
    assert len(watch.scan(after=1)) == 1
    file.write_bytes(HEAD + sale(1) + sale(2)[:70])
    watch.scan()
    watch.restart()
    watch.scan()
    assert len(watch.scan(after=1)) == 2
    file.write_bytes(log(1, 2, 3))
    records = watch.scan()
    assert len(records) == 3
    assert b"".join(payload for _, payload in records) == log(1, 2, 3)
    assert watch.problem("day.xml") is None


def test_a_file_that_never_rests_gives_its_complete_messages(watch: Watch) -> None:
    file, data = watch.path / "day.xml", HEAD
    for n in range(140):
        data += sale(n)
        file.write_bytes(data + sale(n + 1)[:50])
        watch.scan(after=0.5)
    (record,) = watch.scan()
    assert record[1].startswith(HEAD + sale(0))
    assert record[1].rstrip().endswith(b"</Transaction>")


def test_a_name_used_again_is_another_file(watch: Watch) -> None:
    file = watch.path / "sale.xml"
    for n in range(3):
        file.write_bytes(log(n))
        watch.scan()
    assert watch.scan() == [("sale.xml", log(n)) for n in range(3)]


def test_a_name_used_again_for_something_longer_is_not_appended(watch: Watch) -> None:
    file = watch.path / "sale.xml"
    file.write_bytes(log(1))
    watch.scan()
    file.write_bytes(log(2, 3))
    assert watch.scan()[1:] == [("sale.xml", log(2, 3))]


def test_the_same_content_is_not_taken_again(watch: Watch) -> None:
    (watch.path / "a.xml").write_bytes(log(1))
    watch.scan()
    shutil.copy(watch.path / "a.xml", watch.path / "copy.xml")
    (watch.path / "a.xml").touch()
    (watch.path / "a.xml").rename(watch.path / "b.xml")
    assert watch.scan() == [("a.xml", log(1))]
    (watch.path / "a.xml").write_bytes(log(1))
    assert watch.scan() == [("a.xml", log(1))]


def test_a_log_that_was_rotated_goes_on_under_its_new_name(watch: Watch) -> None:
    file = watch.path / "day.xml"
    file.write_bytes(HEAD + sale(1))
    watch.scan()
    watch.scan(after=1)
    file.rename(watch.path / "yesterday.xml")
    (watch.path / "yesterday.xml").write_bytes(log(1, 2))
    file.write_bytes(log(3))
    found = watch.scan()
    assert sorted(found[1:]) == [
        ("day.xml", log(3)),
        ("yesterday.xml", log(1, 2)[len(found[0][1]) :]),
    ]


def test_what_is_no_file_of_the_folder_is_left_alone(watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "secret.xml").write_bytes(log(1))
    (watch.path / "link.xml").symlink_to(tmp_path / "secret.xml")
    (watch.path / "sub.xml").mkdir()
    (watch.path / "sub.xml" / "in.xml").write_bytes(log(2))
    (watch.path / ".hidden.xml").write_bytes(log(3))
    (watch.path / "note.txt").write_bytes(log(4))
    os.mkfifo(watch.path / "pipe.xml")
    assert watch.scan(after=10) == []
    assert watch.spool._read("SELECT count(*) FROM file") == [(0,)]
    with pytest.raises(OSError, match="symbolic links"), watch.folder._open("link.xml"):
        pass


def test_a_link_that_takes_the_place_of_a_file_is_not_followed(
    watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.xml").write_bytes(log(1))
    file = watch.path / "day.xml"
    file.write_bytes(log(2))
    look = Folder._look

    def swapped(self: Folder) -> object:
        found = look(self)
        file.unlink()
        file.symlink_to(tmp_path / "secret.xml")
        return found

    monkeypatch.setattr(Folder, "_look", swapped)
    assert watch.scan() == []


def test_a_file_that_vanishes_is_no_trouble(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    look = Folder._look

    def vanished(self: Folder) -> object:
        found = look(self)
        (watch.path / "b.xml").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(Folder, "_look", vanished)
    for name in "abc":
        (watch.path / f"{name}.xml").write_bytes(log(ord(name)))
    assert sorted(name for name, _ in watch.scan()) == ["a.xml", "c.xml"]


def test_a_file_that_changes_while_it_is_read_waits(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, half = watch.path / "day.xml", len(HEAD + sale(1))
    file.write_bytes(log(1, 1))
    os.utime(file, (1, 1))
    read, calls = folder._read, count()

    def meddled(descriptor: int, offset: int, size: int) -> bytes:
        if next(calls) != 1:
            return read(descriptor, offset, size)
        before = read(descriptor, 0, half)
        file.write_bytes(log(2, 2))
        return before + read(descriptor, half, size - half)

    monkeypatch.setattr(folder, "_read", meddled)
    assert watch.scan() == [], "half of one file and half of another were taken for a third"
    assert watch.scan() == [("day.xml", log(2, 2))]


def test_a_file_that_cannot_be_read_is_named_and_tried_again(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    (watch.path / "day.xml").write_bytes(log(1))
    with monkeypatch.context() as patch:
        # The tests may run as a user whom no permission stops.
        patch.setattr(os, "open", _closed)
        assert watch.scan() == []
        assert watch.problem("day.xml") == "LP-AGENT-008"
    assert watch.scan() == [("day.xml", log(1))]
    assert watch.problem("day.xml") is None


def _closed(*_: object) -> int:
    raise PermissionError(13, "Permission denied")


def test_what_the_hub_would_refuse_stays_in_place_unspooled(watch: Watch) -> None:
    (watch.path / "bad.xml").write_bytes(b"<!DOCTYPE x>" + log(1))
    (watch.path / "empty.xml").write_bytes(b"")
    (watch.path / "good.xml").write_bytes(log(2))
    watch.scan()
    assert watch.scan(after=1) == [("good.xml", log(2))]
    assert watch.problem("bad.xml") == "LP-DOOR-003"
    assert watch.problem("empty.xml") == "LP-DOOR-001"
    (watch.path / "bad.xml").write_bytes(log(3))
    assert watch.scan()[1:] == [("bad.xml", log(3))]


def test_a_name_that_is_no_text_is_taken_all_the_same(watch: Watch) -> None:
    name = os.fsencode(watch.path) + b"/caf\xe9.xml"
    Path(os.fsdecode(name)).write_bytes(log(1))
    ((shown, payload),) = watch.scan()
    assert payload == log(1)
    assert shown.isprintable()

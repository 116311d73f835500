"""``lynchpin db`` as people use it: the real program, beside a hub that runs and without one."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

from hub.demo import poslog_writer
from hub.store.database import REVISION

if TYPE_CHECKING:
    from tests.e2e.conftest import House


def _json(house: House, *args: str, status: int = 0) -> Any:
    done = house.lynchpin("db", *args, "--json")
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def _audit(house: House) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(house.home / "lynchpin.db")) as raw:
        return raw.execute("SELECT act, subject FROM audit ORDER BY id").fetchall()


def test_a_backup_of_a_hub_that_runs_is_restored_elsewhere(fresh: Callable[[], House]) -> None:
    first, second = fresh(), fresh()
    shutil.rmtree(second.home)
    first.send("poslog", b"".join(poslog_writer.sales(20, seed=1, lines=2)))
    backup = str(first.folder / "today.backup")
    with first.up():
        assert _json(first, "check") == []
        told = _json(first, "backup", backup)
        assert house_is_busy(first, "restore", backup, "--replace")
    assert (told["file"], told["revision"]) == ("today.backup", REVISION)
    assert ("database.backup", "database") in _audit(first)
    done = _json(second, "restore", backup)
    assert (done["rows"], done["replaced"]) == (told["rows"], False)
    assert second.export() == first.export()
    assert _audit(second)[-1] == ("database.restore", "database")


def house_is_busy(house: House, *args: str) -> bool:
    done = house.lynchpin("db", *args)
    return done.returncode == 2 and "LP-CFG-003" in done.stderr


def test_what_is_unverified_stays_listed_until_somebody_says_how_they_know(house: House) -> None:
    house.send("poslog", b"".join(poslog_writer.sales(3, seed=1, lines=2)))
    backup = str(house.folder / "f")
    _json(house, "backup", backup)
    [window] = _json(house, "restore", backup, "--replace")["unverified"]
    assert window["source"] == "poslog"
    doctor = house.lynchpin("doctor")
    assert (doctor.returncode, "poslog" in doctor.stdout) == (1, True)
    with house.up() as up, up.calling(house.key("reader")) as client:
        assert _json(house, "unverified") == [window]
        assert client.get("/unverified").json() == {"windows": [window]}
        seconds = 'lynchpin_unverified_windows{source="poslog"} 1.0'
        assert seconds in client.get("/metrics").text
        told = house.lynchpin("db", "reconciled", "poslog", "--reason", "compared")
        assert told.returncode == 0, told.stderr
        assert _json(house, "unverified") == []
        assert "lynchpin_unverified_windows{" not in client.get("/metrics").text
    assert ("unverified.reconcile", "source poslog") in _audit(house)


def test_check_ends_with_1_where_something_is_wrong(house: House) -> None:
    house.send("poslog", b"".join(poslog_writer.sales(3, seed=1, lines=2)))
    with closing(sqlite3.connect(house.home / "lynchpin.db", isolation_level=None)) as raw:
        raw.execute("UPDATE message SET fact = 'gone' WHERE id = 1")
    [problem] = _json(house, "check", status=1)
    assert problem["code"] == "LP-DB-004"


def test_upgrade_says_what_it_does_and_refuses_what_is_newer(house: House) -> None:
    def put(revision: str) -> None:
        with closing(sqlite3.connect(house.home / "lynchpin.db", isolation_level=None)) as raw:
            raw.execute("UPDATE alembic_version SET version_num = ?", (revision,))

    put("9999")
    newer = house.lynchpin("db", "upgrade")
    assert (newer.returncode, "LP-CFG-023" in newer.stderr) == (2, True)
    (house.home / "lynchpin.db").unlink()
    assert _json(house, "upgrade", "--dry-run") == {"from": None, "to": REVISION, "done": False}
    assert not (house.home / "lynchpin.db").exists()
    assert _json(house, "upgrade") == {"from": None, "to": REVISION, "done": True}
    assert "up to date" in house.lynchpin("db", "upgrade").stdout

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import Engine, exc, func, insert, select

from hub.store import database, sqlite
from hub.store.database import open_database, quick_check
from hub.store.tables import audit, message, record
from schemas.problem import ConfigError

ROW = {"at": "2026-03-01T00:00:00.000000Z", "actor": "test", "act": "look", "subject": "nothing"}
RECORD = {
    "source": "tills",
    "system": "tills",
    "connector": "poslog",
    "bytes": 3,
    "sha256": "0" * 64,
    "context": b"",
    "received_at": "2026-03-01T00:00:00.000000Z",
    "messages": 1,
}
MESSAGE = {
    "record_id": 1,
    "position": 0,
    "offset": 0,
    "length": 3,
    "payload": b"abc",
    "digest": "0",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lynchpin.db"


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    engine = open_database(path)
    yield engine
    engine.dispose()


def count(engine: Engine) -> int:
    with engine.begin() as connection:
        return connection.execute(select(func.count()).select_from(audit)).scalar_one()


@pytest.mark.parametrize("access", ["write", "read"])
def test_the_settings_that_make_a_commit_durable_are_in_force(
    engine: Engine, path: Path, access: database.Access
) -> None:
    opened = open_database(path, access=access) if access == "read" else engine
    with opened.begin() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "mmap_size", "temp_store")
        }
    opened.dispose()
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "mmap_size": 0,
        "temp_store": 2,
    }


@pytest.mark.parametrize(
    ("setting", "weaker", "actual"),
    [
        ("synchronous", "NORMAL", "1"),
        ("journal_mode", "DELETE", "delete"),
        ("foreign_keys", "OFF", "0"),
        ("temp_store", "FILE", "1"),
    ],
)
def test_a_database_that_does_not_keep_a_setting_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, weaker: str, actual: str
) -> None:
    class Careless(sqlite3.Connection):
        """A build of SQLite that has its own idea of one setting."""

        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if sql.startswith(f"PRAGMA {setting} ="):
                sql = f"PRAGMA {setting} = {weaker}"
            return super().execute(sql, *parameters)

    def connect(*args: Any, **options: Any) -> sqlite3.Connection:
        return Careless(*args, **options)

    monkeypatch.setattr("hub.store.sqlite.sqlite3.connect", connect)
    with pytest.raises(ConfigError, match=f"{setting} stays {actual}") as refused:
        open_database(path)
    assert refused.value.problem.code == "LP-CFG-021"


def test_no_file_of_the_database_is_readable_by_others(path: Path) -> None:
    path.touch(0o644)
    before = os.umask(0)
    try:
        engine = open_database(path)
        with engine.begin() as connection:
            connection.execute(insert(audit), ROW)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        engine.dispose()
    finally:
        os.umask(before)
    assert modes == {"lynchpin.db": 0o600, "lynchpin.db-wal": 0o600, "lynchpin.db-shm": 0o600}


def test_a_transaction_is_kept_whole_or_not_at_all(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(audit), ROW)
    with pytest.raises(exc.IntegrityError), engine.begin() as connection:
        connection.execute(insert(audit), [ROW, {**ROW, "actor": None}])
    assert count(engine) == 1


def test_a_writer_has_the_write_lock_before_its_first_statement(engine: Engine, path: Path) -> None:
    other = sqlite3.connect(path, timeout=0, isolation_level=None)
    with engine.begin(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


def test_there_is_one_connection_that_writes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.01)
    engine = open_database(path)
    with engine.begin(), pytest.raises(exc.TimeoutError), engine.begin():
        pass
    engine.dispose()


def test_a_reader_sees_one_state_while_the_writer_goes_on(engine: Engine, path: Path) -> None:
    reader = open_database(path, access="read")
    query = select(func.count()).select_from(audit)
    with reader.begin() as reading:
        assert reading.execute(query).scalar() == 0
        with engine.begin() as writing:
            writing.execute(insert(audit), ROW)
        assert reading.execute(query).scalar() == 0
    assert count(reader) == 1
    reader.dispose()


def test_a_reader_can_change_nothing(engine: Engine, path: Path) -> None:
    reader = open_database(path, access="read")
    with pytest.raises(exc.OperationalError, match="readonly"), reader.begin() as connection:
        connection.execute(insert(audit), ROW)
    reader.dispose()


def test_a_state_and_its_settling_time_go_together(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(record), RECORD)
        connection.execute(insert(message), {**MESSAGE, "state": "pending"})
    for wrong in (
        {"state": "applied"},
        {"state": "held", "settled_at": ROW["at"]},
        {"state": "lost", "settled_at": ROW["at"]},
        {"state": "pending", "record_id": 2},
    ):
        with pytest.raises(Exception, match="constraint failed"), engine.begin() as connection:
            connection.execute(insert(message), {**MESSAGE, "position": 1, **wrong})


@pytest.mark.parametrize(
    ("column", "index"), [("state", "ix_message_open"), ("digest", "ix_message_open_digest")]
)
def test_open_messages_are_found_without_reading_the_settled_ones(
    engine: Engine, column: str, index: str
) -> None:
    query = select(message.c.id).where(message.c.settled_at.is_(None), message.c[column] == "held")
    with engine.begin() as connection:
        sql = f"EXPLAIN QUERY PLAN {query.compile(engine)}"
        plan = connection.exec_driver_sql(sql, ("held",)).all()
    assert f"INDEX {index} (" in str(plan)


def test_a_missing_database_is_no_empty_one_to_a_reader(path: Path) -> None:
    with pytest.raises(ConfigError, match="LP-CFG-020"):
        open_database(path, access="read")
    assert not path.exists()
    path.touch()
    with pytest.raises(ConfigError, match="LP-CFG-020"):
        open_database(path, access="read")


def test_a_file_of_someone_else_is_left_alone(path: Path) -> None:
    path.write_bytes(b"no database at all, but longer than the header of one " * 40)
    content = path.read_bytes()
    with pytest.raises(ConfigError, match="LP-CFG-024"):
        open_database(path)
    assert path.read_bytes() == content

    path.unlink()
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE theirs (id)")
    foreign.close()
    with pytest.raises(ConfigError, match="LP-CFG-024"):
        open_database(path)


def test_a_database_of_a_newer_version_is_refused(engine: Engine, path: Path) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match=r"LP-CFG-023.*9999"):
        open_database(path, access="read")


def test_a_database_of_an_older_version_waits_for_a_writer(engine: Engine, path: Path) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(ConfigError, match="LP-CFG-022"):
        open_database(path, access="read")


def test_a_home_may_have_any_name(tmp_path: Path) -> None:
    path = tmp_path / "a b?mode=ro#c%41" / "lynchpin.db"
    path.parent.mkdir()
    for access in get_args(database.Access):
        open_database(path, access=access).dispose()
    assert path.stat().st_size > 0


def test_a_home_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="LP-CFG-026"):
        open_database(tmp_path / "nowhere" / "lynchpin.db")


def test_the_check_finds_damage(path: Path) -> None:
    engine = open_database(path)
    with engine.begin() as connection:
        connection.execute(insert(audit), [{**ROW, "detail": "x" * 2000}] * 200)
    assert quick_check(engine) == ()
    engine.dispose()

    raw = sqlite3.connect(path)
    raw.execute("PRAGMA foreign_keys = OFF")
    raw.execute("INSERT INTO hold VALUES (77, 'LP-X', '{}', '', NULL, NULL, NULL)")
    raw.commit()
    query = "SELECT rootpage FROM sqlite_schema WHERE name = 'ix_audit_subject'"
    root = raw.execute(query).fetchone()[0]
    raw.close()
    content = bytearray(path.read_bytes())
    content[(root - 1) * 4096 : (root - 1) * 4096 + 100] = bytes(100)
    path.write_bytes(content)

    engine = open_database(path)
    findings = quick_check(engine)
    engine.dispose()
    assert "hold row 1 names a missing row of message" in findings
    assert len(findings) > 1


def test_opening_what_is_up_to_date_does_not_load_alembic(engine: Engine, path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from hub.store.database import open_database;"
        "open_database(Path(sys.argv[1])).dispose(); sys.exit('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    root = Path(__file__).parents[3]
    assert subprocess.run([*command, str(path)], cwd=root, check=False).returncode == 0
    fresh = path.with_name("fresh.db")
    assert subprocess.run([*command, str(fresh)], cwd=root, check=False).returncode == 1


def test_what_was_committed_outlives_a_kill(path: Path) -> None:
    program = """
import sys
from pathlib import Path
from sqlalchemy import insert
from hub.store.database import open_database
from hub.store.tables import audit
engine = open_database(Path(sys.argv[1]))
for number in range(100_000):
    with engine.begin() as connection:
        connection.execute(insert(audit), {"at": "", "actor": "", "act": "", "subject": number})
    print(number, flush=True)
"""
    command = [sys.executable, "-c", program, str(path)]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        for line in child.stdout:
            if int(line) >= 20:
                break
        child.kill()
        acknowledged = int([line, *child.stdout.read().split()][-1]) + 1
    engine = open_database(path)
    assert count(engine) in (acknowledged, acknowledged + 1)
    assert quick_check(engine) == ()
    engine.dispose()

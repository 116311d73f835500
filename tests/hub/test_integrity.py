"""The check: what cannot be so is found, and told as a cause."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from hub import bootstrap, integrity, settings
from hub.demo import poslog_writer, till
from hub.receive import receive
from hub.store.database import Place
from tests import homes

pytestmark = pytest.mark.databases

# What is done to a database behind its back, and the code that it is found by.
DAMAGE = {
    "LP-DB-001": "INSERT INTO link VALUES ('nobody', 0, 'void', NULL, NULL, '{}')",
    "LP-DB-002": "DROP INDEX uq_record_origin",
    "LP-DB-003": "UPDATE record SET messages = messages + 1 WHERE id = 1",
    "LP-DB-004": "UPDATE message SET fact = 'gone' WHERE id = 1",
    "LP-DB-005": "UPDATE message SET state = 'discarded' WHERE id = 2",
    "LP-DB-006": "DELETE FROM transaction_index WHERE workstation IS NOT NULL",
    "LP-DB-007": "DELETE FROM hold",
    "LP-DB-008": "INSERT INTO capture VALUES ('a.b', 'e', 'poslog', 5, '', '', 0, NULL)",
    "LP-DB-009": "UPDATE message SET payload = {odd} WHERE id = 3",
}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    home = homes.made(tmp_path / "home")
    sales = tmp_path / "sales.xml"
    sales.write_bytes(b"".join(poslog_writer.sales(5, seed=1, lines=2)))
    broken = tmp_path / "broken.xml"
    broken.write_bytes(poslog_writer.without_total(till.sale(99, seed=9)))
    with bootstrap.open_hub(home) as hub:
        receive(hub, "poslog", [sales, broken, sales])
    return settings.read(home).database(home)


def _do(place: Place, statement: str) -> None:
    """Behind the back of whatever keeps rows together."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place, isolation_level=None)) as raw:
            raw.execute(statement.replace("{odd}", "x'00'"))
        return
    address = place.render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as server:
        server.execute("SET session_replication_role = replica")
        server.execute(statement.replace("{odd}", "'\\x00'").encode())


def test_what_cannot_be_so_is_found(place: Place) -> None:
    assert list(integrity.examine(place)) == []
    done: set[str] = set()
    for code, statement in DAMAGE.items():
        _do(place, statement)
        done.add(code)
        found = list(integrity.examine(place))
        assert {problem.code for problem in found} == done
        assert all(problem.detail for problem in found)
    assert "LP-DB-009" not in {problem.code for problem in integrity.examine(place, quick=True)}
    _do(place, "UPDATE alembic_version SET version_num = '0006'")
    assert [problem.code for problem in integrity.examine(place)] == ["LP-CFG-022"]


def test_a_database_that_is_not_there_is_a_problem_like_others(tmp_path: Path) -> None:
    found = list(integrity.examine(tmp_path / "nowhere.db"))
    assert [problem.code for problem in found] == ["LP-CFG-020"]


def test_pages_that_are_damaged_are_found(place: Place) -> None:
    if not isinstance(place, Path):
        _do(place, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'pk_hold'::regclass")
    else:
        with closing(sqlite3.connect(place)) as raw:
            query = "SELECT rootpage FROM sqlite_schema WHERE name = 'ix_audit_subject'"
            root = raw.execute(query).fetchone()[0]
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        content = bytearray(place.read_bytes())
        content[(root - 1) * 4096 : (root - 1) * 4096 + 100] = bytes(100)
        place.write_bytes(content)
    assert "LP-CFG-025" in [problem.code for problem in integrity.examine(place)]

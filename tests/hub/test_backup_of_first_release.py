"""A backup of the first release, restored by the program of today."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from hub.home import Home
from hub.store import sqlite
from hub.store.database import upgrade
from tests.hub.test_backup import _backup, _dump, _place, _restore


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_of_the_first_release_comes_up_to_date_with_all_that_is_in_it(
    tmp_path: Path, kind: str
) -> None:
    old = Home(tmp_path / "old")
    _first_release(old.database)
    told = _backup(old.database, tmp_path / "old.backup")
    assert told.revision == "0001"
    with _place(kind, tmp_path, name="home") as (home, place):
        _restore(tmp_path / "old.backup", home, place)
        after = _dump(home)
    assert [row[5] for row in after["record"]] == [3]
    assert len(after["message"]) == 1


def _first_release(path: Path) -> None:
    path.parent.mkdir()
    engine = sqlite.engine_of(path, "write")
    upgrade(engine, "0001")
    with engine.begin() as connection:
        connection.execute(text(
            "INSERT INTO record (source, system, connector, bytes, sha256, context, received_at,"
            " messages) VALUES ('tills', 'tills', 'poslog', 3, 'x', x'', '2026-01-01', 1)"
        ))  # fmt: skip
        connection.execute(text(
            'INSERT INTO message (record_id, position, "offset", length, payload, digest, state)'
            " VALUES (1, 0, 0, 3, x'616263', 'y', 'pending')"
        ))  # fmt: skip
        assert "capture" not in inspect(connection).get_table_names()
    engine.dispose()

"""PostgreSQL keeps the promises that SQLite keeps; the server is a real one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, Engine, exc, func, insert, literal, select, text

from hub import bootstrap
from hub.home import Home
from hub.store import postgres as dialect
from hub.store.database import open_database, quick_check
from hub.store.said import Said
from hub.store.tables import audit, metadata
from schemas.problem import ConfigError
from tests import postgres

ROW = {"at": "2026-03-01T00:00:00.000000Z", "actor": "test", "act": "look", "subject": "nothing"}


@pytest.fixture
def url() -> Iterator[URL]:
    with postgres.database() as made:
        yield made


@pytest.fixture
def empty() -> Iterator[URL]:
    with postgres.database(template=False) as made:
        yield made


@pytest.fixture
def engine(url: URL) -> Iterator[Engine]:
    made = open_database(url)
    yield made
    made.dispose()


def count(engine: Engine) -> int:
    with engine.begin() as connection:
        return connection.execute(select(func.count()).select_from(audit)).scalar_one()


def raw(url: URL) -> psycopg.Connection[Any]:
    return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)


def test_what_a_session_must_keep_is_in_force(engine: Engine) -> None:
    with engine.begin() as connection:
        said = {
            name: connection.scalar(text(f"SHOW {name}"))
            for name in ("fsync", "synchronous_commit", "server_encoding", "timezone")
        }
    assert said == {
        "fsync": "on",
        "synchronous_commit": "on",
        "server_encoding": "UTF8",
        "timezone": "UTC",
    }


def test_a_database_that_was_told_to_commit_carelessly_commits_with_care(url: URL) -> None:
    with raw(url) as connection:
        connection.execute(f'ALTER DATABASE "{url.database}" SET synchronous_commit = off'.encode())
    engine = open_database(url)
    with engine.begin() as opened:
        assert opened.scalar(text("SHOW synchronous_commit")) == "on"
    engine.dispose()


def test_a_server_that_does_not_keep_a_setting_is_refused(
    url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(dialect._SAFE, "fsync", ("off",))
    with pytest.raises(ConfigError, match="fsync is on") as refused:
        open_database(url)
    assert refused.value.problem.code == "LP-CFG-021"


def test_text_compares_by_its_code_points_whatever_the_language_of_the_database(
    engine: Engine,
) -> None:
    query = """
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = current_schema() AND data_type IN ('text', 'character varying')
        AND table_name != 'alembic_version' AND collation_name IS DISTINCT FROM 'C'"""
    with engine.begin() as connection:
        assert connection.execute(text(query)).all() == []
        names = connection.execute(text("SELECT count(*) FROM information_schema.columns"))
        assert names.scalar_one() > 100


def test_who_writes_waits_for_whoever_writes(url: URL, engine: Engine) -> None:
    other = open_database(url)
    seen: list[int] = []

    def add() -> None:
        with other.begin() as connection:
            seen.append(connection.scalar(select(func.count()).select_from(audit)) or 0)

    waiting = threading.Thread(target=add)
    with engine.begin() as connection:
        waiting.start()
        locks = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while waiting.is_alive() and not connection.scalar(text(locks)):
            pass
        connection.execute(insert(audit), ROW)
    waiting.join()
    other.dispose()
    # It looked only once its turn had come, and saw what the first had written.
    assert seen == [1]


def test_a_reader_sees_one_state_and_can_change_nothing(url: URL, engine: Engine) -> None:
    reader = open_database(url, access="read")
    with reader.begin() as reading:
        assert reading.scalar(select(func.count()).select_from(audit)) == 0
        with engine.begin() as writing:
            writing.execute(insert(audit), ROW)
        assert reading.scalar(select(func.count()).select_from(audit)) == 0
    with pytest.raises(exc.DBAPIError, match="read-only"), reader.begin() as connection:
        connection.execute(insert(audit), ROW)
    reader.dispose()
    assert count(engine) == 1


def test_several_that_come_first_at_once_make_the_tables_once(empty: URL) -> None:
    failures: list[BaseException] = []

    def come() -> None:
        try:
            open_database(empty).dispose()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=come) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with raw(empty) as connection:
        made = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert {row[0] for row in made} == {*metadata.tables, "alembic_version"}


def test_nothing_is_made_for_a_reader(empty: URL) -> None:
    with pytest.raises(ConfigError, match="LP-CFG-020"):
        open_database(empty, access="read")


def test_a_database_of_someone_else_is_left_alone(empty: URL) -> None:
    with raw(empty) as connection:
        connection.execute("CREATE TABLE theirs (id int)")
    with pytest.raises(ConfigError, match="LP-CFG-024"):
        open_database(empty)


@pytest.mark.parametrize(("revision", "code"), [("0000", "LP-CFG-022"), ("9999", "LP-CFG-023")])
def test_a_database_of_another_version_is_refused(url: URL, revision: str, code: str) -> None:
    with raw(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", (revision,))
    with pytest.raises(ConfigError, match=code):
        open_database(url, access="read")


def test_a_server_that_gives_no_answer_is_told_without_the_password(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LYNCHPIN_DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:1/lynchpin")
        with pytest.raises(ConfigError) as refused:
            bootstrap.create(home)
    assert refused.value.problem.code == "LP-CFG-027"
    assert refused.value.problem.path == "database_url"
    assert "hunter2" not in str(refused.value)


def test_a_nul_in_a_text_is_kept_as_its_sign_and_found_again(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(audit), {**ROW, "subject": "a\0b"})
        found = connection.scalar(select(audit.c.subject).where(audit.c.subject == "a\0b"))
    assert found == "a\N{SYMBOL FOR NULL}b"


def test_a_json_text_that_has_a_nul_somewhere_can_be_asked(engine: Engine) -> None:
    body = literal('{"at": {"utc": "then"}, "note": "a\\u0000b"}')
    with engine.begin() as connection:
        assert connection.scalar(select(Said(body, "at", "utc"))) == "then"
        assert connection.scalar(select(Said(body, "at", "zone"))) is None


def test_the_check_finds_an_index_that_is_not_whole(url: URL, engine: Engine) -> None:
    assert quick_check(engine) == ()
    with raw(url) as connection:
        connection.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_audit_subject'::regclass"
        )
    assert quick_check(engine) == ("the index ix_audit_subject is not whole",)


def test_a_server_connection_that_was_cut_is_made_again(url: URL, engine: Engine) -> None:
    assert count(engine) == 0
    with raw(url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid != pg_backend_pid()"
        )
    assert count(engine) == 0

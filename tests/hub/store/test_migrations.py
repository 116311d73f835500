from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, inspect, select
from sqlalchemy.dialects import registry
from sqlalchemy.schema import CreateIndex, CreateTable

from hub import integrity, journal
from hub.store import postgres as dialect
from hub.store import sqlite
from hub.store.database import REVISION, open_database, upgrade
from hub.store.tables import delivery, document, message, metadata, record
from schemas.problem import ConfigError
from tests import postgres

_DIGEST = hashlib.sha256(b"sale").hexdigest()
_FIRST_RELEASE = [
    statement.strip()
    for statement in f"""
        INSERT INTO record (source, system, connector, name, bytes, sha256, context, received_at,
            messages) VALUES ('tills', 'tills', 'poslog', 'day.xml', 3, 'x', '', '2026-01-01', 1);
        INSERT INTO mapping_version VALUES ('m', 'poslog.retail', 'text', '2026-01-01');
        INSERT INTO message (record_id, position, "offset", length, payload, digest, state, kind,
            fact, mapping, settled_at) VALUES
            (1, 0, 0, 3, {{packed}}, '{_DIGEST}', 'applied', 'retail', 'tills:1', 'm', 'then');
        INSERT INTO document (fact, kind, model, business_hash, content_version, message_id,
            mapping, body) VALUES ('tills:1', 'Reversal', 'Reversal/1', 'h', 1, 1, 'm', '{{}}')
    """.split(";")
]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "lynchpin.db")
    yield engine
    engine.dispose()


def _said(statement: str, connection: Connection) -> str:
    packed = journal.compress(b"sale").hex()
    mark = f"x'{packed}'" if connection.dialect.name == "sqlite" else f"'\\x{packed}'"
    return statement.replace("{packed}", mark)


def passed_over(connection: Connection) -> dict[str, Any]:
    """What Alembic's own comparison does not look at."""
    inspector = inspect(connection)
    found: dict[str, Any] = {
        table: (
            inspector.get_pk_constraint(table),
            sorted(str(check) for check in inspector.get_check_constraints(table)),
            [str(column["default"]) for column in inspector.get_columns(table)],
        )
        for table in metadata.tables
    }
    indexes = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_schema WHERE sql LIKE '%INDEX%'"
    )
    return found | {index.name: index.sql for index in indexes}


def test_the_migrations_make_the_tables_that_the_code_knows(engine: Engine, tmp_path: Path) -> None:
    declared = sqlite.engine_of(tmp_path / "declared.db", "write")
    with engine.begin() as migrated, declared.begin() as created:
        metadata.create_all(created)
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(migrated, opts=options)
        assert compare_metadata(context, metadata) == []
        assert passed_over(migrated) == passed_over(created)
    declared.dispose()


def test_the_revision_that_needs_no_alembic_is_the_newest() -> None:
    config = Config()
    config.set_main_option("script_location", "hub.store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION


@contextmanager
def _of_the_first_release(folder: Path, kind: str) -> Iterator[tuple[Path | URL, Engine]]:
    """A database as the first release left it, with data in it; the test disposes of the engine."""
    with ExitStack() as stack:
        if kind == "sqlite":
            place: Path | URL = folder / "lynchpin.db"
            engine = sqlite.engine_of(folder / "lynchpin.db", "write")
        else:
            place = stack.enter_context(postgres.database(template=False))
            engine = dialect.engine_of(place, "write", int(REVISION))
        upgrade(engine, "0001")
        with engine.begin() as connection:
            for statement in _FIRST_RELEASE:
                connection.exec_driver_sql(_said(statement, connection))
        yield place, engine


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_first_release_comes_up_to_date_with_all_that_is_in_it(
    tmp_path: Path, kind: str
) -> None:
    with _of_the_first_release(tmp_path, kind) as (place, engine):
        engine.dispose()
        opened = open_database(place)
        with opened.begin() as connection:
            found = connection.execute(
                select(document.c.fact, document.c.further, record.c.name, record.c.capture)
                .join_from(document, message)
                .join(record)
            ).all()
        assert found == [("tills:1", None, "day.xml", None)]
        assert list(integrity.examine(place)) == []
        opened.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_was_delivered_before_corrections_counts_as_told(tmp_path: Path, kind: str) -> None:
    with _of_the_first_release(tmp_path, kind) as (place, engine):
        upgrade(engine, "0016")
        ends = {"delivered": "'then'", "discarded": "'then'", "waiting": "NULL"}
        with engine.begin() as connection:
            for state, done in ends.items():
                connection.exec_driver_sql(
                    "INSERT INTO delivery (key, destination, subject, kind, message_id, created_at,"
                    f" state, due_at, done_at) VALUES ('{state}', 'crm', 'tills:1', 'Reversal', 1,"
                    f" 'before', '{state}', 'before', {done})"
                )
        engine.dispose()
        opened = open_database(place)
        with opened.begin() as connection:
            columns = (delivery.c.state, delivery.c.told_at, delivery.c.reverses)
            found = connection.execute(select(*columns).order_by(delivery.c.id)).all()
        assert found == [
            ("delivered", "then", None),
            ("discarded", None, None),
            ("waiting", None, None),
        ]
        assert list(integrity.examine(place)) == []
        opened.dispose()


def test_a_hub_of_an_earlier_version_is_not_upgraded_under_its_feet() -> None:
    with postgres.database(template=False) as place:
        earlier = dialect.engine_of(place, "write", int(REVISION) - 1)
        upgrade(earlier, "0001")
        with pytest.raises(ConfigError, match="LP-CFG-029"):
            open_database(place)
        with earlier.begin() as connection:
            assert connection.exec_driver_sql("SELECT * FROM alembic_version").all() == [("0001",)]
        earlier.dispose()
        open_database(place).dispose()


def test_a_migration_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lynchpin.db"
    with monkeypatch.context() as patch:
        patch.setattr("alembic.operations.Operations.create_index", lambda *_, **__: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            open_database(path)
    engine = open_database(path)
    with engine.begin() as connection:
        assert set(metadata.tables) < set(inspect(connection).get_table_names())
    engine.dispose()


@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
def test_every_table_can_be_said_in_both_databases(name: str) -> None:
    dialect = registry.load(name)()
    for table in metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            partial = index.dialect_options["sqlite"]["where"] is not None
            assert ("WHERE" in str(CreateIndex(index).compile(dialect=dialect))) == partial
            # PostgreSQL cuts longer names, and then two may meet.
            assert len(str(index.name)) <= 63

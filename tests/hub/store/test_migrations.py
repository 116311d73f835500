from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.dialects import registry
from sqlalchemy.schema import CreateIndex, CreateTable

from hub.store import sqlite
from hub.store.database import REVISION, open_database
from hub.store.tables import metadata


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "lynchpin.db")
    yield engine
    engine.dispose()


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

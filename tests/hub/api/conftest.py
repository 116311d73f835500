"""A hub that answers on a port of this machine, with a key of every role."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from hub import bootstrap, keys
from hub.api import application
from hub.api.connection import server as server_of
from hub.bootstrap import Hub, utc_now
from hub.home import Home
from hub.keys import Role
from hub.store.tables import audit, message, metadata
from hub.writer import Writer, writing
from tests import homes


@dataclass(frozen=True)
class Serving:
    """A running hub and how to call it."""

    hub: Hub
    writer: Writer
    app: FastAPI
    port: int
    keys: dict[str, str]

    def client(self, role: str | None = None) -> httpx2.Client:
        """Calls with the key of a role, or without any; the caller closes it."""
        headers = {"Authorization": f"Bearer {self.keys[role]}"} if role else {}
        base = f"http://127.0.0.1:{self.port}"
        return httpx2.Client(base_url=base, headers=headers, timeout=30, trust_env=False)

    def call(self, role: str | None, method: str, path: str, **options: object) -> httpx2.Response:
        with self.client(role) as client:
            return client.request(method, path, **options)  # type: ignore[arg-type]

    def send(self, content: bytes, *, source: str = "poslog", **headers: str) -> httpx2.Response:
        path = f"/sources/{source}/records"
        return self.call("source", "POST", path, content=content, headers=headers)

    def count(self, table: str) -> int:
        def rows() -> int:
            with self.hub.engine.begin() as connection:
                return int(
                    connection.scalar(select(func.count()).select_from(metadata.tables[table])) or 0
                )

        return self.writer.alone(rows).result()

    def audited(self, *acts: str) -> list[tuple[str, str, str, dict[str, Any] | None]]:
        """Who saw what, by the audit: actor, act, subject and what else it says; or did what."""
        chosen = acts or ("read", "reveal")

        def rows() -> list[tuple[str, str, str, dict[str, Any] | None]]:
            found = select(audit).where(audit.c.act.in_(chosen)).order_by(audit.c.id)
            with self.hub.engine.begin() as connection:
                return [
                    (row.actor, row.act, row.subject, json.loads(row.detail or "null"))
                    for row in connection.execute(found)
                ]

        return self.writer.alone(rows).result()

    def settled(self) -> dict[str, int]:
        """How many messages are in which state, once none is pending."""

        def states() -> dict[str, int]:
            found = select(message.c.state, func.count()).group_by(message.c.state)
            with self.hub.engine.begin() as connection:
                return {row[0]: row[1] for row in connection.execute(found)}

        while "pending" in (found := self.writer.alone(states).result()):
            pass
        return found


@contextmanager
def serve(home: Home, now: Callable[[], str] = utc_now) -> Iterator[Serving]:
    """Run a hub until the block ends. Its source key is for tills."""
    with ExitStack() as stack:
        hub = stack.enter_context(bootstrap.open_hub(home, now=now))
        texts: dict[str, str] = {}
        with hub.engine.begin() as connection:
            for role in get_args(Role):
                sources = ("poslog",) if role == "source" else ()
                to = ("crm",) if role == "receiver" else ()
                who = {"actor": "test", "now": hub.now()}
                made = keys.create(connection, role, role, sources, destinations=to, **who)
                texts[role] = made[1]
        writer = stack.enter_context(writing(hub))
        app = application(hub, writer)
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
        server = server_of(app)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield Serving(hub, writer, app, listener.getsockname()[1], texts)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """A hub with its defaults, up until the test ends."""
    home = homes.made(tmp_path / "home")
    with serve(home) as running:
        yield running

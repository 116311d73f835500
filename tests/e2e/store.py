"""A store beside a house: folders that its tills write to, its agent, and the line to the hub."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from store_agent import home as agent_home
from store_agent.home import Home

__all__ = [
    "AGENT",
    "DELETED",
    "VARIANT",
    "Line",
    "Store",
    "a_port",
    "asked",
    "is_settled",
    "line_to",
    "wait_until",
]

AGENT: Sequence[str | Path] = (Path(sys.executable).with_name("lynchpin-agent"), "run")
VARIANT = (sys.executable, str(Path(__file__).with_name("variant.py")))
"""Runs a program in a variant: who and which follow."""
PATIENCE_SECONDS = 90
DELETED = 'after = "delete"'
"""What the settings of a capture add whose files are written only once."""


def wait_until(so: Callable[[], object], what: str) -> None:
    """Look until it is so; fails saying ``what`` is not."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not so():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@contextmanager
def a_port() -> Iterator[int]:
    """A port that nobody else gets, for who comes up again and again."""
    with socket.socket() as kept:
        # Bound and not listening, it lets in only who says the same.
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


def asked(home: Path, query: str) -> list[Any]:
    """Rows of a hub's database, whether the hub runs or not."""
    return _rows(home / "lynchpin.db", query)


def is_settled(home: Path) -> bool:
    """Whether the hub has worked off all that it took in."""
    return asked(home, "SELECT count(*) FROM message WHERE state = 'pending'") == [(0,)]


def _rows(database: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


@dataclass(frozen=True)
class Store:
    """An agent's home, and for each capture the folder of that name that it watches."""

    folder: Path
    url: str
    key: str
    captures: Mapping[str, str] = field(default_factory=lambda: {"sales": DELETED})
    """By name, with what their settings add."""
    keep_days: int = 14
    """Without any, nothing but the order of what is done stands between a crash and a loss."""

    def __post_init__(self) -> None:
        agent_home.create(self.home)
        told = [f'hub = "{self.url}"', 'name = "store-9001"', f'key = "{self.key}"']
        told += ["free_mb_min = 0", f"keep_days = {self.keep_days}"]
        for name, more in self.captures.items():
            self.drop(name).mkdir(exist_ok=True)
            told += [f"[captures.{name}]", 'source = "poslog"', 'connector = "poslog"']
            told += [f'folder = "{self.drop(name)}"', 'pattern = "*.xml"', "quiet_seconds = 0.5"]
            told += [more]
        self.home.settings.write_text("\n".join(told) + "\n")

    @property
    def home(self) -> Home:
        """The agent's."""
        return Home(self.folder / "agent")

    def drop(self, capture: str = "sales") -> Path:
        """The folder of a capture."""
        return self.folder / capture

    def put(self, name: str, content: bytes, capture: str = "sales") -> None:
        """Write a file beside the folder and rename it in, as a careful till does."""
        part = self.folder / f"{name}.part"
        part.write_bytes(content)
        part.rename(self.drop(capture) / name)

    def cloned(self, folder: Path) -> Store:
        """The same box a second time: spool, settings and files, in a folder of its own."""
        shutil.copytree(self.folder, folder)
        return Store(folder, self.url, self.key, self.captures)

    @contextmanager
    def agent(self, command: Sequence[str | Path] = AGENT) -> Iterator[subprocess.Popen[bytes]]:
        """Run the agent, killed -9 at the end; what it writes is added to ``agent.log``."""
        with self.started(command) as process:
            try:
                yield process
            finally:
                process.kill()

    def started(self, command: Sequence[str | Path] = AGENT) -> subprocess.Popen[bytes]:
        """The agent, which whoever asked for it ends."""
        with (self.folder / "agent.log").open("ab") as log:
            return subprocess.Popen(command, env=self._environment, stderr=log)

    def said(self, *options: str) -> str:
        """What ``lynchpin-agent status`` says."""
        command = [AGENT[0], "status", *options]
        done = subprocess.run(command, env=self._environment, capture_output=True, check=True)
        return done.stdout.decode()

    def status(self) -> dict[str, dict[str, Any]]:
        """The same for programs, by capture."""
        return {one["capture"]: one for one in json.loads(self.said("--json"))["captures"]}

    def spooled(self, query: str) -> list[Any]:
        """Rows of the spool; none as long as there is no spool."""
        try:
            return _rows(self.home.spool, query)
        except sqlite3.OperationalError:
            return []

    def committed(self) -> int:
        """How many records the agent takes for being on the hub's disk."""
        return sum(row[0] for row in self.spooled("SELECT committed FROM lane"))

    def is_captured(self) -> bool:
        """Whether all that lies in the folders is in the spool, or was."""
        lying = set()
        for name in self.captures:
            for file in self.drop(name).glob("*.xml"):
                # The agent may delete it while we look.
                with suppress(FileNotFoundError):
                    lying.add((name, file.name, file.stat().st_size))
        settled = "SELECT capture, name, size FROM file WHERE settled AND gone_at IS NULL"
        return lying <= {*self.spooled(settled)}

    def is_done(self) -> bool:
        """Whether all that lies in the folders is captured, and the hub has all of it."""
        return self.is_captured() and self.spooled("SELECT count(*) FROM record") == [(0,)]

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "LYNCHPIN_AGENT_HOME": str(self.home.path)}


@dataclass
class Line:
    """The line to a hub. While ``up`` is false nothing passes.

    With ``losing`` the first answer to each batch is lost, once the hub has given it. ``lost``
    names those batches.
    """

    port: int
    up: bool = True
    losing: bool = False
    url: str = ""
    lost: set[str] = field(default_factory=set)

    def passes(self, method: str, body: bytes) -> bool:
        """Whether this answer reaches the store."""
        batch = hashlib.sha256(body).hexdigest()
        if not self.losing or method != "POST" or batch in self.lost:
            return self.up
        self.lost.add(batch)
        return False


class _Handler(BaseHTTPRequestHandler):
    line: Line
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        self._forward()

    def do_POST(self) -> None:
        self._forward()

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.close_connection = True
        if not self.line.up:
            return
        with closing(http.client.HTTPConnection("127.0.0.1", self.line.port, timeout=60)) as hub:
            hub.request(self.command, self.path, body, dict(self.headers))
            answer = hub.getresponse()
            content = answer.read()
        if self.line.passes(self.command, body):
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a hub or an agent that is not there."""


@contextmanager
def line_to(port: int) -> Iterator[Line]:
    """A line to the hub at this port of this machine, until the block ends."""
    line = Line(port)
    with _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"line": line})) as server:
        line.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield line
        finally:
            server.shutdown()
            thread.join()

"""A server at work in a process of its own, to send requests to."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from hub.home import Home

__all__ = ["Server", "console", "hub_served", "served"]

_LYNCHPIN = [sys.executable, "-c", "from hub.cli import main; main()"]
_HUB = [*_LYNCHPIN, "up", "--port", "0"]


@dataclass(frozen=True, slots=True)
class Server:
    """It listens at this port of this machine."""

    process: subprocess.Popen[bytes]
    port: int

    def processor(self) -> float:
        """Processor seconds so far, which Linux tells in the 14th and 15th field, in ticks."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text("utf-8").rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def hub_served(home: Home) -> AbstractContextManager[Server]:
    """The hub as it is run, with this home."""
    return served(_HUB, said=home.path / "said", LYNCHPIN_HOME=str(home.path))


def console(home: Home, server: Server) -> httpx2.Client:
    """A browser that has used up a link of ``lynchpin console``, for the caller to close."""
    environment = os.environ | {"LYNCHPIN_HOME": str(home.path)}
    command = [*_LYNCHPIN, "console"]
    link = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    browser = httpx2.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False)
    browser.get(link.stdout.strip()).raise_for_status()
    return browser


@contextmanager
def served(command: Sequence[str], *, said: Path, **environment: str) -> Iterator[Server]:
    """The server until the block ends, and until it has ended by itself.

    It must say its address first; what it says goes to a file, for nobody empties a pipe.
    """
    with said.open("wb") as errors:
        process = subprocess.Popen(command, env=os.environ | environment, stderr=errors)
    with process:
        try:
            yield Server(process, _port(process, said))
        finally:
            process.terminate()


def _port(process: subprocess.Popen[bytes], said: Path) -> int:
    while process.poll() is None:
        if found := re.search(r"http://\S+?:(\d+)", said.read_text("utf-8")):
            return int(found[1])
        time.sleep(0.05)
    raise AssertionError(f"the server did not come up: {said.read_text('utf-8')}")

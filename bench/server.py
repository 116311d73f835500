"""A server at work in a process of its own, to send requests to."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2

from hub.home import Home

__all__ = ["Server", "console", "hub_served", "processor", "served"]

_LYNCHPIN = [sys.executable, "-c", "from hub.cli import main; main()"]
_HUB = [*_LYNCHPIN, "up", "--port", "0"]


@dataclass(frozen=True, slots=True)
class Server:
    """It listens at this port of this machine."""

    process: subprocess.Popen[bytes]
    port: int

    def processor(self) -> float:
        """Processor seconds so far, of the server and of the processes that it has started."""
        return processor(self.process.pid)

    def processors(self) -> dict[int, float]:
        """The same, process by process."""
        return {number: _processor(number) for number in _family(self.process.pid)}

    def memory_mb(self) -> float:
        """What the server and the processes that it has started hold in memory now."""
        return sum(_memory_mb(number) for number in _family(self.process.pid))


def processor(number: int) -> float:
    """Processor seconds so far of a process and of all that it has started."""
    return sum(_processor(each) for each in _family(number))


def _family(number: int) -> list[int]:
    """A process and all that it has started, as Linux tells."""
    parents: dict[int, int] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        # Whoever ends meanwhile has no file any more.
        with suppress(OSError):
            parents[int(file.parent.name)] = int(
                file.read_text("utf-8").rpartition(")")[2].split()[1]
            )
    found = [number]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


def _processor(number: int) -> float:
    """Linux tells it in the 14th and 15th field, in ticks."""
    fields = Path(f"/proc/{number}/stat").read_text("utf-8").rpartition(")")[2]
    user, system = fields.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _memory_mb(number: int) -> float:
    pages = Path(f"/proc/{number}/statm").read_text("utf-8").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1_000_000


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

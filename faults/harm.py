"""The harms: what is done to a hub while a store sends to it."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from random import Random
from typing import Any

from faults.disk import filled, small_disk
from faults.down import down
from faults.house import House, Sender, some
from faults.ledger import FILE, Verdict, judge
from faults.polled import polled
from faults.server import open_server, start_server, stop_server
from faults.shipped import shipped

__all__ = ["FAULTS", "Fault", "suffered"]

_DISK_MB = 1024
_FAILED = "failed.log"
_MOMENT_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Fault:
    """A harm, and the variant that must not survive it: ``red`` names what then goes wrong."""

    what: str
    control: str
    red: str
    harm: Callable[[House, Sender, Random], None] | None = None
    failing: bool = False
    """Whether the disk fails now and then to keep what it was given."""
    lose: float = 0.0
    server: bool = False
    """Whether it is the server of the database that is harmed."""
    small: bool = False
    at_once: int = 1
    """How many files come as one."""
    alone: Callable[[Path, int, str, Random], Verdict] | None = None
    """A harm that needs a house of its own."""


def suffered(fault: Fault, messages: int, *, variant: str = "as it is") -> Verdict:
    """What a hub holds in the end that was harmed while so many messages came."""
    with ExitStack() as stack:
        folder = stack.enter_context(_folder(small=fault.small))
        dice = Random(fault.what)  # noqa: S311
        if fault.alone is not None:
            return fault.alone(folder, messages, variant, dice)
        server = stack.enter_context(open_server()) if fault.server else None
        before = _eio(folder / _FAILED) if fault.failing else ()
        house = House(folder, variant, server and str(server.get_uri()), before)
        stack.callback(house.kill)
        sender = Sender(house, max(messages // FILE, 1), fault.lose, fault.at_once)
        house.start()
        thread = threading.Thread(target=sender.run)
        thread.start()
        try:
            if server is not None:
                _stop_server(server, sender, dice)
            if fault.harm is not None:
                fault.harm(house, sender, dice)
        finally:
            sender.let(inf)
            thread.join()
        # From here on nothing is done to it.
        house.kill()
        house.before = ()
        house.rest()
        verdict = judge(house.home, house.database, sender.acknowledged)
        return replace(verdict, harms=sender.struck)


def _kill(house: House, sender: Sender, dice: Random) -> None:
    """Kill it again and again, soon after it has acknowledged something."""
    while sender.gets_on(some(dice)):
        # Of many that came as one, some are settled by then, and some are not.
        sender.done.wait(dice.uniform(0, _MOMENT_SECONDS * sender.at_once))
        house.kill()
        house.start()
        sender.struck += 1


def _cut(house: House, sender: Sender, dice: Random) -> None:
    """The sender itself hears nothing of some answers."""
    sender.let(inf)
    sender.done.wait()
    sender.struck = sender.unsaid


def _fail(house: House, sender: Sender, dice: Random) -> None:
    """The disk fails from the first; what it is started by says how often."""
    sender.let(inf)
    sender.done.wait()
    sender.struck = (house.folder / _FAILED).read_text("utf-8").count("INJECTED")


def _fill(house: House, sender: Sender, dice: Random) -> None:
    """Take the last of the room, and give it back after a while."""
    while sender.gets_on(some(dice)):
        with filled(house.folder):
            sender.struck += 1
            sender.let(sender.at_once)
            sender.done.wait(dice.uniform(0.5, 1.5))


def _stop_server(server: Any, sender: Sender, dice: Random) -> None:
    """Stop it again and again, soon after something was acknowledged, and start it again."""
    while sender.gets_on(some(dice)):
        stop_server(server)
        sender.struck += 1
        sender.done.wait(dice.uniform(0, 1))
        start_server(server)


@contextmanager
def _folder(*, small: bool) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lynchpin-faults-") as name:
        folder = Path(name)
        if not small:
            yield folder
            return
        with small_disk(folder / "disk", _DISK_MB) as disk:
            yield disk


def _eio(log: Path) -> tuple[str, ...]:
    """What has some calls fail that wait for the disk, and writes down which."""
    return (
        *("strace", "-f", "--seccomp-bpf", "-qq", "-A", "-o", str(log)),
        *("-e", "trace=fsync,fdatasync", "-e", "status=failed"),
        *("-e", "inject=fsync,fdatasync:error=EIO:when=12+8"),
    )


FAULTS: dict[str, Fault] = {
    "kill": Fault("kill -9 of the hub", "early", "lost", _kill),
    "cut": Fault("answers cut after the commit", "nameless", "doubled", _cut, lose=0.34),
    "server": Fault("PostgreSQL stopped at once", "early", "lost", server=True),
    "full": Fault("a full disk", "early", "lost", _fill, small=True),
    "eio": Fault("EIO on fsync", "early", "lost", _fail, failing=True),
    # A file alone is settled in one piece before the next one comes: of five, most wait.
    "order": Fault("kill -9 while much waits", "backwards", "out_of_order", _kill, at_once=5),
    "down": Fault("a destination down for three days", "forgetful", "lost", alone=down),
    "process": Fault("kill -9 of a random process", "early", "lost", alone=shipped),
    "poll": Fault("kill -9 of a hub that polls", "cursor first", "lost", alone=polled),
}

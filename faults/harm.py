"""The harms: what is done to a hub while a store sends to it."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from faults.disk import filled, small_disk
from faults.down import down
from faults.house import House, Sender
from faults.ledger import FILE, Verdict, judge
from faults.polled import polled
from faults.server import open_server, start_server, stop_server
from faults.shipped import shipped

__all__ = ["FAULTS", "Fault", "suffered"]

_DISK_MB = 1024
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Fault:
    """A harm, and the variant that must not survive it: ``red`` names what then goes wrong."""

    what: str
    harm: Callable[[House, Sender, Random], None]
    control: str
    red: str
    before: tuple[str, ...] = ()
    lose: float = 0.0
    server: bool = False
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
        house = House(folder, variant, server and str(server.get_uri()), fault.before)
        stack.callback(house.kill)
        sender = Sender(house, max(messages // FILE, 1), fault.lose, fault.at_once)
        house.start()
        thread = threading.Thread(target=sender.run)
        thread.start()
        try:
            if server is not None:
                _stop_server(server, sender, dice)
            else:
                fault.harm(house, sender, dice)
        finally:
            thread.join()
        # From here on nothing is done to it.
        house.kill()
        house.before = ()
        house.rest()
        return judge(house.home, house.database, sender.acknowledged)


def _kill(house: House, sender: Sender, dice: Random) -> None:
    """Kill it again and again, soon after it has acknowledged something."""
    while not sender.done.is_set():
        had = len(sender.acknowledged)
        while len(sender.acknowledged) == had and not sender.done.wait(_POLL_SECONDS):
            pass
        if sender.done.wait(dice.uniform(0, 0.3)):
            return
        house.kill()
        house.start()
        if dice.random() < 0.5:
            sender.done.wait(dice.uniform(0, 3 * sender.calm))


def _nothing(house: House, sender: Sender, dice: Random) -> None:
    """What is wrong with the answers or the disk is wrong from the first."""
    sender.done.wait()


def _fill(house: House, sender: Sender, dice: Random) -> None:
    """Take the last of the room, and give it back after a while."""
    while not sender.done.wait(dice.uniform(0.2, sender.calm)):
        with filled(house.folder):
            sender.done.wait(dice.uniform(0.5, 1.5))


def _stop_server(server: Any, sender: Sender, dice: Random) -> None:
    """Stop it again and again, soon after something was acknowledged, and start it again."""
    while not sender.done.wait(dice.uniform(0.3, 2 * sender.calm)):
        had = len(sender.acknowledged)
        while len(sender.acknowledged) == had and not sender.done.wait(_POLL_SECONDS):
            pass
        stop_server(server)
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


_EIO = (
    *("strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"),
    *("-e", "trace=fsync,fdatasync"),
    *("-e", "inject=fsync,fdatasync:error=EIO:when=30+25"),
)

FAULTS: dict[str, Fault] = {
    "kill": Fault("kill -9 of the hub", _kill, "early", "lost"),
    "cut": Fault("answers cut after the commit", _nothing, "nameless", "doubled", lose=0.34),
    "server": Fault("PostgreSQL stopped at once", _nothing, "early", "lost", server=True),
    "full": Fault("a full disk", _fill, "early", "lost", small=True),
    "eio": Fault("EIO on fsync", _nothing, "early", "lost", before=_EIO),
    # A file alone is settled in one piece before the next one comes: of five, most wait.
    "order": Fault("kill -9 while much waits", _kill, "backwards", "out_of_order", at_once=5),
    "down": Fault("a destination down for three days", _nothing, "forgetful", "lost", alone=down),
    "process": Fault("kill -9 of a random process", _nothing, "early", "lost", alone=shipped),
    "poll": Fault("kill -9 of a hub that polls", _nothing, "cursor first", "lost", alone=polled),
}

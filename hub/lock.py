"""The lock: one process at a time writes to a home."""

from __future__ import annotations

import fcntl
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from hub.causes import HOME_LOCKED, HOME_MISSING
from hub.home import Home
from schemas.problem import ConfigError

__all__ = ["Holder", "hold", "holder"]

_POLL_SECONDS = 0.05
_SAID_BYTES = 200


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock: its process, and the program and subcommand that it runs."""

    process: int
    command: str

    @property
    def is_hub(self) -> bool:
        """Whether it is a hub that runs, starts or ends, rather than a command under way."""
        return self.command.endswith(" up")


@contextmanager
def hold(home: Home, wait_seconds: float = 0) -> Iterator[None]:
    """Be the one process that writes to this home until the block ends.

    The lock belongs to the open file, so it ends with the process however that ends: nothing is
    left to clean up after a crash. Raises ``ConfigError`` naming the holder if the lock is still
    taken after ``wait_seconds``, or if there is no home.
    """
    try:
        descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        raise ConfigError(HOME_MISSING.at(file=str(home.path))) from None
    try:
        _wait(descriptor, wait_seconds)
        os.ftruncate(descriptor, 0)
        said = f"process {os.getpid()}, {_command()}".encode()
        os.pwrite(descriptor, said[:_SAID_BYTES], 0)
        yield
    finally:
        # The file stays, for whoever waits has it open already. Unlocking it, not only closing
        # it, also frees it where a forked child inherited the descriptor.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def holder(home: Home) -> Holder | None:
    """Who writes to this home now; ``None`` if nobody does, or who does has just started."""
    try:
        descriptor = os.open(home.lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        said = re.fullmatch(r"process (\d+), (.*)", _said(descriptor), re.DOTALL)
        return Holder(int(said[1]), said[2]) if said else None
    else:
        # What is written there is of somebody who has ended.
        return None
    finally:
        os.close(descriptor)


def _said(descriptor: int) -> str:
    return os.pread(descriptor, _SAID_BYTES, 0).decode(errors="replace")


def _wait(descriptor: int, seconds: float) -> None:
    attempts = Retrying(
        retry=retry_if_exception_type(BlockingIOError),
        stop=stop_after_delay(seconds),
        wait=wait_fixed(_POLL_SECONDS),
    )
    try:
        attempts(fcntl.flock, descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except RetryError as error:
        detail = f"the home is held by {_said(descriptor) or 'a process that has just started'}"
        raise ConfigError(HOME_LOCKED.at(detail)) from error


def _command() -> str:
    """Program and subcommand only: what follows may name people."""
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])

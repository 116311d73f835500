"""The home: the one folder of an agent, closed to others, and the lock on it."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schemas.problem import ConfigError
from store_agent.causes import AGENT_RUNS, HOME_CLOSED, HOME_MISSING

__all__ = ["Home", "create", "hold", "is_held", "locate"]

_SETTINGS = """\
# The settings of a store agent. An unknown name is an error, so a misspelt one never passes
# unnoticed. The agent reads them when it starts.

hub = "https://hub.example.org"   # where the hub answers
name = "store-0001"               # this agent; the hub shows its captures as store-0001.poslog
key_file = "key"                  # holds the key, in this folder or anywhere; or key = "..."
# free_mb_min = 64                # nothing is captured while the disk has less room than this
# beat_seconds = 60               # with nothing to ship, the hub is told so this often

# One capture for each folder that a till writes its files to.
#
# [captures.poslog]
# source = "poslog"               # the source at the hub that these records are for
# connector = "poslog"            # which format it is: how it is cut, and where card data stands
# folder = "/var/till/out"        # its files alone; sub-folders and links are not looked at
# pattern = "*.xml"
# quiet_seconds = 5               # a file that looks unfinished is waited for so long
# after = "keep"                  # or "delete": once the hub has it, for files written only once
# options = {}                    # as the source at the hub has them
"""


@dataclass(frozen=True, slots=True)
class Home:
    """Where the parts of a home lie. Nothing here says that they exist."""

    path: Path

    @property
    def settings(self) -> Path:
        """What people choose."""
        return self.path / "agent.toml"

    @property
    def spool(self) -> Path:
        """What was captured and is not yet at the hub, and how far each file has been read."""
        return self.path / "spool.db"

    @property
    def lock(self) -> Path:
        """Locked by the one agent that works here."""
        return self.path / "lock"


def locate(environ: Mapping[str, str] = os.environ) -> Home:
    """The home that ``LYNCHPIN_AGENT_HOME`` names, else one in the user's folder for data."""
    if named := environ.get("LYNCHPIN_AGENT_HOME"):
        return Home(Path(named).expanduser().absolute())
    data = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Home(Path(data).expanduser().absolute() / "lynchpin-agent")


def create(home: Home) -> bool:
    """Make the folder ready; returns whether settings were written, for those there are stay.

    Raises ``ConfigError`` where the folder cannot be made or closed to others.
    """
    try:
        home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _close(home)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        descriptor = os.open(home.settings, flags, 0o600)
    except FileExistsError:
        home.settings.chmod(0o600)
        return False
    except OSError as error:
        raise ConfigError(HOME_CLOSED.at(f"{error.strerror}: {error.filename}")) from error
    with os.fdopen(descriptor, "w") as file:
        file.write(_SETTINGS)
    return True


@contextmanager
def hold(home: Home) -> Iterator[None]:
    """Be the one agent of this home until the block ends, however it ends.

    Raises ``ConfigError`` if another one is, or if there is no home.
    """
    try:
        _close(home)
        descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        raise ConfigError(HOME_MISSING.at(file=str(home.path))) from None
    except OSError as error:
        raise ConfigError(HOME_CLOSED.at(f"{error.strerror}: {error.filename}")) from error
    try:
        _lock(descriptor, home)
        yield
    finally:
        os.close(descriptor)


def is_held(home: Home) -> bool:
    """Whether an agent works on this home now."""
    try:
        descriptor = os.open(home.lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _lock(descriptor: int, home: Home) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        said = os.pread(descriptor, 20, 0).decode(errors="replace") or "one that has just started"
        raise ConfigError(AGENT_RUNS.at(f"it is process {said}", file=home.lock.name)) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)


def _close(home: Home) -> None:
    """What is spooled names customers: nobody but the owner may look inside."""
    if stat.S_IMODE(home.path.stat().st_mode) != stat.S_IRWXU:
        home.path.chmod(0o700)

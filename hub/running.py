"""A running hub says where it answers, so that the command line of its user can speak to it.

It says so in a file of the home, together with a key that holds as long as it runs. A hub that was
killed leaves the file behind: what it says counts only while the process that wrote it holds the
home's lock.
"""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from hub import keys, lock
from hub.home import Home, write_atomically
from hub.keys import COMMAND_LINE
from schemas.problem import LynchpinError

if TYPE_CHECKING:
    from hub.writer import Writer

__all__ = ["Running", "announced", "find"]

_ACTOR = "hub"


@dataclass(frozen=True, slots=True)
class Running:
    """Where a hub answers, by which process, and the text of a key of an operator to it."""

    process: int
    address: str
    key: str = field(repr=False)


@contextmanager
def announced(writer: Writer, host: str, port: int) -> Iterator[None]:
    """Let the command line find the hub that listens at this address, until the block ends."""
    home, now = writer.hub.home, writer.hub.now
    # Keys of other homes that share the database are not ours to end.
    mine = _left_behind(home) if writer.hub.bus.shared else None
    key, text = writer.submit(partial(_fresh_key, mine=mine, now=now())).result()
    said = Running(os.getpid(), _address(host, port), text)
    try:
        write_atomically(_file(home), json.dumps(asdict(said)).encode())
        yield
    finally:
        _file(home).unlink(missing_ok=True)
        # Where this fails, the next hub of the home ends the key before it takes any call.
        with suppress(LynchpinError):
            writer.submit(partial(keys.revoke, number=key, actor=_ACTOR, now=now())).result()


def find(home: Home) -> Running | None:
    """The hub that runs on this home and has said where."""
    try:
        said = Running(**json.loads(_file(home).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    holder = lock.holder(home)
    return said if holder is not None and holder.process == said.process else None


def _left_behind(home: Home) -> str:
    """The key of the last run of this home, if it was killed; else nothing."""
    try:
        said = json.loads(_file(home).read_bytes())
        return str(said["key"])
    except (OSError, ValueError, TypeError, KeyError):
        return ""


def _fresh_key(connection: Connection, *, mine: str | None, now: str) -> tuple[str, str]:
    """Id and text of the key of this run. Those of runs that were killed end here: all of them, or
    the one of this text.
    """
    for old in keys.listed(connection):
        ours = mine is None or mine.startswith(f"lp_{old.id}_")
        if ours and old.name == COMMAND_LINE and old.revoked_at is None:
            keys.revoke(connection, old.id, actor=_ACTOR, now=now)
    key, text = keys.create(connection, COMMAND_LINE, "operator", actor=_ACTOR, now=now)
    return key.id, text


def _address(host: str, port: int) -> str:
    """Who listens everywhere is reached without leaving the machine."""
    place = ipaddress.ip_address(host.partition("%")[0])
    if place.is_unspecified:
        host = "::1" if place.version == 6 else "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _file(home: Home) -> Path:
    return home.path / "running.json"

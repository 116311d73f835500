"""The home: the one folder that holds everything of an embedded hub."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.causes import HOME_FOREIGN
from schemas.problem import ConfigError

__all__ = ["Home", "create", "locate", "write_atomically"]

_HEAD = """\
# Lynchpin's settings. An unknown name is an error, so a misspelt one never passes unnoticed.
# A variable of the environment wins over this file: LYNCHPIN_SOURCES__SHOP_EU__ZONE=Europe/Vienna
# sets `zone` of the source `shop_eu`.
#
# Everything is kept in a file here. To keep it in PostgreSQL, which several hubs may share:
#
#   database_url = "postgresql://lynchpin:PASSWORD@db.example.org/lynchpin"
#
# Several hubs on one PostgreSQL: what one of them was killed over, another one takes after
#
#   lease_seconds = 30
#
# Where many messages wait and the machine has a processor for it, a second process translates them
# before their turn. Nothing depends on it; it takes memory. To do without:
#
#   second_process = false
#
# A source is a door: a connector, and the system whose facts come in through it. Add one for each
# shop or chain of tills, under a name of small letters, digits, `-` and `_`, such as:
#
#   [sources.shop_eu]
#   connector = "shopify"               # which format it speaks
#   system = "shop-eu"                  # names its facts for ever; without it, the source's name
#   zone = "Europe/Vienna"              # where a document has no offset and no store; else UTC
#   options = { encoding = "latin-1" }  # what the connector lets a source choose
#   secrets = ["from the shop's admin"] # what its webhooks are signed with
#   public_url = "https://hub.example.org/webhooks/shop_eu"  # where a proxy changes the address
#
#   [stores]
#   silent_seconds = 180  # an agent not heard of for so long is silent: three of its beat_seconds
#
#   [journal]
#   keep_days = 400                                   # what messages said is removed after so long
#   keep = { "*/order" = 800, "shop_eu/customer" = 90 }  # otherwise for a kind, or for a source
#
#   [watchdog]
#   stall_seconds = 60  # work waits and nothing gets done: the hub ends, to be started anew
"""

_SOURCE = """
[sources.{name}]
connector = "{name}"
"""


_MAPPINGS = """\
Working copies of mappings, as CONNECTOR/NAME.yaml with their code tables as CSV beside them.
`lynchpin map show shopify.order` prints the one in force; docs/mapping.md tells how to write one.
Nothing here counts before `lynchpin map publish shopify.order`, and `map rollback` undoes that.
"""


@dataclass(frozen=True, slots=True)
class Home:
    """Where the parts of a home lie. Nothing here says that they exist."""

    path: Path

    @property
    def settings(self) -> Path:
        """What people choose."""
        return self.path / "lynchpin.toml"

    @property
    def database(self) -> Path:
        """Everything that came in and what was made of it, where no other database is set."""
        return self.path / "lynchpin.db"

    @property
    def mappings(self) -> Path:
        """Working copies of mappings; what is in force lies in the database."""
        return self.path / "mappings"

    @property
    def plans(self) -> Path:
        """What plans found, a file each."""
        return self.path / "plans"

    @property
    def lock(self) -> Path:
        """Locked by the one process that writes."""
        return self.path / "lock"


def locate(environ: Mapping[str, str] = os.environ) -> Home:
    """The home that the environment names.

    ``LYNCHPIN_HOME`` if it is set, else ``lynchpin`` in the user's folder for data.
    """
    if named := environ.get("LYNCHPIN_HOME"):
        return Home(Path(named).expanduser().absolute())
    data = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Home(Path(data).expanduser().absolute() / "lynchpin")


def create(home: Home, connectors: Iterable[str]) -> bool:
    """Make the folder ready, with one source for each connector, named after it.

    Settings that are there already stay as they are; everything else is made again where it is
    missing. Nobody but the owner may look inside. Returns whether settings were written. Raises
    ``ConfigError`` where the folder cannot be made or closed to others.
    """
    try:
        _private_folder(home.path)
        _mappings_folder(home.mappings)
        if home.settings.exists():
            home.settings.chmod(0o600)
            return False
        sources = (_SOURCE.format(name=name) for name in sorted(connectors))
        write_atomically(home.settings, "".join((_HEAD, *sources)).encode())
    except OSError as error:
        detail = f"{error.strerror}: {error.filename}"
        raise ConfigError(HOME_FOREIGN.at(detail)) from error
    return True


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file so that a crash or power cut leaves either the old one or the new one whole.

    The file is its owner's alone. Returns once the content and its name are on the disk.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _mappings_folder(path: Path) -> None:
    _private_folder(path)
    if not (path / "README").exists():
        write_atomically(path / "README", _MAPPINGS.encode())


def _private_folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if stat.S_IMODE(path.stat().st_mode) != stat.S_IRWXU:
        path.chmod(0o700)


def _sync_folder(path: Path) -> None:
    """A new name is only kept once its folder has reached the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

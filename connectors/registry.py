"""Which connectors there are: whatever is installed under the entry-point group.

The built-in ones come through the same door as everybody else's. A manifest is read from the
file beside the connector, so that listing connectors imports none of them.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from connectors import manifest
from connectors.api import Connector
from connectors.manifest import Manifest
from schemas.problem import Cause, ConfigError

__all__ = ["GROUP", "folder", "load", "manifests", "mapping_text"]

GROUP = "lynchpin.connectors"

UNKNOWN_CONNECTOR = Cause(
    "LP-CFG-040",
    "There is no connector of this name.",
    "Name an installed connector, or install the package that brings it.",
)


@cache
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


@cache
def manifests() -> dict[str, Manifest]:
    """The manifest of every installed connector, by id, in the order of their names."""
    return {name: manifest.read(folder(name) / "manifest.toml") for name in sorted(_entries())}


@cache
def load(connector: str) -> Connector:
    """Import a connector. Raises ``ConfigError`` if none of that name is installed."""
    found: Connector = _entry(connector).load()
    return found


def folder(connector: str) -> Path:
    """The folder of a connector: manifest, samples, README."""
    return _place(_entry(connector).module)


def mapping_text(connector: str, name: str) -> tuple[str, str]:
    """Text and file name of a shipped mapping of a connector.

    A connector from another package brings a ``mappings`` folder of its own; the built-in ones
    keep theirs in the package of the mapping language.
    """
    own = folder(connector) / "mappings" / f"{name}.yaml"
    file = own if own.exists() else _place("mappings") / connector / f"{name}.yaml"
    return file.read_text("utf-8"), f"{connector}/{name}.yaml"


def _place(module: str) -> Path:
    """The folder of a package, without importing it."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ConfigError(UNKNOWN_CONNECTOR.at(f"the package {module!r} is not installed"))
    return Path(spec.origin).parent


def _entry(connector: str) -> EntryPoint:
    entry = _entries().get(connector)
    if entry is None:
        known = ", ".join(sorted(_entries()))
        raise ConfigError(UNKNOWN_CONNECTOR.at(f"no connector {connector!r}; there are: {known}"))
    return entry

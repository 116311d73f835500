"""The mappings in force, and every text that was ever in force, by its hash.

Within one transaction a kind of document always goes through the same version: what is in force is
read once, when it is first asked for. A publication counts from the next transaction on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.engine import RootTransaction

from connectors import registry
from hub.causes import UNKNOWN_MAPPING
from hub.store.tables import mapping_publication, mapping_version
from mappings.mapping import Mapping, load
from mappings.spec import version_of
from mappings.yaml_text import Scalar, parse
from schemas.problem import ConfigError

__all__ = ["authored", "in_force", "keep", "read", "shipped", "shipped_text", "text_of", "version"]

_PINNED = "lynchpin.mappings"
_LOADED_MAX = 256

_last = mapping_publication.alias("last")
# Written down once: every transaction that settles asks this.
_IN_FORCE = select(
    mapping_publication.c.connector, mapping_publication.c.kind, mapping_publication.c.hash
).where(
    mapping_publication.c.id.in_(
        select(func.max(_last.c.id)).group_by(_last.c.connector, _last.c.kind)
    )
)
_loaded: dict[tuple[str, str], Mapping] = {}
"""Compiled mappings by connector and hash; a text never changes under its hash."""


@dataclass(slots=True)
class _Pinned:
    """What is in force as one transaction sees it."""

    transaction: RootTransaction | None
    versions: dict[tuple[str, str], str]
    mappings: dict[tuple[str, str], Mapping] = field(default_factory=dict)


def in_force(connection: Connection, connector: str, kind: str) -> Mapping:
    """The mapping that a kind of document goes through in this transaction.

    It is the last one that was published, else the shipped one. Raises ``ConfigError`` where its
    text is not there, or is none that this Lynchpin understands.
    """
    pinned = _pinned(connection)
    key = (connector, kind)
    if (mapping := pinned.mappings.get(key)) is None:
        published = pinned.versions.get(key)
        mapping = (
            version(connection, published, connector) if published else shipped(connector, kind)
        )
        pinned.mappings[key] = mapping
    return mapping


def _pinned(connection: Connection) -> _Pinned:
    transaction = connection.get_transaction()
    pinned: _Pinned | None = connection.info.get(_PINNED)
    # The transaction is kept beside what it saw, so no later one can be taken for it.
    if pinned is None or transaction is None or pinned.transaction is not transaction:
        rows = connection.execute(_IN_FORCE)
        pinned = _Pinned(connection.get_transaction(), {(row[0], row[1]): row[2] for row in rows})
        connection.info[_PINNED] = pinned
    return pinned


@cache
def shipped(connector: str, kind: str) -> Mapping:
    """The mapping that comes with a connector. Raises ``ConfigError``."""
    return read(connector, *shipped_text(connector, kind))


def read(connector: str, text: str, file: str) -> Mapping:
    """A mapping for what a connector decodes, which may use its functions.

    Raises ``ConfigError`` naming file and line.
    """
    return load(text, file, registry.load(connector).functions)


@cache
def shipped_text(connector: str, kind: str) -> tuple[str, str]:
    """Text and file name of the mapping that comes with a connector."""
    message = registry.manifests()[connector].messages[kind]
    return registry.mapping_text(connector, message.mapping)


def authored(text: str, file: str) -> Mapping:
    """A mapping of somebody's own; its name says whose functions it may use.

    Raises ``ConfigError`` naming file and line.
    """
    named = (node for key, node in parse(text, file).entries if key.value == "mapping")
    connector = next((n.value for n in named if isinstance(n, Scalar)), "").partition(".")[0]
    return read(connector, text, file) if connector in registry.manifests() else load(text, file)


def keep(connection: Connection, text: str, file: str, *, now: str) -> str:
    """Keep a text for ever, so that the origins of what it makes can always be told; its hash."""
    version_hash = version_of(text)
    known = select(mapping_version.c.hash).where(mapping_version.c.hash == version_hash)
    if connection.scalar(known) is None:
        values = {"hash": version_hash, "name": file, "text": text, "published_at": now}
        connection.execute(insert(mapping_version).values(values))
    return version_hash


def text_of(connection: Connection, version_hash: str) -> tuple[str, str]:
    """Text and file name of a version. Raises ``ConfigError`` if it is not in the database."""
    columns = select(mapping_version.c.text, mapping_version.c.name)
    row = connection.execute(columns.where(mapping_version.c.hash == version_hash)).one_or_none()
    if row is None:
        raise ConfigError(UNKNOWN_MAPPING.at(f"no mapping of version {version_hash}"))
    return row[0], row[1]


def version(connection: Connection, version_hash: str, connector: str) -> Mapping:
    """A mapping as it was when it made a document. Raises ``ConfigError``."""
    key = (connector, version_hash)
    if (mapping := _loaded.get(key)) is None:
        mapping = read(connector, *text_of(connection, version_hash))
        while len(_loaded) >= _LOADED_MAX:
            _loaded.pop(next(iter(_loaded)), None)
        _loaded[key] = mapping
    return mapping

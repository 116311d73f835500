"""The mappings in force, and every text that was ever in force, by its hash."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Connection, insert, select

from connectors import registry
from hub.causes import UNKNOWN_MAPPING
from hub.store.tables import mapping_version
from mappings.mapping import Mapping, load
from mappings.spec import version_of
from schemas.problem import ConfigError

__all__ = ["in_force", "publish_shipped", "version"]


@cache
def in_force(connector: str, kind: str) -> Mapping:
    """The mapping that a kind of document goes through now. Raises ``ConfigError``."""
    message = registry.manifests()[connector].messages[kind]
    return load(*registry.mapping_text(connector, message.mapping))


def publish_shipped(connection: Connection, connectors: set[str], *, now: str) -> None:
    """Keep the text of every shipped mapping, so that its origins can be told for ever."""
    known = set(connection.scalars(select(mapping_version.c.hash)))
    for connector in sorted(connectors):
        for kind in registry.manifests()[connector].messages.values():
            text, file = registry.mapping_text(connector, kind.mapping)
            if (version_hash := version_of(text)) not in known:
                known.add(version_hash)
                values = {"hash": version_hash, "name": file, "text": text, "published_at": now}
                connection.execute(insert(mapping_version).values(values))


def version(connection: Connection, version_hash: str) -> Mapping:
    """A mapping as it was when it made a document. Raises ``ConfigError``."""
    columns = select(mapping_version.c.text, mapping_version.c.name)
    row = connection.execute(columns.where(mapping_version.c.hash == version_hash)).one_or_none()
    if row is None:
        raise ConfigError(UNKNOWN_MAPPING.at(f"no mapping of version {version_hash}"))
    return _loaded(row[0], row[1])


@cache
def _loaded(text: str, name: str) -> Mapping:
    return load(text, name)

"""Publications: which version of a mapping is in force, since when, by whom, and back again.

The log is only ever added to. Its last line for a kind of message is what is in force; where that
line has the text that Lynchpin shipped at the time, the text that a later Lynchpin ships takes its
place, and where it has another one, nothing does but a person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import version as installed
from typing import Any

from sqlalchemy import Connection, insert, select

from connectors import registry
from hub import audit, library
from hub.store.tables import mapping_publication, mapping_version
from mappings.errors import suggestion
from mappings.spec import version_of
from schemas.problem import Cause, ConfigError, Rejected

__all__ = [
    "NOTHING_BEFORE",
    "NO_MAPPING",
    "NO_VERSION",
    "Publication",
    "Target",
    "current",
    "destination",
    "follow_shipped",
    "log",
    "publish",
    "rollback",
    "siblings",
    "target",
    "targets",
    "text_of",
    "version_in_force",
    "versions",
]

NOTHING_BEFORE = Cause(
    "LP-PUB-001",
    "No other version of this mapping was in force before.",
    "Look at `lynchpin map log`; name one of its versions with `--to`.",
)
NO_MAPPING = Cause(
    "LP-PUB-003",
    "There is no mapping of this name.",
    "Name one as `lynchpin map list` shows it, such as `shopify.order`.",
)
NO_VERSION = Cause(
    "LP-PUB-002",
    "There is no such version of this mapping.",
    "Name a version as `lynchpin map log` shows it, or `shipped`.",
)

_SHIPPED = "shipped"
_DIGITS_MIN = 4
_table = mapping_publication.c


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """Which documents a mapping is for: a kind of message of a connector."""

    connector: str
    kind: str

    def __str__(self) -> str:
        return f"{self.connector}.{self.kind}"


@dataclass(frozen=True, slots=True)
class Publication:
    """A line of the log. ``shipped`` is what Lynchpin shipped at that time."""

    id: int
    connector: str
    kind: str
    hash: str
    act: str
    shipped: str
    actor: str
    at: str
    report: str | None = None

    @property
    def own(self) -> bool:
        """Whether it is another text than the shipped one, so that an update leaves it alone."""
        return self.hash != self.shipped


def target(name: str) -> Target:
    """What a mapping of this name is for; of several kinds that share it, the first.

    A kind of message goes by its own name as well: ``connector.kind``. Raises ``ConfigError``.
    """
    connector, _, rest = name.partition(".")
    manifest = registry.manifests().get(connector)
    messages = manifest.messages if manifest is not None else {}
    for kind, message in messages.items():
        if rest in (message.mapping, kind):
            return Target(connector, kind)
    known = [str(each) for each in targets(registry.manifests())]
    raise ConfigError(NO_MAPPING.at(f"no mapping {name!r}{suggestion(name, known)}"))


def siblings(target: Target) -> list[Target]:
    """The kinds of message that go through the mapping of this one, itself among them."""
    messages = registry.manifests()[target.connector].messages
    name = messages[target.kind].mapping
    return [Target(target.connector, kind) for kind, m in messages.items() if m.mapping == name]


def targets(connectors: Collection[str]) -> Iterator[Target]:
    """Every kind of message of these connectors."""
    manifests = registry.manifests()
    for connector in sorted(connectors):
        for kind in manifests[connector].messages:
            yield Target(connector, kind)


def log(connection: Connection, target: Target) -> list[Publication]:
    """All publications of a kind, the oldest first."""
    mine = (_table.connector == target.connector) & (_table.kind == target.kind)
    rows = connection.execute(select(mapping_publication).where(mine).order_by(_table.id))
    return [Publication(**row) for row in rows.mappings()]


def current(connection: Connection, target: Target) -> Publication | None:
    """The publication in force; ``None`` where a home has not seen this kind yet."""
    mine = (_table.connector == target.connector) & (_table.kind == target.kind)
    last = select(mapping_publication).where(mine).order_by(_table.id.desc()).limit(1)
    row = connection.execute(last).mappings().first()
    return None if row is None else Publication(**row)


def versions(connection: Connection, target: Target) -> set[str]:
    """Every version that may have made a document of this kind, by its hash."""
    file = library.shipped_text(target.connector, target.kind)[1]
    # One that was shipped before there was a log is known by its file alone.
    shipped = select(mapping_version.c.hash).where(mapping_version.c.name == file)
    return {line.hash for line in log(connection, target)} | set(connection.scalars(shipped))


def version_in_force(connection: Connection, target: Target) -> str:
    """The version that the next transaction goes by."""
    line = current(connection, target)
    return library.shipped(target.connector, target.kind).version if line is None else line.hash


def publish(
    connection: Connection,
    target: Target,
    text: str,
    file: str,
    *,
    actor: str,
    now: str,
    report: str | None = None,
) -> Publication:
    """Put a text in force from the next transaction on; gives the line of the log.

    The text is taken as checked. Where it is in force already, nothing is done and the line that
    put it there is given, so that asking twice is asking once.
    """
    before = current(connection, target)
    if before is not None and before.hash == version_of(text):
        return before
    detail = {"version": version_of(text), "instead_of": before.hash if before else None}
    _audited(connection, actor, "mapping.publish", target, detail, now=now)
    version_hash = library.keep(connection, text, file, now=now)
    return _added(connection, target, version_hash, "publish", actor=actor, now=now, report=report)


def rollback(
    connection: Connection, target: Target, to: str | None = None, *, actor: str, now: str
) -> Publication:
    """Put an earlier version in force again; gives the line of the log.

    Without ``to`` it is the one before the one in force, and doing it again goes back further.
    ``to`` is a version of the log, as many of its digits as tell it from others, or ``shipped``.
    Raises ``Rejected`` if there is no such version.
    """
    chosen = destination(connection, target, to)
    before = current(connection, target)
    if before is not None and before.hash == chosen:
        return before
    detail = {"version": chosen, "instead_of": before.hash if before else None}
    _audited(connection, actor, "mapping.rollback", target, detail, now=now)
    if chosen == library.shipped(target.connector, target.kind).version:
        # It may be one that was never in force here.
        library.keep(connection, *library.shipped_text(target.connector, target.kind), now=now)
    return _added(connection, target, chosen, "rollback", actor=actor, now=now)


def destination(connection: Connection, target: Target, to: str | None) -> str:
    """The version that ``rollback`` would put in force. Raises ``Rejected``."""
    lines = log(connection, target)
    if to is None:
        stack = _stack(lines)
        if len(stack) < 2:
            raise Rejected(NOTHING_BEFORE.at(str(target)))
        return stack[-2]
    if to == _SHIPPED:
        return library.shipped(target.connector, target.kind).version
    shipped = library.shipped(target.connector, target.kind).version
    found = {known for known in (shipped, *(line.hash for line in lines)) if known.startswith(to)}
    if len(to) < _DIGITS_MIN or len(found) != 1:
        raise Rejected(NO_VERSION.at(f"{len(found)} versions of {target} begin with that"))
    return found.pop()


def text_of(connection: Connection, target: Target, version: str) -> tuple[str, str, str]:
    """Hash, text and file name of a version, told as for ``rollback``. Raises ``Rejected``."""
    chosen = destination(connection, target, version)
    if chosen == library.shipped(target.connector, target.kind).version:
        # What is shipped need not have been kept by a hub yet.
        return chosen, *library.shipped_text(target.connector, target.kind)
    return chosen, *library.text_of(connection, chosen)


def _stack(lines: list[Publication]) -> list[str]:
    """The versions below the one in force, each the one to go back to from the one above it."""
    stack: list[str] = []
    for line in lines:
        if line.act == "rollback" and line.hash in stack:
            while stack[-1] != line.hash:
                stack.pop()
        else:
            stack.append(line.hash)
    return stack


def follow_shipped(connection: Connection, connectors: Collection[str], *, now: str) -> None:
    """Put what is shipped in force where nothing else is; keep its text in any case."""
    for target in targets(connectors):
        text, file = library.shipped_text(target.connector, target.kind)
        version_hash = version_of(text)
        library.keep(connection, text, file, now=now)
        line = current(connection, target)
        if line is None or (not line.own and line.hash != version_hash):
            by = f"lynchpin {installed('lynchpin')}"
            _added(connection, target, version_hash, "shipped", actor=by, now=now)


def _added(
    connection: Connection,
    target: Target,
    version_hash: str,
    act: str,
    *,
    actor: str,
    now: str,
    report: str | None = None,
) -> Publication:
    shipped, _ = library.shipped_text(target.connector, target.kind)
    values: dict[str, Any] = {
        "connector": target.connector,
        "kind": target.kind,
        "hash": version_hash,
        "act": act,
        "shipped": version_of(shipped),
        "actor": actor,
        "at": now,
        "report": report,
    }
    key = connection.execute(insert(mapping_publication).values(values)).inserted_primary_key
    assert key is not None
    return Publication(id=int(key[0]), **values)


def _audited(
    connection: Connection,
    actor: str,
    act: str,
    target: Target,
    detail: dict[str, str | None],
    *,
    now: str,
) -> None:
    subject = f"mapping {target}"
    audit.write(connection, actor=actor, act=act, subject=subject, detail=detail, now=now)

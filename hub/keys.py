"""Keys: who may call the hub, and for what.

A key reads ``lp_ID_SECRET`` and is shown once. The hub keeps the SHA-256 of its secret only. A
plain hash is right here, unlike for passwords: the secret is 32 random bytes, and no one can go
through those however fast the hash is.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, insert, select, tuple_, update

from hub import audit, paging
from hub.store.tables import api_key
from schemas.problem import Cause, Denied, Refused, Rejected

__all__ = [
    "COMMAND_LINE",
    "FORBIDDEN",
    "NO_KEY",
    "UNKNOWN_KEY",
    "Key",
    "Role",
    "create",
    "listed",
    "recognised",
    "revoke",
]

Role = Literal["source", "receiver", "reader", "agent", "operator"]

UNKNOWN_KEY = Cause(
    "LP-KEY-001",
    "The call carries no key that the hub knows.",
    "Send `Authorization: Bearer KEY` with a key of `lynchpin key create`.",
)
FORBIDDEN = Cause(
    "LP-KEY-002",
    "The key does not allow this.",
    "Use a key of a role that may, or of this source or destination: see `lynchpin key list`.",
)
LIMITS = Cause(
    "LP-KEY-003",
    "The sources or destinations of the key do not go with its role.",
    "Name a `--source` for the role source, a `--destination` for the role receiver, else none.",
)
NO_KEY = Cause(
    "LP-KEY-004",
    "There is no key of this id that still holds.",
    "Look it up with `lynchpin key list`.",
)

COMMAND_LINE = "command line"
"""Name of the key that a running hub makes for the command line of its own user; see
``hub.running``. Only the hub gives it to a key."""

_USER_MAX = 64
_SECRET_BYTES = 32
_NO_HASH = hashlib.sha256(b"").hexdigest()


# Written down once: every call asks this, and building it takes longer than asking.
_BY_ID = select(api_key).where(api_key.c.id == bindparam("id"))


@dataclass(frozen=True, slots=True)
class Key:
    """What a key is for. Empty ``stores`` means that it is not limited to any."""

    id: str
    name: str
    role: Role
    sources: tuple[str, ...]
    stores: tuple[str, ...]
    created_at: str
    revoked_at: str | None = None
    destinations: tuple[str, ...] = ()

    @property
    def actor(self) -> str:
        """How the audit names whoever holds it."""
        return f"key {self.id} {self.name}"

    def on_behalf_of(self, user: str) -> Key:
        """The key as this user of the hub's machine holds it; only the command line is believed."""
        user = "".join(filter(str.isprintable, user))[:_USER_MAX]
        believed = user and self.name == COMMAND_LINE
        return replace(self, name=f"{self.name}, {user}") if believed else self


def create(
    connection: Connection,
    name: str,
    role: Role,
    sources: Collection[str] = (),
    *,
    stores: Collection[str] = (),
    destinations: Collection[str] = (),
    actor: str,
    now: str,
) -> tuple[Key, str]:
    """Make a key; gives it and its text, which nobody can show again.

    ``stores`` limits it to what these stores sent or sold; without any it is not limited.

    Raises ``Refused`` if a source key names no source, a receiver's no destination, or another key
    one of them.
    """
    fit = bool(sources) == (role == "source") and bool(destinations) == (role == "receiver")
    if not fit:
        counts = f"{len(sources)} sources and {len(destinations)} destinations"
        raise Refused(LIMITS.at(f"role {role} with {counts}"))
    limits = (_sorted(sources), _sorted(stores))
    key = Key(secrets.token_hex(6), name, role, *limits, now, destinations=_sorted(destinations))
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    detail = {"name": name, "role": role}
    audit.write(
        connection, actor=actor, act="key.create", subject=f"key {key.id}", detail=detail, now=now
    )
    connection.execute(
        insert(api_key).values(
            id=key.id,
            name=name,
            role=role,
            sources=json.dumps(key.sources),
            stores=json.dumps(key.stores),
            destinations=json.dumps(key.destinations),
            hash=_hash(secret),
            created_at=now,
        )
    )
    return key, f"lp_{key.id}_{secret}"


def revoke(connection: Connection, number: str, *, actor: str, now: str) -> None:
    """End a key from now on. Raises ``Rejected`` if there is none, or it has ended."""
    valid = (api_key.c.id == number) & api_key.c.revoked_at.is_(None)
    if connection.scalar(select(api_key.c.id).where(valid)) is None:
        raise Rejected(NO_KEY.at())
    audit.write(connection, actor=actor, act="key.revoke", subject=f"key {number}", now=now)
    connection.execute(update(api_key).where(valid).values(revoked_at=now))


def listed(
    connection: Connection, *, limit: int | None = None, after: str | None = None
) -> list[Key]:
    """All keys there ever were, the oldest first; of the command line's own only the living one.

    ``after`` is a cursor of when a key was made and its id. Raises ``Refused`` for one of another
    list.
    """
    ended = (api_key.c.name == COMMAND_LINE) & api_key.c.revoked_at.is_not(None)
    order = (api_key.c.created_at, api_key.c.id)
    found = select(api_key).where(~ended).order_by(*order)
    if key := paging.key_of(after, str, str):
        found = found.where(tuple_(*order) > key)
    return [_key(row) for row in connection.execute(found.limit(limit)).mappings()]


def recognised(connection: Connection, text: str) -> Key:
    """The key of this text. Raises ``Denied`` if there is none, or it was revoked."""
    number, secret = _parts(text)
    row = connection.execute(_BY_ID, {"id": number}).mappings().first()
    # An unknown id costs what a wrong secret costs.
    same = hmac.compare_digest(_hash(secret), row["hash"] if row else _NO_HASH)
    if row is None or not same or row["revoked_at"] is not None:
        raise Denied(UNKNOWN_KEY.at())
    return _key(row)


def _sorted(names: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _parts(text: str) -> tuple[str, str]:
    parts = text.split("_", 2)
    well_formed = text.isascii() and len(parts) == 3 and parts[0] == "lp"
    return (parts[1], parts[2]) if well_formed else ("", "")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: Any) -> Key:
    return Key(
        id=row["id"],
        name=row["name"],
        role=row["role"],
        sources=tuple(json.loads(row["sources"])),
        stores=tuple(json.loads(row["stores"])),
        destinations=tuple(json.loads(row["destinations"])),
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
    )

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
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, update

from hub.store.tables import api_key, audit
from schemas.problem import Cause, Denied, Refused, Rejected

__all__ = [
    "FORBIDDEN",
    "UNKNOWN_KEY",
    "Key",
    "Role",
    "create",
    "listed",
    "recognised",
    "revoke",
]

Role = Literal["source", "reader", "agent", "operator"]

UNKNOWN_KEY = Cause(
    "LP-KEY-001",
    "The call carries no key that the hub knows.",
    "Send `Authorization: Bearer KEY` with a key of `lynchpin key create`.",
)
FORBIDDEN = Cause(
    "LP-KEY-002",
    "The key does not allow this.",
    "Use a key of a role that may, or of this source; `lynchpin key list` shows them.",
)
SOURCES = Cause(
    "LP-KEY-003",
    "The sources of the key do not go with its role.",
    "Name at least one `--source` for the role source, and none for any other.",
)
NO_KEY = Cause(
    "LP-KEY-004",
    "There is no key of this id that still holds.",
    "Look it up with `lynchpin key list`.",
)

_SECRET_BYTES = 32
_NO_HASH = hashlib.sha256(b"").hexdigest()


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

    @property
    def actor(self) -> str:
        """How the audit names whoever holds it."""
        return f"key {self.id} {self.name}"


def create(
    connection: Connection,
    name: str,
    role: Role,
    sources: Collection[str] = (),
    *,
    stores: Collection[str] = (),
    actor: str,
    now: str,
) -> tuple[Key, str]:
    """Make a key; gives it and its text, which nobody can show again.

    ``stores`` limits it to what these stores sent or sold; without any it is not limited.

    Raises ``Refused`` if a source key names no source, or another key names one.
    """
    if bool(sources) != (role == "source"):
        raise Refused(SOURCES.at(f"role {role} with {len(sources)} sources"))
    key = Key(secrets.token_hex(6), name, role, _sorted(sources), _sorted(stores), now)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    _audit(connection, actor, "key.create", key.id, {"name": name, "role": role}, now=now)
    connection.execute(
        insert(api_key).values(
            id=key.id,
            name=name,
            role=role,
            sources=json.dumps(key.sources),
            stores=json.dumps(key.stores),
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
    _audit(connection, actor, "key.revoke", number, {}, now=now)
    connection.execute(update(api_key).where(valid).values(revoked_at=now))


def listed(connection: Connection) -> list[Key]:
    """All keys there ever were, the oldest first."""
    rows = connection.execute(select(api_key).order_by(api_key.c.created_at, api_key.c.id))
    return [_key(row) for row in rows.mappings()]


def recognised(connection: Connection, text: str) -> Key:
    """The key of this text. Raises ``Denied`` if there is none, or it was revoked."""
    number, secret = _parts(text)
    row = connection.execute(select(api_key).where(api_key.c.id == number)).mappings().first()
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
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
    )


def _audit(
    connection: Connection, actor: str, act: str, number: str, detail: dict[str, Any], *, now: str
) -> None:
    values = {"at": now, "actor": actor, "act": act, "subject": f"key {number}"}
    connection.execute(insert(audit).values(**values, detail=json.dumps(detail, sort_keys=True)))

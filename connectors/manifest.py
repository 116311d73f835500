"""The manifest of a connector: what it is, readable without importing its code."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Balance", "Manifest", "Message", "read"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Message(_Part):
    """A kind of document that the connector decodes."""

    to: str
    """Canonical document it becomes, such as ``Transaction``."""
    mapping: str
    """Name of the mapping file in the connector's mapping folder, without ``.yaml``."""
    summary: str


class Balance(_Part):
    """The acceptance rule for a canonical document that sums up: what must equal its total."""

    lines: tuple[str, ...] = ()
    """Kinds of Transaction line whose counted amounts add up to the total."""
    tenders: bool = False
    """Whether the counted tenders add up to the total as well."""


class Manifest(_Part):
    """``manifest.toml`` of a connector's folder."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    summary: str
    kind: Literal["pos", "shop", "call_centre", "events"]
    format: Literal["xml", "json", "text", "form"]
    document: str
    """The public document that defines the format."""
    quality: Literal["bronze", "silver", "gold"]
    proven: str
    """What it was proven on, in one honest sentence."""
    messages: dict[str, Message]
    balance: Balance | None = None


def read(path: Path) -> Manifest:
    """Read a ``manifest.toml``. Raises ``pydantic.ValidationError`` naming the wrong field."""
    return Manifest.model_validate(tomllib.loads(path.read_text("utf-8")))

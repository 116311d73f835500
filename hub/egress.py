"""What the house lets its own systems ask outside: at which ports, and by which proxy."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

__all__ = ["USUAL", "Egress"]

Port = Annotated[int, Field(ge=1, le=65535)]
ProxyAddress = Annotated[str, StringConstraints(pattern=r"^http://[^/?#@\s:]+:[0-9]{1,5}$")]


class Egress(BaseModel):
    """Goes for what is outside; what ``allow_private`` permits is reached directly, at any port."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ports: frozenset[Port] = frozenset({443, 8443})
    """Nothing else is connected to, wherever an address comes from."""
    proxy: ProxyAddress | None = None
    """Asked to connect (`CONNECT`), so that it looks names up and judges where they lead."""


USUAL = Egress()

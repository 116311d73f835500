"""The audit of reading: what names people is shown only once it is kept who wanted to see it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from hub import audit
from hub.api.asked import asked
from hub.api.body import parsed
from hub.api.served import Served
from hub.keys import Key

__all__ = ["REVEAL", "Reveal", "reason_of", "seen"]


class Reveal(BaseModel):
    """Why somebody must see the person unmasked; the audit keeps it."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        str_strip_whitespace=True,
        json_schema_extra={"example": {"reason": "the caller asks where the parcel went"}},
    )

    reason: str = Field(min_length=1, max_length=500)


REVEAL = asked(Reveal)
"""Tells of the body that ``reason_of`` reads."""


async def reason_of(request: Request) -> str:
    """The reason in the body of a reveal. Raises ``Refused`` if there is none."""
    return (await parsed(request, Reveal)).reason


async def seen(
    served: Served,
    key: Key,
    subject: str,
    *,
    reason: str = "",
    detail: dict[str, Any] | None = None,
) -> None:
    """Keep that the holder of a key is about to see this; returns once it is on the disk.

    With a reason they see it unmasked.
    """
    if reason:
        detail = {**(detail or {}), "reason": reason}
    line = partial(
        audit.write,
        actor=key.actor,
        act="reveal" if reason else "read",
        subject=subject,
        detail=detail,
        now=served.hub.now(),
    )
    await asyncio.wrap_future(served.writer.submit(line))

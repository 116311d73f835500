"""The journal: what it weighs, source by source."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from hub import redaction, retention, upkeep
from hub.api.asked import asked
from hub.api.body import parsed
from hub.api.errors import answers
from hub.api.rule import only
from hub.api.served import Reading, ServedHere
from hub.keys import Key

__all__ = ["router"]

router = APIRouter(tags=["sources"])


_KIND: dict[str, JsonValue] = {
    "kind": "retail",
    "messages": 5120,
    "removed": 0,
    "redacted": 2,
    "stored_bytes": 4194304,
    "keep_days": 400,
    "expires_at": "2032-06-09T10:00:00.000000Z",
}


class KeptRow(BaseModel):
    """What the journal has of one kind of messages; the kind of what could not be read is empty."""

    model_config = ConfigDict(json_schema_extra={"example": _KIND})

    kind: str
    messages: int
    removed: int
    redacted: int
    stored_bytes: int
    keep_days: int
    expires_at: str | None


class WeightRow(BaseModel):
    """What the journal has of one source; ``ratio`` is bytes that came in for each stored.

    Bytes are those of messages that are still kept.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "source": "poslog",
                "messages": 5120,
                "removed": 0,
                "redacted": 2,
                "raw_bytes": 20971520,
                "stored_bytes": 4194304,
                "ratio": 5.0,
                "oldest_at": "2031-05-06T10:00:00.000000Z",
                "gain": 0.75,
                "expires_at": "2032-06-09T10:00:00.000000Z",
                "kinds": [_KIND],
                "counted_at": "2031-06-06T10:00:00.000000Z",
            }
        }
    )

    source: str
    messages: int
    removed: int
    redacted: int
    raw_bytes: int
    stored_bytes: int
    ratio: float
    oldest_at: str
    gain: float | None = Field(description="By which part its dictionary makes messages shorter.")
    expires_at: str | None = Field(description="When the first of what is still kept goes.")
    kinds: list[KeptRow]
    counted_at: str = Field(description="A count is told for a minute.")


@router.get("/journal", responses=answers())
def weigh(
    reading: Reading, served: ServedHere, key: Annotated[Key, Depends(only("operator"))]
) -> list[WeightRow]:
    """What the journal weighs, source by source."""
    hub = served.hub
    return [
        WeightRow(**asdict(each), ratio=each.ratio, expires_at=each.expires_at, counted_at=at)
        for at, found in (served.weighed.now(reading, hub.settings.journal, hub.now()),)
        for each in found
    ]


class Training(BaseModel):
    """Which source to learn from."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"example": {"source": "poslog"}}
    )

    source: str = Field(max_length=100)


class LearnedRow(BaseModel):
    """What a dictionary would do for a source: ``gain`` is the part by which messages get shorter.

    ``used`` says that new messages are packed with it; nothing is known where there are too few.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"source": "poslog", "samples": 2000, "gain": 0.7504, "used": True}
        }
    )

    source: str
    samples: int
    gain: float | None
    used: bool


@router.post("/journal/train", responses=answers(400, 404, 408, 413), openapi_extra=asked(Training))
async def train(
    request: Request, served: ServedHere, key: Annotated[Key, Depends(only("operator"))]
) -> LearnedRow:
    """Learn what the messages of a source have in common, and pack new ones with it if it pays."""
    wanted = await parsed(request, Training)
    served.hub.settings.source(wanted.source)
    learned = await run_in_threadpool(
        upkeep.train, served.writer, served.readers, wanted.source, actor=key.actor
    )
    return LearnedRow(**asdict(learned))


class Sweeping(BaseModel):
    """After which message the next batch begins."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"example": {"after": 0}}
    )

    after: int = Field(default=0, ge=0, le=2**63 - 1)


class SweptBatch(BaseModel):
    """How many messages lost what they said, and where the next batch begins."""

    model_config = ConfigDict(json_schema_extra={"example": {"removed": 500, "last": 4711}})

    removed: int
    last: int | None = Field(description="Nothing after the last batch.")


@router.post("/journal/sweep", responses=answers(400, 408, 413), openapi_extra=asked(Sweeping))
async def sweep(
    request: Request, served: ServedHere, key: Annotated[Key, Depends(only("operator"))]
) -> SweptBatch:
    """Remove what the next messages said whose days are over. That they came, and what came of
    them, stays for ever.
    """
    wanted = await parsed(request, Sweeping)
    done = await served.finish(
        partial(
            retention.sweep,
            kept=served.hub.settings.journal,
            after=wanted.after,
            actor=key.actor,
            now=served.hub.now(),
        )
    )
    return SweptBatch(removed=done.removed, last=done.last)


class Redaction(BaseModel):
    """What is to be redacted: a message, or everything of a person by a document of theirs."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"example": {"person": "crm:customer/17", "reason": "they asked for it"}},
    )

    message: int | None = Field(default=None, ge=1, le=2**63 - 1)
    person: str | None = Field(default=None, min_length=1, max_length=500)
    reason: str = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.message is None) == (self.person is None):
            raise ValueError("name a message or a person, and not both")
        return self


class RedactedCounts(BaseModel):
    """How many documents lost who they are of; messages were rewritten, or removed whole."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"documents": 3, "rewritten": 2, "removed": 4}}
    )

    documents: int
    rewritten: int
    removed: int


@router.post(
    "/journal/redact", responses=answers(400, 404, 408, 409, 413), openapi_extra=asked(Redaction)
)
async def redact(
    request: Request, served: ServedHere, key: Annotated[Key, Depends(only("operator"))]
) -> RedactedCounts:
    """Take out who a person is, for good. Names of facts and what they were worth stay."""
    wanted = await parsed(request, Redaction)
    done = await served.finish(
        partial(
            redaction.redact_named,
            served.hub,
            message=wanted.message,
            person=wanted.person,
            actor=key.actor,
            reason=wanted.reason,
        )
    )
    return RedactedCounts(**asdict(done))

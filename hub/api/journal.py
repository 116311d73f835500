"""The journal: what it weighs, source by source."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from hub import upkeep
from hub.api.asked import asked
from hub.api.body import parsed
from hub.api.errors import answers
from hub.api.rule import only
from hub.api.served import Reading, ServedHere
from hub.keys import Key
from hub.weight import weights

__all__ = ["router"]

router = APIRouter(tags=["sources"])


class WeightRow(BaseModel):
    """What the journal has of one source; ``ratio`` is bytes that came in for each stored."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "source": "poslog",
                "messages": 5120,
                "raw_bytes": 20971520,
                "stored_bytes": 4194304,
                "ratio": 5.0,
                "oldest_at": "2031-05-06T10:00:00.000000Z",
                "gain": 0.75,
            }
        }
    )

    source: str
    messages: int
    raw_bytes: int
    stored_bytes: int
    ratio: float
    oldest_at: str
    gain: float | None = Field(description="By which part its dictionary makes messages shorter.")


@router.get("/journal", responses=answers())
def weigh(reading: Reading, key: Annotated[Key, Depends(only("operator"))]) -> list[WeightRow]:
    """What the journal weighs, source by source."""
    return [WeightRow(**asdict(each), ratio=each.ratio) for each in weights(reading)]


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

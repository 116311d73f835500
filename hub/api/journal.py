"""The journal: what it weighs, source by source."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from hub.api.errors import answers
from hub.api.rule import only
from hub.api.served import Reading
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
            }
        }
    )

    source: str
    messages: int
    raw_bytes: int
    stored_bytes: int
    ratio: float
    oldest_at: str


@router.get("/journal", responses=answers())
def weigh(reading: Reading, key: Annotated[Key, Depends(only("operator"))]) -> list[WeightRow]:
    """What the journal weighs, source by source."""
    return [WeightRow(**asdict(each), ratio=each.ratio) for each in weights(reading)]

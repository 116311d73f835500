"""How polls are doing: how far each stream has come, and why it does not, if it does not."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy import Connection, select

from hub.polling.chosen import Poll
from hub.store.tables import poll
from schemas.problem import Problem

__all__ = ["EXAMPLE", "Status", "polls"]

EXAMPLE: dict[str, JsonValue] = {
    "name": "shop",
    "stream": "orders",
    "source": "shop_eu",
    "cursor": "2031-05-06T09:29:58.000000Z",
    "polled_at": "2031-05-06T09:30:00.000000Z",
    "due_at": "2031-05-06T09:31:00.000000Z",
    "due": False,
    "under_way": False,
    "failures": 0,
    "seen": 4102,
    "taken": 1377,
}


class Status(BaseModel):
    """How a stream of a poll is doing."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": EXAMPLE})

    name: str
    stream: str
    source: str
    cursor: str | None = Field(description="What had changed by then has been read.")
    polled_at: str | None = Field(description="When it was last read to its end.")
    due_at: str
    due: bool
    under_way: bool = Field(description="Whether more pages are to come.")
    failures: int = Field(description="Attempts in a row that failed.")
    problem: Problem | None = Field(default=None, description="Why the last one did.")
    seen: int = Field(description="How many things were read so far.")
    taken: int = Field(description="How many of them were new or other than before.")


def polls(connection: Connection, chosen: Mapping[str, Poll], now: str) -> list[Status]:
    """Each stream of each poll of the settings, in their order."""
    rows = {
        (row["name"], row["stream"]): row for row in connection.execute(select(poll)).mappings()
    }
    found = []
    for name, each in chosen.items():
        for stream in each.streams:
            row = rows.get((name, stream))
            problem = row["problem"] if row else None
            due_at = row["due_at"] if row else now
            found.append(
                Status(
                    name=name,
                    stream=stream,
                    source=each.source,
                    cursor=row["cursor"] if row else None,
                    polled_at=row["polled_at"] if row else None,
                    due_at=due_at,
                    due=due_at <= now,
                    under_way=row is not None and row["reading"] is not None,
                    failures=row["failures"] if row else 0,
                    problem=Problem.model_validate_json(problem) if problem else None,
                    seen=row["seen"] if row else 0,
                    taken=row["taken"] if row else 0,
                )
            )
    return found

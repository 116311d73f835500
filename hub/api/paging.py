"""Pages of lists, and what a caller says to turn them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, get_args

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from hub import finding, paging

__all__ = ["Page", "Turn", "Turned", "page"]

Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many.")]
Cursor = Annotated[
    str | None,
    Query(max_length=2000, description="The `next` of the page before; the list from its start."),
]


@dataclass(frozen=True, slots=True)
class Turn:
    """Which page a caller wants."""

    limit: Limit = finding.LIMIT
    cursor: Cursor = None


Turned = Annotated[Turn, Depends()]

Row = TypeVar("Row", bound=BaseModel)


def _with_example(schema: dict[str, Any], model: type[BaseModel]) -> None:
    (row,) = get_args(model.model_fields["items"].annotation)
    extra = row.model_config.get("json_schema_extra", {})
    schema["example"] = {"items": [extra["example"]], "next": paging.CURSOR_EXAMPLE}


class Page(BaseModel, Generic[Row]):
    """Some of a list, in its order."""

    model_config = ConfigDict(frozen=True, json_schema_extra=_with_example)

    items: list[Row]
    next: str | None = Field(description="Cursor of the page after this one, if there is more.")


def page(
    model: type[Row],
    rows: list[dict[str, Any]],
    turn: Turn,
    key: Callable[[dict[str, Any]], paging.Key],
) -> Page[Row]:
    """The page of rows that were asked for one more than its limit."""
    shown, following = paging.cut(rows, turn.limit, key)
    return Page(items=[model(**row) for row in shown], next=following)

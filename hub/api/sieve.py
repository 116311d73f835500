"""What messages are looked for by: in an address, in the body of a replay, in a form alike."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from hub.messages import Sought
from hub.since import moment

__all__ = ["Sieve", "Sieved"]

_Whole = Annotated[str | None, Field(max_length=200)]


class Sieve(BaseModel):
    """What is looked for: a message fits everything that is given."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"order": "1001"}})

    fact: Annotated[
        str | None,
        Field(max_length=200, description="Part of a fact id; with a system, its start."),
    ] = None
    state: _Whole = None
    source: _Whole = None
    kind: Annotated[str | None, Field(max_length=200, description="Of message: order.")] = None
    mapping: Annotated[
        str | None, Field(max_length=200, description="Version that it last went through.")
    ] = None
    file: Annotated[str | None, Field(max_length=200, description="Part of a file name.")] = None
    code: Annotated[str | None, Field(max_length=200, description="Why it is held.")] = None
    group: Annotated[str | None, Field(max_length=200, description="Fingerprint of a hold.")] = None
    order: Annotated[str | None, Field(max_length=200, description="Number or native id.")] = None
    receipt: _Whole = None
    store: _Whole = None
    workstation: _Whole = None
    business_date: _Whole = None
    sequence: _Whole = None
    person: Annotated[
        str | None, Field(max_length=500, description="Fact id of any document of somebody.")
    ] = None
    since: Annotated[
        str | None, Field(max_length=40, description="7d, 12h, 30m, or a date or moment.")
    ] = None
    until: Annotated[str | None, Field(max_length=40, description="As `since`.")] = None

    @property
    def given(self) -> dict[str, str]:
        """What is looked for, without what is left open or, in a form, empty."""
        said = {name: getattr(self, name) for name in Sieve.model_fields}
        return {name: value.strip() for name, value in said.items() if value and value.strip()}

    def sought(self, *, now: str) -> Sought:
        """The same with moments. Raises ``Refused`` for what says no time."""
        said = {name: getattr(self, name) for name in Sieve.model_fields}
        for name in ("since", "until"):
            if said[name] is not None:
                said[name] = moment(said[name], now)
        return Sought(**said)


def _sieve(said: Annotated[Sieve, Query()]) -> Sieve:
    return said


Sieved = Annotated[Sieve, Depends(_sieve)]
"""What stands behind the question mark, beside which page of it is wanted."""

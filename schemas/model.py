"""What every canonical model shares: immutable, closed, and exact."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

__all__ = ["Canonical", "Code", "Id", "Text"]


class Canonical(BaseModel):
    """A value of the canonical language.

    Unknown fields are refused: a misspelt target in a mapping is an error, never a silent loss.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""An identifier as its issuer writes it: always text, leading zeros kept."""

Code = Annotated[str, StringConstraints(min_length=1, max_length=120)]
"""A word of a closed list, or ``unknown:<raw>`` for a code that no table knows yet."""

Text = Annotated[str, StringConstraints(max_length=20_000)]
"""Free text as the source sent it."""

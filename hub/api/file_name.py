"""The name of a file that comes as a body."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Header

__all__ = ["FileName"]


async def _file_name(
    x_lynchpin_file: Annotated[
        str,
        Header(
            max_length=1000,
            description="What the sender calls the file, for people; `%C3%A4` stands for `ä`.",
        ),
    ] = "request",
) -> str:
    return unquote(x_lynchpin_file)


FileName = Annotated[str, Depends(_file_name)]
"""What its sender calls the file. Headers hold ASCII only, so all else is percent-encoded."""

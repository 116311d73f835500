"""How a database is opened: to write, or to read beside whoever writes."""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = ["Access"]

Access: TypeAlias = Literal["write", "read"]

"""Repeated groups in patterns that never give anything back, so that hostile input stays linear.

Python before 3.11.5, which Debian 12 has, goes on at the wrong place after a possessive group whose
last turn fails half way. There the same is said in another way, which takes memory for each turn.
"""

from __future__ import annotations

import re

__all__ = ["many", "some"]

_FOUND = re.match("(?:ab?c)++", "aca")
_RELIABLE = _FOUND is not None and _FOUND[0] == "ac"


def many(turn: bytes) -> bytes:
    """A pattern for as many turns as there are, none or more."""
    return _repeated(turn, b"*")


def some(turn: bytes) -> bytes:
    """A pattern for as many turns as there are, one at least."""
    return _repeated(turn, b"+")


def _repeated(turn: bytes, sign: bytes) -> bytes:
    if _RELIABLE:
        return b"(?:" + turn + b")" + sign + b"+"
    return b"(?>(?:" + turn + b")" + sign + b")"

"""Where the benches keep what they write."""

from __future__ import annotations

from pathlib import Path

__all__ = ["disk"]


def disk() -> Path:
    """A folder on a disk: the one for temporary files is often kept in memory."""
    folder = Path(__file__).parents[1] / "build"
    folder.mkdir(exist_ok=True)
    return folder

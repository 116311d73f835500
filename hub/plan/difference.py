"""Where two canonical documents differ, as JSON values: path by path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

__all__ = ["Difference", "anywhere", "at", "differences"]

_UNKNOWN = "unknown:"


class Difference(NamedTuple):
    """A place where two documents differ, and how."""

    path: str
    kind: str


def differences(before: Any, after: Any, path: str = "") -> Iterator[Difference]:
    """Every leaf that differs; of what is there in one only, the outermost part."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys((*before, *after)):
            inside = f"{path}.{name}" if path else name
            yield from _either(before.get(name), after.get(name), inside)
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            was, now = (each[index] if index < len(each) else None for each in (before, after))
            yield from _either(was, now, f"{path}[{index}]")
    else:
        yield Difference(path, _kind(before, after))


def _either(before: Any, after: Any, path: str) -> Iterator[Difference]:
    if before is None and after is not None:
        yield Difference(path, "added")
    elif after is None and before is not None:
        yield Difference(path, "removed")
    else:
        yield from differences(before, after, path)


def _kind(before: Any, after: Any) -> str:
    was, now = (isinstance(v, str) and v.startswith(_UNKNOWN) for v in (before, after))
    if was != now:
        return "code becomes known" if was else "code becomes unknown"
    return "changed"


def anywhere(path: str) -> str:
    """The path with ``[]`` for every place in a list."""
    return re.sub(r"\[\d+\]", "[]", path)


def at(document: Any, path: str) -> Any:
    """What a document has at a path; ``None`` where it has nothing."""
    for name in re.findall(r"[^.\[\]]+", path):
        if isinstance(document, list):
            document = document[int(name)] if int(name) < len(document) else None
        else:
            document = document.get(name) if isinstance(document, dict) else None
    return document

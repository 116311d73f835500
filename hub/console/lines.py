"""Lines of a text that somebody edits in a form, which knows one kind of line break only."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher, unified_diff

__all__ = ["changed", "editable", "restored"]

_BREAK = re.compile("\r\n|\r|\n")
_LONG = 160
_PIECE = re.compile(r"(?<=[,{\[;])|(?<=>)(?=<)|(?=[}\]])")
_AROUND = 2


def editable(payload: bytes, *, bytes_max: int) -> str | None:
    """What a form can show of it and give back; ``None`` for what is no text, or too long."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text or len(payload) > bytes_max else text


def restored(typed: str, before: str) -> str:
    """What somebody typed, with the line breaks of the text that they began with."""
    lines, was, breaks = _BREAK.split(typed), _BREAK.split(before), _BREAK.findall(before)
    usual = Counter(breaks).most_common(1)[0][0] if breaks else "\n"
    ends = [usual] * (len(lines) - 1) + [""]
    if len({*breaks}) > 1:
        for at, to, count in SequenceMatcher(None, was, lines).get_matching_blocks():
            for step in range(count):
                if at + step < len(breaks) and to + step < len(lines) - 1:
                    ends[to + step] = breaks[at + step]
    return "".join(line + end for line, end in zip(lines, ends, strict=True))


def changed(before: str, after: str) -> list[str]:
    """What differs, line by line, with some lines around it; long lines go in pieces."""
    was, becomes = ([*_pieces(text)] for text in (before, after))
    return [*unified_diff(was, becomes, n=_AROUND, lineterm="")][2:]


def _pieces(text: str) -> Iterator[str]:
    for line in _BREAK.split(text):
        if len(line) <= _LONG:
            yield line
        else:
            yield from (piece for piece in _PIECE.split(line) if piece.strip())

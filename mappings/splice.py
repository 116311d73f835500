"""Changing a text at marked places and still knowing, for each line, which file it is from."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from mappings.yaml_text import Node, Scalar, Sequence

__all__ = [
    "Edit",
    "Piece",
    "Place",
    "comment",
    "flow",
    "line_end",
    "line_start",
    "quoted",
    "spliced",
    "verbatim",
]

Place = tuple[str, int]
"""A file and a line of it."""

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./ -]*(?<! )")
COMMENT_MAX = 100


@dataclass(frozen=True, slots=True)
class Piece:
    """A text that is put in, and where its first line is from.

    ``counts`` is set for what was copied: its second line is from the second line, and so on.
    """

    text: str
    place: Place
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """What takes the place of the characters from ``start`` to ``end``.

    Of two that put something in at one place, the one of lower ``rank`` comes first.
    """

    start: int
    end: int
    pieces: tuple[Piece, ...] = ()
    rank: int = 0


def spliced(text: str, file: str, edits: Iterable[Edit]) -> tuple[str, tuple[Place, ...]]:
    """The changed text and the origin of each of its lines. No two edits may overlap.

    A line that is made of both
    is of the file that changed it.
    """
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    pieces: list[tuple[Piece, bool]] = []

    def kept(start: int, end: int) -> None:
        if start < end:
            line = bisect_right(starts, start)
            pieces.append((Piece(text[start:end], (file, line), counts=True), False))

    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end, edit.rank)):
        assert edit.start >= position
        kept(position, edit.start)
        pieces += [(piece, True) for piece in edit.pieces]
        position = edit.end
    kept(position, len(text))
    return "".join(piece.text for piece, _ in pieces), tuple(_origins(pieces, (file, 1)))


def _origins(pieces: list[tuple[Piece, bool]], first: Place) -> Iterable[Place]:
    place, changed, begun = first, False, False
    for piece, put_in in pieces:
        file, line = piece.place
        for number, part in enumerate(piece.text.split("\n")):
            if number:
                yield place
                begun = changed = False
            if part and (not begun or (put_in and not changed)):
                place = file, line + number * piece.counts
                begun, changed = True, put_in
            elif not begun:
                place = file, line + number * piece.counts
    yield place


def line_start(text: str, index: int) -> int:
    """Where the line of a character begins."""
    return text.rfind("\n", 0, index) + 1


def line_end(text: str, index: int) -> int:
    """Where the line after that of a character begins, or where the text ends."""
    end = text.find("\n", index)
    return len(text) if end < 0 else end + 1


def verbatim(text: str, start: int, end: int, column: int) -> str:
    """Whole lines of a text as they stand there, moved so that they begin at a column."""
    first = line_start(text, start)
    shift = column - (start - first)
    lines = text[first : line_end(text, end)].rstrip("\n").split("\n")
    return "".join(f"{_moved(line, shift)}\n" for line in lines)


def _moved(line: str, shift: int) -> str:
    blanks = len(line) - len(line.lstrip(" "))
    return " " * shift + line if shift > 0 and line.strip() else line[min(-shift, blanks) :]


def comment(text: str) -> str:
    """A text as a comment of one short line."""
    first, *more = text.splitlines() or [""]
    first = "".join(c if c.isprintable() else "?" for c in first)
    cut = first if len(first) <= COMMENT_MAX and not more else f"{first[:COMMENT_MAX]} ..."
    return f"# {cut}"


def quoted(text: str) -> str:
    """A text as YAML reads it back, within brackets as well."""
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if _shown(c) else f"\\U{ord(c):08x}" for c in escaped) + '"'


def _shown(character: str) -> bool:
    return character.isprintable() and character != "\ufeff"


def flow(node: Node) -> str:
    """A node in one line, with brackets."""
    if isinstance(node, Scalar):
        return quoted(node.value)
    if isinstance(node, Sequence):
        return f"[{', '.join(map(flow, node.items))}]"
    entries = (f"{quoted(key.value)}: {flow(value)}" for key, value in node.entries)
    return f"{{{', '.join(entries)}}}"

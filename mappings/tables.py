"""Code tables kept as CSV beside a mapping: what a retailer's own people maintain in a sheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from mappings.errors import TABLE
from schemas.problem import ConfigError

__all__ = ["CHARACTERS_MAX", "ENTRIES_MAX", "Entry", "beside", "is_table", "read"]

ENTRIES_MAX = 20_000
CHARACTERS_MAX = 512 * 1024
CELL_MAX = 500
_NAME = re.compile(r"[A-Za-z0-9_][\w.-]*\.csv", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """A code, what it becomes, and what somebody remarked on it."""

    code: str
    value: str
    remark: str
    line: int


def is_table(text: str) -> bool:
    """Whether a text in the place of a table means a file of it."""
    return text.endswith(".csv")


def read(name: str, text: str) -> tuple[Entry, ...]:
    """Read a table. Raises ``ConfigError`` naming its file and line.

    The first line is ``code,value`` or ``code,value,remark``; commas, semicolons or tabs separate,
    whichever that line has. Blanks around a cell are no part of it.
    """
    if len(text) > CHARACTERS_MAX:
        _fail(name, 1, f"more than {CHARACTERS_MAX} characters")
    lines = io.StringIO(text.removeprefix("\ufeff"), newline="")
    head = lines.readline()
    separator = next((mark for mark in ";\t" if mark in head), ",")
    columns = [cell.strip().lower() for cell in head.split(separator)]
    if columns not in (["code", "value"], ["code", "value", "remark"]):
        _fail(name, 1, "a table begins with the line `code,value` or `code,value,remark`")
    entries: list[Entry] = []
    seen: dict[str, int] = {}
    for line, cells in _rows(name, lines, separator):
        entry = _entry(name, line, cells, len(columns))
        if entry.code in seen:
            _fail(name, line, f"the code {entry.code!r} stands here and in line {seen[entry.code]}")
        if len(entries) == ENTRIES_MAX:
            _fail(name, line, f"more than {ENTRIES_MAX} entries")
        seen[entry.code] = line
        entries.append(entry)
    return tuple(entries)


def _rows(name: str, lines: io.StringIO, separator: str) -> Iterator[tuple[int, list[str]]]:
    rows = csv.reader(lines, delimiter=separator, strict=True)
    line = 2
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield line, cells
            line = rows.line_num + 2
    except csv.Error as error:
        _fail(name, line, str(error))


def _entry(name: str, line: int, cells: list[str], columns: int) -> Entry:
    if len(cells) < 2 or len(cells) > columns:
        _fail(
            name, line, f"{len(cells)} cells where {columns} were expected; quote a text with one"
        )
    if max(map(len, cells)) > CELL_MAX:
        _fail(name, line, f"a cell of more than {CELL_MAX} characters")
    if not cells[0]:
        _fail(name, line, "the code is empty")
    return Entry(cells[0], cells[1], cells[2] if len(cells) > 2 else "", line)


def _fail(name: str, line: int, detail: str) -> NoReturn:
    raise ConfigError(TABLE.at(f"line {line}: {detail}", rule=f"{name}:{line}"))


def beside(folder: Path) -> Callable[[str], str]:
    """A function that reads a table of a folder by its name; nothing outside can be named.

    It raises ``ConfigError`` for what is no plain file in that folder itself.
    """

    def text(name: str) -> str:
        if not _NAME.fullmatch(name):
            _refuse(name, "a table is named like tenders.csv, in the folder of the mapping")
        file = folder / name
        if not file.is_file():
            _refuse(name, "there is no such file beside the mapping")
        if file.resolve().parent != folder.resolve():
            _refuse(name, "a link leads out of the folder of the mapping")
        return _decoded(file, name)

    return text


def _decoded(file: Path, name: str) -> str:
    with file.open("rb") as stream:
        # No character takes more than four bytes: what is longer is too long in any case.
        content = stream.read(4 * CHARACTERS_MAX + 1)
    if len(content) > 4 * CHARACTERS_MAX:
        _refuse(name, f"more than {CHARACTERS_MAX} characters")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        _fail(name, line, "this is no UTF-8; save the table as CSV UTF-8")


def _refuse(name: str, detail: str) -> NoReturn:
    raise ConfigError(TABLE.at(detail, file=name[:100]))

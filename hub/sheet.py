"""A sheet: a CSV file of reference data, read whole and checked before anything is loaded."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from hub.causes import TABLE_CELL, TABLE_COLUMN, TABLE_UNREADABLE
from schemas.problem import Cause, ConfigError

__all__ = ["File", "Row", "Sent", "Sheet", "read"]

Model = TypeVar("Model", bound=BaseModel)


class File(Protocol):
    """What a sheet is read from: a path, or content that was sent under a name."""

    @property
    def name(self) -> str:
        """What it is called, for people."""

    def read_bytes(self) -> bytes:
        """Its whole content. Raises ``OSError`` if it cannot be read."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The content of a file that lies elsewhere."""

    name: str
    content: bytes = field(repr=False)

    def read_bytes(self) -> bytes:
        """Its whole content."""
        return self.content


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by column name, without the blanks around them."""

    file: str
    line: int
    """The line of the file that the row ends on, counted from 1."""
    cells: dict[str, str]

    def values(self, column: str) -> tuple[str, ...]:
        """The values of a cell that may hold several, separated by ``|``."""
        parts = (part.strip() for part in self.cells.get(column, "").split("|"))
        return tuple(part for part in parts if part)

    def read_as(self, model: type[Model], *, lists: Sequence[str] = ()) -> Model:
        """Make a value of the cells that the model has fields for; ``lists`` may hold several.

        Raises ``ConfigError`` naming the first cell that does not fit.
        """
        fields: dict[str, Any] = {
            name: self.values(name) if name in lists else cell
            for name, cell in self.cells.items()
            if cell and name in model.model_fields
        }
        try:
            return model.model_validate(fields)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise self.error(TABLE_CELL, str(first["loc"][0]), first["msg"]) from error

    def error(self, cause: Cause, column: str, detail: str) -> ConfigError:
        """What is wrong with a cell, showing its shape only."""
        value = self.cells.get(column) or None
        path = f"line {self.line}, column {column}"
        return ConfigError(cause.at(detail, file=self.file, path=path, value=value))


@dataclass(frozen=True, slots=True)
class Sheet:
    """The columns that the file has, in its order, and its rows."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read(file: File, *, required: Sequence[str], optional: Sequence[str] = ()) -> Sheet:
    """Read a CSV file in UTF-8 whose first line names its columns, in any order.

    A semicolon between the columns is taken as well, for that is what spreadsheets write where
    the comma is the decimal sign. Empty rows are passed over. Raises ``ConfigError`` naming file,
    line and column.
    """
    lines = _lines(file)
    _, header = next(lines, (0, []))
    columns = tuple(name.strip().lower() for name in header)
    _check_columns(file.name, columns, required, optional)
    return Sheet(columns, tuple(_rows(file.name, columns, lines)))


def _lines(file: File) -> Iterator[tuple[int, list[str]]]:
    """Cells of each line that has any, with the number of the line."""
    try:
        text = file.read_bytes().decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        detail = "the bytes are not UTF-8"
        raise ConfigError(TABLE_UNREADABLE.at(detail, file=file.name, byte=error.start)) from error
    except OSError as error:
        raise ConfigError(TABLE_UNREADABLE.at(error.strerror or "", file=file.name)) from error
    if "\0" in text:
        raise ConfigError(TABLE_UNREADABLE.at("it holds NUL characters", file=file.name))
    header = text.partition("\n")[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        place = {"file": file.name, "path": f"line {reader.line_num}"}
        raise ConfigError(TABLE_UNREADABLE.at(str(error), **place)) from error


def _check_columns(
    file: str, columns: Sequence[str], required: Sequence[str], optional: Sequence[str]
) -> None:
    known = (*required, *optional)
    for name in columns:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise ConfigError(TABLE_COLUMN.at(f"no column {name!r}; {hint}", file=file))
    for name in known:
        if columns.count(name) > 1:
            raise ConfigError(TABLE_COLUMN.at(f"column {name!r} comes twice", file=file))
    if missing := [name for name in required if name not in columns]:
        raise ConfigError(TABLE_COLUMN.at(f"without column {', '.join(missing)}", file=file))


def _rows(
    file: str, columns: Sequence[str], lines: Iterator[tuple[int, list[str]]]
) -> Iterator[Row]:
    for number, cells in lines:
        if len(cells) != len(columns):
            detail = f"{len(cells)} cells under {len(columns)} columns"
            raise ConfigError(TABLE_CELL.at(detail, file=file, path=f"line {number}"))
        yield Row(file, number, dict(zip(columns, (c.strip() for c in cells), strict=True)))

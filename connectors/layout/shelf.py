"""Which layouts there are: the shipped ones by name, a retailer's own as files in the home."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path

from connectors.layout.causes import FORBIDDEN, LINE, MISSING
from connectors.layout.layout import Layout
from connectors.layout.layout_file import read
from mappings.errors import suggestion
from mappings.yaml_text import CHARACTERS_MAX
from schemas.problem import ConfigError

__all__ = ["in_code_page", "named", "of_record", "shipped"]

_FOLDER = Path(__file__).with_name("layouts")


@cache
def shipped() -> dict[str, Layout]:
    """The layouts that come with Lynchpin, by name."""
    files = sorted(_FOLDER.glob("*.yaml"))
    return {file.stem: read(file.read_text("utf-8"), file.name) for file in files}


def named(name: str, home: Path | None = None) -> Layout:
    """A shipped layout, or one in a file; where it is no absolute path, of the home.

    Raises ``ConfigError`` if there is none, or naming the line that is wrong.
    """
    if not name.endswith(".yaml"):
        found = shipped().get(name)
        if found is None:
            known = f"no layout {name!r}{suggestion(name, shipped())}"
            raise ConfigError(MISSING.at(known, path="layout"))
        return found
    path = (home or Path()) / name
    try:
        stat = path.stat()
        return _own(path, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        raise ConfigError(MISSING.at(error.strerror or "", file=name, path="layout")) from None


@lru_cache(maxsize=64)
def _own(path: Path, changed: int, size: int) -> Layout:
    if size > 4 * CHARACTERS_MAX:
        raise ConfigError(FORBIDDEN.at("the file is too large", file=path.name))
    try:
        return read(path.read_text("utf-8"), path.name)
    except UnicodeDecodeError:
        raise ConfigError(FORBIDDEN.at("the file is not UTF-8", file=path.name)) from None


@lru_cache(maxsize=64)
def in_code_page(layout: Layout, code_page: str) -> Layout:
    """The layout for a sender that writes in another code page. Raises ``ConfigError``."""
    try:
        one_byte = len(bytes(range(256)).decode(code_page, "replace")) == 256
    except LookupError:
        one_byte = False
    if not one_byte and code_page.lower().replace("_", "-") not in {"utf-8", "utf8"}:
        detail = "`encoding` is no code page of one byte a character, nor utf-8"
        raise ConfigError(LINE.at(detail, path="encoding"))
    return replace(layout, code_page=code_page)


def of_record(row: bytes, candidates: tuple[Layout, ...], *, ended: bool = True) -> list[Layout]:
    """Which of these layouts a file has that begins with this record.

    First those whose files begin so; else those that know such a record, for it may be from the
    middle of a file.
    """
    begun = [one for one in candidates if one.begins_file(row, ended=ended)]
    if begun or not ended:
        return begun
    known = [(one, one.type_of(row)) for one in candidates]
    return [
        one
        for one, record in known
        if record and record.type != one.file_begin and one.size_of(row) == record.size
    ]

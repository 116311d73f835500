"""Drafts: a mapping as somebody wrote it, self-contained, compiled, and for a kind of message."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from connectors import registry
from hub import library, publication
from hub.home import Home
from hub.publication import Target
from mappings import tables
from mappings.composition import composed
from mappings.errors import SYNTAX
from mappings.mapping import Mapping
from mappings.splice import Place
from schemas.problem import Cause, ConfigError, Problem

__all__ = [
    "Draft",
    "Files",
    "beside",
    "drafted",
    "example_files",
    "exists",
    "located",
    "read",
    "samples",
]

UNREADABLE = Cause(
    "LP-PUB-010",
    "The mapping file cannot be read.",
    "Name a file that is there, or a mapping of LYNCHPIN_HOME/mappings such as `shopify.order`.",
)
OTHER_DOCUMENT = Cause(
    "LP-PUB-011",
    "The mapping does not go with the kind of message that its name says.",
    "Correct `mapping`, `reads` or `to`; `lynchpin map list` shows what there is.",
)

_BYTES_MAX = 2 * 1024 * 1024
"""More than any mapping may have; what is larger is not read at all."""
_EXAMPLE_BYTES_MAX = 1024 * 1024

_RULE = re.compile(r"(.*):([0-9]+)", re.DOTALL)

Files = Callable[[str], bytes | None]
"""Gives a file beside the mapping by its name; ``None`` where there is none."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A mapping that compiles, and the files that its examples name."""

    mapping: Mapping
    target: Target
    files: Files
    lines: tuple[Place, ...] = ()
    """Which line of which file each line of the text is; nothing where they are the same."""

    def place(self, line: int) -> str:
        """Where somebody has to look for a line of the text: in their file if it is from there,
        else in the one that is extended.
        """
        known = self.lines[line - 1] if 0 < line <= len(self.lines) else (self.file, line)
        return f"{known[0]}:{known[1]}"

    def placed(self, problem: Problem) -> Problem:
        """The same problem, its rule by the file and line that somebody has to look at."""
        found = _RULE.fullmatch(problem.rule or "")
        if found is None or found[1] != self.file:
            return problem
        return problem.model_copy(update={"rule": self.place(int(found[2]))})

    @property
    def text(self) -> str:
        """The whole text, with everything that it was put together from."""
        return self.mapping.spec.text

    @property
    def file(self) -> str:
        """How problems and origins name it."""
        return self.mapping.spec.file


def drafted(text: str, file: str, files: Files, lines: tuple[Place, ...] = ()) -> Draft:
    """Compile a text. Raises ``ConfigError`` naming file and line, or if it is for nothing here."""
    mapping = library.authored(text, file)
    target = publication.target(mapping.name)
    other = library.shipped(target.connector, target.kind).spec
    for key, said, wanted in (
        ("to", mapping.spec.to, other.to),
        ("reads", mapping.spec.reads, other.reads),
    ):
        if said != wanted:
            detail = f"{target} has `{key}: {wanted}`, this has `{key}: {said}`"
            raise ConfigError(OTHER_DOCUMENT.at(detail, file=file))
    return Draft(mapping, target, files, lines)


def read(path: Path, home: Home) -> Draft:
    """Read a file of somebody's, with what it extends and the tables beside it, and compile it.

    Raises ``ConfigError`` naming the file and line that somebody has to mend.
    """
    name = _shown(path, home)
    made = composed(
        _text(path, name),
        name,
        beside=tables.beside(path.parent),
        base=_extended,
        check=library.authored,
    )
    return drafted(made.text, name, beside(path.parent), made.lines)


def _extended(name: str) -> tuple[str, str]:
    """Text and file name of the shipped mapping that a file of differences extends."""
    target = publication.target(name)
    return library.shipped_text(target.connector, target.kind)


def located(given: str, home: Home) -> Path:
    """The file that somebody means: a path, one below the home's mappings, or a mapping's name.

    Raises ``ConfigError`` if there is none.
    """
    path = _found(given, home)
    if path is not None:
        return path.absolute()
    raise ConfigError(UNREADABLE.at("there is no such file", file=Path(given).name))


def exists(given: str, home: Home) -> bool:
    """Whether ``located`` finds a file."""
    return _found(given, home) is not None


def _found(given: str, home: Home) -> Path | None:
    candidates = [Path(given).expanduser(), home.mappings / given]
    connector, dot, rest = given.partition(".")
    if dot and rest:
        candidates.append(home.mappings / connector / f"{rest}.yaml")
    return next((path for path in candidates if path.is_file()), None)


def beside(folder: Path) -> Files:
    """The files of a folder, none of them beyond it."""

    def find(name: str) -> bytes | None:
        file = (folder / name).resolve()
        if not file.is_relative_to(folder.resolve()) or not file.is_file():
            return None
        return file.read_bytes() if file.stat().st_size <= _EXAMPLE_BYTES_MAX else None

    return find


def example_files(draft: Draft) -> dict[str, bytes]:
    """What the examples of a draft name and the connector does not bring, by name."""
    examples = draft.mapping.spec.examples
    names = {name for example in examples for name in (example.source, example.expect)}
    found = {name: draft.files(name) for name in sorted(names)}
    return {name: content for name, content in found.items() if content is not None}


def _shown(path: Path, home: Home) -> str:
    """Files of the home by their place in it; others by their name, for where they lie is private
    to whoever wrote them.
    """
    path = path.absolute()
    inside = path.is_relative_to(home.path)
    return path.relative_to(home.path).as_posix() if inside else path.name


def _text(path: Path, name: str) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(UNREADABLE.at(error.strerror or "", file=name)) from None
    if len(content) > _BYTES_MAX:
        raise ConfigError(UNREADABLE.at(f"more than {_BYTES_MAX} bytes", file=name))
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        detail = "the bytes are not UTF-8"
        raise ConfigError(SYNTAX.at(detail, file=name, byte=error.start)) from None


def samples(connector: str) -> Files:
    """The samples that a connector brings."""
    return beside(registry.folder(connector) / "samples")

"""Composing a mapping: a retailer's differences and code tables, and the text that they change.

What comes out is a plain mapping by itself: the text that is extended, spliced at the places that
the differences name, and every code table written out. All else stays as it was, comments and
alignment too. Comments say what was changed and by which line of which file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from mappings import spec, tables
from mappings.differences import Entry, Misfit, Work, entries
from mappings.errors import DIFFERENCES, HOSTILE
from mappings.merge import merged, replaced
from mappings.splice import Edit, Piece, Place, comment, spliced
from mappings.yaml_text import CHARACTERS_MAX, Map, Node, Scalar, parse
from schemas.problem import ConfigError, Problem

__all__ = ["Base", "Beside", "Check", "Composed", "compose", "composed"]

Beside = Callable[[str], str]
"""Gives the text of a table beside the mapping by its file name. Raises ``ConfigError``."""
Base = Callable[[str], tuple[str, str]]
"""Gives text and file name of a mapping that may be extended. Raises ``ConfigError``."""

Check = Callable[[str, str], object]
"""Reads a plain text and its file name. Raises ``ConfigError`` if it is no mapping."""

_RULE = re.compile(r"(?P<file>.*):(?P<line>[0-9]+)", re.DOTALL)
_LINE = re.compile(r"^line [0-9]+: ")
_FIXED = ("reads", "to")


@dataclass(frozen=True, slots=True)
class Composed:
    """A plain mapping text. ``lines`` says for each of its lines which line of which file it is."""

    text: str
    file: str
    lines: tuple[Place, ...]

    def place(self, line: int) -> Place:
        """The file and line that a person has to look at for a line of the text."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else (self.file, line)


def compose(text: str, file: str, *, beside: Beside, base: Base, check: Check = spec.read) -> str:
    """The plain text that a mapping file stands for. Raises ``ConfigError`` with file and line."""
    return composed(text, file, beside=beside, base=base, check=check).text


def composed(
    text: str, file: str, *, beside: Beside, base: Base, check: Check = spec.read
) -> Composed:
    """Compose a mapping and check it. Raises ``ConfigError``; it names the file that is wrong."""
    tree = parse(text, file)
    header = {key.value: (key, value) for key, value in tree.entries}
    if "extends" not in header and not _tables(header):
        check(text, file)
        return Composed(text, file, _lines_of(text, file))
    work = Work(_lines(text), file, beside)
    tree = parse(work.text, file)
    try:
        found = _extended(tree, work, base) if "extends" in header else _written_out(tree, work)
    except Misfit as misfit:
        where = f"{misfit.place[0]}:{misfit.place[1]}"
        detail = f"line {misfit.place[1]}: {misfit}"
        raise ConfigError(DIFFERENCES.at(detail, rule=where)) from None
    return _checked(found, check)


def _lines_of(text: str, file: str) -> tuple[Place, ...]:
    return tuple((file, line) for line in range(1, text.count("\n") + 2))


def _tables(header: dict[str, tuple[Scalar, Node]]) -> bool:
    node = header["codes"][1] if "codes" in header else None
    values = [value for _, value in node.entries] if isinstance(node, Map) else []
    return any(isinstance(value, Scalar) and tables.is_table(value.value) for value in values)


def _written_out(tree: Map, work: Work) -> Composed:
    """A mapping that extends none: only its tables are to be written out."""
    codes = next(value for key, value in tree.entries if key.value == "codes")
    assert isinstance(codes, Map)
    edits: list[Edit] = []
    for entry in entries(codes, work, ("codes",)):
        if entry.table is not None:
            edits += replaced(codes, entry.key.value, entry, work.text)
    text, lines = spliced(work.text, work.file, edits)
    return Composed(text, work.file, lines)


def _extended(tree: Map, work: Work, base: Base) -> Composed:
    own = entries(tree, work, ())
    extends = next(entry for entry in own if entry.name == "extends")
    for entry in own:
        if entry.name in _FIXED:
            raise Misfit(f"`{entry.name}` stands in the mapping that is extended", entry.place)
    text, file = _base(extends, base)
    under = parse(text, file)
    if any(key.value == "extends" for key, _ in under.entries):
        raise Misfit(f"{file} extends another mapping itself; extend that one", extends.place)
    title = comment(f"{file} with the differences of {extends.place[0]}")
    edits = [Edit(0, 0, (Piece(f"{title}\n", extends.place),))]
    differences = tuple(entry for entry in own if entry.name not in ("extends", "examples"))
    examples = next((entry for entry in own if entry.name == "examples"), None)
    # The examples of the extended mapping are of samples beside it, and came out otherwise.
    if any(key.value == "examples" for key, _ in under.entries):
        edits += replaced(under, "examples", examples, text)
    elif examples is not None:
        differences = (*differences, examples)
    edits += merged(under, differences, (), text, anchor=0)
    result, lines = spliced(text, file, edits)
    return Composed(result, file, lines)


def _base(extends: Entry, base: Base) -> tuple[str, str]:
    if not isinstance(extends.value, Scalar):
        raise Misfit("`extends` names one mapping, such as `shopify.order`", extends.place)
    try:
        text, file = base(extends.value.value)
    except ConfigError as error:
        raise Misfit(error.problem.detail or error.problem.summary, extends.place) from None
    return _lines(text), file


def _lines(text: str) -> str:
    """The text with its lines ended in one way only, whatever editor it comes from."""
    return "\n".join(text.removeprefix("\ufeff").splitlines()) + "\n"


def _checked(found: Composed, check: Check) -> Composed:
    """Refuse a text that is no mapping, and name the file and line that somebody has to mend."""
    if len(found.text) > CHARACTERS_MAX:
        detail = f"with its code tables more than {CHARACTERS_MAX} characters"
        raise ConfigError(HOSTILE.at(detail, file=found.file))
    try:
        check(found.text, found.file)
    except ConfigError as error:
        raise ConfigError(_moved(found, error)) from None
    return found


def _moved(found: Composed, error: ConfigError) -> Problem:
    problem = error.problem
    match = _RULE.fullmatch(problem.rule or "")
    if match is None:
        return problem
    file, line = found.place(int(match["line"]))
    detail = _LINE.sub(f"line {line}: ", problem.detail or "")
    return problem.model_copy(update={"rule": f"{file}:{line}", "detail": detail})

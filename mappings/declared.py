"""What the top of a mapping declares of the way back: its directions, and what is lost with why."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NoReturn

from mappings.errors import RULE, SYNTAX
from mappings.yaml_text import Map, Node, Scalar
from schemas.problem import Cause, ConfigError

__all__ = ["KEYS", "Declared", "read"]

KEYS = ("direction", "lossy", "one_way", "root")
"""The keys at the top of a mapping that this module reads."""

_ELEMENT = re.compile(r"[A-Za-z_][\w-]*(?::[A-Za-z_][\w-]*)?")
Header = dict[str, tuple[Scalar, Node]]


@dataclass(frozen=True, slots=True)
class Declared:
    """``both`` directions or only in; of which targets what is lost; the ``root`` of the XML."""

    both: bool = False
    lossy: dict[str, str] = field(default_factory=dict)
    one_way: dict[str, str] = field(default_factory=dict)
    root: str | None = None
    lines: dict[str, int] = field(default_factory=dict)
    """The line of each declared target."""

    def why_one_way(self, target: tuple[str, ...]) -> str | None:
        """The reason why a target is not written, if it is not."""
        return _covering(self.one_way, target)

    def why_lossy(self, target: tuple[str, ...]) -> str | None:
        """The reason why a target comes back in another spelling, if it may."""
        return _covering(self.lossy, target)


def _covering(declared: dict[str, str], target: tuple[str, ...]) -> str | None:
    """An entry covers everything below it, as under ``ignore``."""
    names = (".".join(target[:length]) for length in range(len(target), 0, -1))
    return next((declared[name] for name in names if name in declared), None)


def read(header: Header, *, reads: str, file: str) -> Declared:
    """Read what is declared. Raises ``ConfigError`` naming file and line."""
    reader = _Reader(header, file)
    direction, root = reader.text("direction"), reader.text("root")
    if direction is None or direction.value == "in":
        for key in set(KEYS) & set(header) - {"direction"}:
            reader.fail(header[key][0].line, f"`{key}` goes with `direction: both`")
        return Declared()
    if direction.value != "both":
        reader.fail(direction.line, "`direction` is in or both")
    if (root is None) == (reads == "xml"):
        reader.fail(direction.line, "`root` names the outermost element, in XML and only there")
    if root is not None and not _ELEMENT.fullmatch(root.value):
        reader.fail(root.line, f"{root.value!r} is no name of an element")
    lossy, one_way = reader.reasons("lossy"), reader.reasons("one_way")
    return Declared(
        both=True,
        lossy=lossy,
        one_way=one_way,
        root=root.value if root else None,
        lines=reader.lines,
    )


class _Reader:
    def __init__(self, header: Header, file: str) -> None:
        self._header = header
        self._file = file
        self.lines: dict[str, int] = {}

    def fail(self, line: int, detail: str, cause: Cause = RULE) -> NoReturn:
        raise ConfigError(cause.at(f"line {line}: {detail}", rule=f"{self._file}:{line}"))

    def _scalar(self, node: Node) -> Scalar:
        if not isinstance(node, Scalar):
            self.fail(node.line, "a text was expected here", SYNTAX)
        return node

    def text(self, key: str) -> Scalar | None:
        return self._scalar(self._header[key][1]) if key in self._header else None

    def reasons(self, key: str) -> dict[str, str]:
        """The declared targets and why, each with a reason."""
        if key not in self._header:
            return {}
        node = self._header[key][1]
        if not isinstance(node, Map):
            self.fail(node.line, "a map of fields and reasons was expected here", SYNTAX)
        for target, why in node.entries:
            if target.value in self.lines:
                self.fail(target.line, f"{target.value} is declared twice")
            if not self._scalar(why).value.strip():
                self.fail(target.line, f"{target.value}: say what is lost, and why")
            self.lines[target.value] = target.line
        return {target.value: self._scalar(why).value for target, why in node.entries}

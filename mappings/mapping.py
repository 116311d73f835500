"""A mapping at work: from a source document to a canonical one, and back to where values came from.

>>> mapping = load(text, "order.yaml")                                      # doctest: +SKIP
>>> order, flags = mapping.build(document, system="shop-eu")                # doctest: +SKIP
>>> mapping.trace(document).origins["lines[0].quantity"].source             # doctest: +SKIP
'line_items[0].quantity'
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from mappings.compiler import compile_fast, compile_traced
from mappings.errors import CODE_UNKNOWN, RULE, VALIDATION, VALUE
from mappings.spec import Spec, read
from schemas.envelope import Flag
from schemas.model import Canonical
from schemas.problem import ConfigError, Problem, Rejected

__all__ = ["Mapping", "Origin", "Trace", "load"]

_WRONG_STRUCTURE = "the document has another structure here than the rule expects"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a canonical value came from: the source path, the rule's line, the value as sent."""

    source: str
    line: int
    value: Any


@dataclass(slots=True)
class Trace:
    """What the traced form reports while it runs. ``origins`` is by canonical path."""

    document: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    unknown: list[tuple[str, str, str]] = field(default_factory=list)
    line: int = 0
    target: str = ""
    place: str = ""

    def at(self, line: int, target: str, place: str) -> None:
        self.line = line
        self.target = target
        self.place = place

    def set(self, target: str, source: str, line: int, value: Any) -> None:
        self.origins[target] = Origin(source, line, value)


class Mapping:
    """A compiled mapping. Immutable, and free to be used by several threads."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.name = spec.name
        self.version = spec.version
        self._fast = compile_fast(spec)
        self._traced = compile_traced(spec)
        self._lines = spec.text.splitlines()

    def run(self, body: Any) -> tuple[dict[str, Any], tuple[Flag, ...]]:
        """Map a document without validating it. Raises ``Rejected`` naming rule and source."""
        unknown: list[tuple[str, str, str]] = []
        try:
            document = self._fast(body, unknown)
        except (ValueError, TypeError, AttributeError, KeyError, ArithmeticError):
            self.trace(body)
            raise
        return document, self._flags(body) if unknown else ()

    def build(self, body: Any, *, system: str) -> tuple[Canonical, tuple[Flag, ...]]:
        """Map a document to its canonical model. Raises ``Rejected`` naming rule and source."""
        document, flags = self.run(body)
        return self.validated(body, document, system=system), flags

    def validated(self, body: Any, document: dict[str, Any], *, system: str) -> Canonical:
        """Make the canonical model of a mapped document. Raises ``Rejected``."""
        document["system"] = system
        try:
            return self.spec.model.model_validate(document)
        except ValidationError as error:
            raise Rejected(self._validation(body, error)) from None

    def trace(self, body: Any) -> Trace:
        """Map a document and note where every value came from. Raises ``Rejected``."""
        trace = Trace()
        try:
            trace.document = self._traced(body, trace.unknown, trace)
        except ValueError as error:
            raise Rejected(self._at(trace, str(error))) from None
        except (TypeError, AttributeError, KeyError, ArithmeticError):
            raise Rejected(self._at(trace, _WRONG_STRUCTURE)) from None
        return trace

    def rule(self, line: int) -> str:
        """The text of a rule by its line."""
        return self._lines[line - 1].strip() if 0 < line <= len(self._lines) else ""

    def _at(self, trace: Trace, detail: str) -> Problem:
        return VALUE.at(
            detail, path=self._source_of(trace), target=trace.target or None, rule=self._rule(trace.line)
        )

    def _source_of(self, trace: Trace) -> str:
        text = self.rule(trace.line)
        _, _, expression = text.partition(": ")
        return trace.place + re.split(r"\s\|\s", (expression.strip() or text))[0].strip()

    def _rule(self, line: int) -> str:
        return f"{self.spec.file}:{line}"

    def _flags(self, body: Any) -> tuple[Flag, ...]:
        return tuple(
            Flag(code=CODE_UNKNOWN.code, path=target, detail=f"table {table} has no entry {raw!r}")
            for target, table, raw in self.trace(body).unknown
        )

    def _validation(self, body: Any, error: ValidationError) -> Problem:
        """Translate the first thing the model found into the rule that should have filled it."""
        first = error.errors(include_url=False)[0]
        target = _path(first["loc"])
        trace = self.trace(body)
        origin = trace.origins.get(target)
        line = origin.line if origin else self._line_for(target)
        value = None if first["type"] == "missing" else first["input"]
        return VALIDATION.at(
            f"{target}: {first['msg'].lower()}",
            target=target,
            path=origin.source if origin else self._expected(line),
            rule=self._rule(line) if line else None,
            value=value if isinstance(value, (str, int)) else None,
        )

    def _line_for(self, target: str) -> int | None:
        """The line of the rule that names a target, found by its last name."""
        name = target.rpartition(".")[2].partition("[")[0]
        for number, text in enumerate(self._lines, 1):
            if re.match(rf"\s*(?:[a-z0-9_.]+\.)?{re.escape(name)}(?:\[\])?(?:\s+from\s.+)?:", text):
                return number
        return None

    def _expected(self, line: int | None) -> str | None:
        if line is None:
            return None
        return re.split(r"\s\|\s", self.rule(line).partition(": ")[2])[0].strip() or None


def _path(location: tuple[int | str, ...]) -> str:
    """Write pydantic's location as a path; the tag of a union is no part of it."""
    path = ""
    previous: int | str = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif not (isinstance(previous, int) and part in _TAGS):
            path += f".{part}" if path else part
        previous = part
    return path


_TAGS = frozenset(
    "sale return order_pick_up order_payment gift_card deposit fee discount tax rounding".split()
)


def load(text: str, file: str) -> Mapping:
    """Read and compile a mapping. Raises ``ConfigError`` naming file and line."""
    spec = read(text, file)
    try:
        return Mapping(spec)
    except (ValueError, SyntaxError) as error:
        raise ConfigError(RULE.at(f"cannot be compiled: {error}", file=file)) from None

"""A mapping at work: from a source document to a canonical one, and back to where values came from.

>>> mapping = load(text, "order.yaml")                                      # doctest: +SKIP
>>> order, flags = mapping.build(document, system="shop-eu")                # doctest: +SKIP
>>> mapping.trace(document).origins["lines[0].quantity"].source             # doctest: +SKIP
'line_items[0].quantity'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as AnyMapping
from decimal import Decimal
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from mappings.compiler import Unknown, compile_fast, compile_traced
from mappings.errors import CODE_UNKNOWN, LOOKUP_UNKNOWN, RULE, SAME_KEY, VALIDATION, VALUE
from mappings.finder import Row, compile_finder
from mappings.further import ELEMENTS_MAX, Found, Further, Part, written
from mappings.own import Function
from mappings.reference import NOTHING, Reference
from mappings.rules import (
    Assign,
    Choice,
    Constant,
    Each,
    Gather,
    Path,
    Rules,
    Template,
    Total,
    Within,
)
from mappings.spec import Spec, of_part, read
from mappings.target import location
from mappings.trace import Origin, Trace
from schemas.envelope import Flag
from schemas.model import Canonical
from schemas.problem import Cause, ConfigError, Problem, Rejected, shape

__all__ = ["Mapping", "load"]

_WRONG_STRUCTURE = "the document has another structure here than the rule expects"


class Mapping:
    """A compiled mapping, free to be used by several threads."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.name = spec.name
        self.version = spec.version
        self._fast = compile_fast(spec)
        self._lines = spec.text.splitlines()
        self.further = {part.name: Mapping(of_part(spec, part)) for part in spec.further}
        """The mappings of its further documents by their names; what they read is a ``Part``."""
        self._finders = [(part, compile_finder(spec, part)) for part in spec.further]

    @cached_property
    def _traced(self) -> Callable[[Any, Unknown, Reference, Any], dict[str, Any]]:
        """Compiled when it is first needed: most documents need no explanation."""
        return compile_traced(self.spec)

    def run(
        self, body: Any, reference: Reference = NOTHING
    ) -> tuple[dict[str, Any], tuple[Flag, ...]]:
        """Map a document without validating it. Raises ``Rejected`` naming rule and source.

        What its rules look up is looked up in ``reference``.
        """
        unknown: Unknown = []
        try:
            document = self._fast(body, unknown, reference)
        except (ValueError, TypeError, AttributeError, KeyError, ArithmeticError):
            self.trace(body, reference)
            raise
        return document, self._flags(body, reference) if unknown else ()

    def build(
        self, body: Any, *, system: str, reference: Reference = NOTHING
    ) -> tuple[Canonical, tuple[Flag, ...]]:
        """Map a document to its canonical model. Raises ``Rejected`` naming rule and source."""
        document, flags = self.run(body, reference)
        return self.validated(body, document, system=system, reference=reference), flags

    def validated(
        self,
        body: Any,
        document: dict[str, Any],
        *,
        system: str,
        reference: Reference = NOTHING,
    ) -> Canonical:
        """Make the canonical model of a mapped document. Raises ``Rejected``."""
        document["system"] = system
        try:
            return self.spec.model.model_validate(document)
        except ValidationError as error:
            raise Rejected(self._validation(self.trace(body, reference), error)) from None

    def trace(self, body: Any, reference: Reference = NOTHING) -> Trace:
        """Map a document and note where every value came from. Raises ``Rejected``."""
        trace = Trace()
        try:
            trace.document = self._traced(body, trace.unknown, reference, trace)
        except ValueError as error:
            raise Rejected(self._at(trace, str(error))) from None
        except (TypeError, AttributeError, KeyError, ArithmeticError):
            raise Rejected(self._at(trace, _WRONG_STRUCTURE)) from None
        return trace

    def found(self, body: Any) -> tuple[Found, ...]:
        """The further documents that a document holds, each once, in the order of the mapping.

        Raises ``Rejected`` where one cannot be told apart from others.
        """
        found: dict[tuple[str, ...], Found] = {}
        for part, finder in self._finders:
            for row in self._rows(finder, body):
                each = self._named(part, body, row)
                known = found.setdefault((part.name, *each.key), each)
                if len(found) > ELEMENTS_MAX:
                    detail = f"more than {ELEMENTS_MAX} further documents"
                    raise Rejected(self._about(VALIDATION, part, row, detail, part.line))
                if known.version == each.version and known.content != each.content:
                    detail = f"two of {part.name} that are not the same"
                    raise Rejected(self._about(SAME_KEY, part, row, detail, part.key_line))
                if (known.version or "") < (each.version or ""):
                    found[part.name, *each.key] = each
        return tuple(found.values())

    def _rows(self, finder: Callable[[Any, Trace], list[Row]], body: Any) -> list[Row]:
        trace = Trace()
        try:
            return finder(body, trace)
        except ValueError as error:
            raise Rejected(self._at(trace, str(error))) from None
        except (TypeError, AttributeError, KeyError, ArithmeticError):
            raise Rejected(self._at(trace, _WRONG_STRUCTURE)) from None

    def _named(self, part: Further, body: Any, row: Row) -> Found:
        node, place, key, version, content = row
        for value, expression in zip(key, part.key, strict=True):
            if value is None:
                detail = f"the key of {part.name} is absent: {expression.text}"
                raise Rejected(self._about(VALIDATION, part, row, detail, part.key_line))
        if part.version is not None and version is None:
            detail = f"the version of {part.name} is absent: {part.version.text}"
            raise Rejected(self._about(VALIDATION, part, row, detail, part.version_line))
        says = written(content if part.content else node)
        whole = tuple(value or "" for value in key)
        return Found(part.name, Part(body, node, place), whole, version, says)

    def _about(self, cause: Cause, part: Further, row: Row, detail: str, line: int) -> Problem:
        place = row[1].rstrip(".") or None
        return cause.at(detail, path=place, target=f"further.{part.name}", rule=self._rule(line))

    def rule(self, line: int) -> str:
        """The text of a rule by its line."""
        return self._lines[line - 1].strip() if 0 < line <= len(self._lines) else ""

    def _at(self, trace: Trace, detail: str) -> Problem:
        return VALUE.at(
            detail,
            path=trace.place,
            target=trace.target.rstrip(".") or None,
            rule=self._rule(trace.line),
            value=_leaf(trace.value),
        )

    def _rule(self, line: int) -> str:
        return f"{self.spec.file}:{line}"

    def _flags(self, body: Any, reference: Reference) -> tuple[Flag, ...]:
        return tuple(_flag(*unknown) for unknown in self.trace(body, reference).unknown)

    def _validation(self, trace: Trace, error: ValidationError) -> Problem:
        """Translate the first thing the model found into the rule that should have filled it."""
        first = error.errors(include_url=False)[0]
        target = location(self.spec.model, first["loc"])
        detail, value = first["msg"], _leaf(first["input"])
        if first["type"].startswith("union_tag"):
            # What pydantic says here quotes the tag.
            target, value = f"{target}.kind", None
            words = first["ctx"].get("expected_tags")
            detail = f"Input should be one of {words}" if words else "Field required"
        path, line = self._unfilled(trace, target)
        if origin := _origin(trace, target):
            path, line, value = origin.source, origin.line, _leaf(origin.value)
        return VALIDATION.at(
            f"{target}: {detail[0].lower()}{detail[1:]}",
            target=target,
            path=path,
            rule=self._rule(line) if line else None,
            value=value,
        )

    def _unfilled(self, trace: Trace, target: str) -> tuple[str | None, int | None]:
        """Where the value of a target that stayed empty would have come from, and by which rule."""
        inside = [part for part in trace.parts if target.startswith(part)]
        part = max(inside, key=len, default="")
        place, above = trace.parts.get(part, ("", None))
        names = tuple(re.sub(r"\[\d+\]", "", target.removeprefix(part)).split("."))
        rule = _filling(above.rules if above else self.spec.rules, names) or above
        if rule is None:
            return None, None
        if rule is above:
            return place.rstrip(".") or None, rule.line
        sources = dict.fromkeys(_written(source, place) for source in _sources(rule))
        return " or ".join(sources), rule.line


def _origin(trace: Trace, target: str) -> Origin | None:
    """The origin of a target or of the value that it is part of, such as a moment's offset."""
    while target and target not in trace.origins:
        target = re.sub(r"(?:^|\.)[^.\[]*$|\[\d+\]$", "", target)
    return trace.origins.get(target)


def _filling(rules: Rules, target: tuple[str, ...]) -> Assign | Gather | Within | Each | None:
    """The rule that fills a target, or the innermost that makes the object it belongs to."""
    nearest: Assign | Gather | Within | Each | None = None
    for rule in rules:
        if isinstance(rule, Choice):
            found = (_filling(branch.rules or (), target) for branch in rule.branches)
            nearest = nearest or next((rule for rule in found if rule), None)
        elif rule.target == target:
            return rule
        elif isinstance(rule, (Within, Each)) and target[: len(rule.target)] == rule.target:
            nearest = _filling(rule.rules, target[len(rule.target) :]) or nearest or rule
    return nearest


def _flag(target: str, table: str, raw: str) -> Flag:
    # The name of a code table is a single word; look-ups are named by what they look up.
    if " " in table:
        detail = f"`{table}` finds nothing for one like {shape(raw)!r}"
        return Flag(code=LOOKUP_UNKNOWN.code, path=target, detail=detail)
    detail = f"table {table!r} has no entry for a code like {shape(raw)!r}"
    return Flag(code=CODE_UNKNOWN.code, path=target, detail=detail)


def _sources(rule: Assign | Gather | Within | Each) -> Iterator[Path | Constant]:
    if isinstance(rule, Within | Each):
        yield rule.source
        return
    for expression in (rule.expression,) if isinstance(rule, Assign) else rule.expressions:
        for source in expression.sources:
            if isinstance(source, Template):
                yield from source.paths
            else:
                yield source.path if isinstance(source, Total) else source


def _written(source: Path | Constant, place: str) -> str:
    if isinstance(source, Constant):
        return str(source)
    text = str(source).lstrip("/.")
    return text if source.from_top else (place + text).rstrip(".") or "."


def _leaf(value: Any) -> Any:
    """A value of which a shape may be shown; ``None`` for objects and lists."""
    return value if isinstance(value, (str, int, Decimal)) else None


def load(text: str, file: str, functions: AnyMapping[str, Function] | None = None) -> Mapping:
    """Read and compile a mapping, whose connector has ``functions`` of its own.

    Raises ``ConfigError`` naming file and line.
    """
    spec = read(text, file, functions)
    try:
        return Mapping(spec)
    except (ValueError, SyntaxError) as error:
        raise ConfigError(RULE.at(f"cannot be compiled: {error}", file=file)) from None

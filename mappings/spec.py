"""A mapping file as read and checked: its header, rules, code tables, ignore list and examples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeVar

from mappings import grammar
from mappings.errors import RULE, SYNTAX, TARGET, suggestion
from mappings.grammar import GrammarError, Key
from mappings.rules import (
    Assign,
    Choice,
    Each,
    Expression,
    Gather,
    Path,
    Rule,
    Rules,
    When,
    Within,
)
from mappings.target import Kind, TargetError, kind_at
from mappings.transforms import TRANSFORMS
from mappings.yaml_text import Map, Node, Scalar, Sequence, parse
from schemas.envelope import DOCUMENTS
from schemas.model import Canonical
from schemas.problem import Cause, ConfigError

__all__ = ["Example", "Spec", "read", "version_of"]

_HEADER = ("mapping", "reads", "to", "summary", "rules", "codes", "ignore", "examples")
_SET_BY_HUB = ("system",)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Example:
    """A source document and what it must become; both are files beside the connector."""

    source: str
    expect: str
    line: int


@dataclass(frozen=True, slots=True)
class Spec:
    """A checked mapping. ``version`` names its text, wherever that text lies."""

    name: str
    reads: Literal["xml", "json"]
    to: str
    model: type[Canonical]
    rules: Rules
    codes: dict[str, dict[str, str]]
    ignore: tuple[Path, ...]
    examples: tuple[Example, ...]
    text: str
    file: str
    version: str


def read(text: str, file: str) -> Spec:
    """Read the text of a mapping file. Raises ``ConfigError`` naming file, line and what to do."""
    return _Reader(text, file).spec()


def version_of(text: str) -> str:
    """Name a mapping by its text, 16 hex digits: the same text is the same version everywhere."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._model: type[Canonical] = Canonical
        self._codes: dict[str, dict[str, str]] = {}

    def spec(self) -> Spec:
        header = {key.value: (key, node) for key, node in parse(self._text, self._file).entries}
        for key, (scalar, _) in header.items():
            if key not in _HEADER:
                self._fail(scalar.line, f"unknown key {key!r}{suggestion(key, _HEADER)}")
        for key in ("mapping", "reads", "to", "rules"):
            if key not in header:
                self._fail(1, f"the key {key!r} is missing")
        name, reads, to = (self._scalar(header[k][1]) for k in ("mapping", "reads", "to"))
        if reads.value not in ("xml", "json"):
            self._fail(reads.line, "`reads` is xml or json")
        if to.value not in DOCUMENTS:
            hint = suggestion(to.value, DOCUMENTS)
            self._fail(to.line, f"there is no canonical document {to.value!r}{hint}", TARGET)
        self._model = DOCUMENTS[to.value]
        if "codes" in header:
            self._codes = {k.value: self._table(n) for k, n in self._map(header["codes"][1])}
        ignore = self._ignore(header["ignore"][1]) if "ignore" in header else ()
        examples = self._examples(header["examples"][1]) if "examples" in header else ()
        return Spec(
            name=name.value,
            reads="xml" if reads.value == "xml" else "json",
            to=to.value,
            model=self._model,
            rules=self._rules(header["rules"][1], ()),
            codes=self._codes,
            ignore=ignore,
            examples=examples,
            text=self._text,
            file=self._file,
            version=version_of(self._text),
        )

    def _fail(self, line: int, detail: str, cause: Cause = RULE) -> NoReturn:
        raise ConfigError(cause.at(f"line {line}: {detail}", rule=f"{self._file}:{line}"))

    def _scalar(self, node: Node) -> Scalar:
        if not isinstance(node, Scalar):
            self._fail(node.line, "a text was expected here", SYNTAX)
        return node

    def _map(self, node: Node) -> tuple[tuple[Scalar, Node], ...]:
        if not isinstance(node, Map):
            self._fail(node.line, "a map of keys was expected here", SYNTAX)
        return node.entries

    def _sequence(self, node: Node) -> tuple[Node, ...]:
        if not isinstance(node, Sequence):
            self._fail(node.line, "a list was expected here", SYNTAX)
        return node.items

    def _table(self, node: Node) -> dict[str, str]:
        return {key.value: self._scalar(value).value for key, value in self._map(node)}

    def _ignore(self, node: Node) -> tuple[Path, ...]:
        scalars = [self._scalar(item) for item in self._sequence(node)]
        return tuple(
            self._parsed(s.line, lambda t: grammar.path(t, many=True), s.value) for s in scalars
        )

    def _examples(self, node: Node) -> tuple[Example, ...]:
        examples = []
        for item in self._sequence(node):
            fields = {key.value: self._scalar(value).value for key, value in self._map(item)}
            if set(fields) != {"from", "expect"}:
                self._fail(item.line, "an example has exactly the keys `from` and `expect`")
            examples.append(Example(fields["from"], fields["expect"], item.line))
        return tuple(examples)

    def _parsed(self, line: int, function: Callable[[str], _T], text: str) -> _T:
        try:
            return function(text)
        except GrammarError as error:
            self._fail(line, str(error))

    def _rules(self, node: Node, scope: tuple[str, ...]) -> Rules:
        rules: list[Rule] = []
        branches: list[When] = []
        seen: set[tuple[str, ...]] = set()
        for scalar, value in self._map(node):
            key = self._parsed(scalar.line, grammar.key, scalar.value)
            if key.form in ("when", "otherwise"):
                branches.append(self._branch(key, scalar, value, scope, branches))
                continue
            self._close(rules, branches)
            if key.form != "each" and key.target in seen:
                self._fail(scalar.line, f"{'.'.join(key.target)} is filled twice")
            seen.add(key.target)
            rules.append(self._rule(key, scalar, value, scope))
        self._close(rules, branches)
        return tuple(rules)

    @staticmethod
    def _close(rules: list[Rule], branches: list[When]) -> None:
        if branches:
            rules.append(Choice(tuple(branches), branches[0].line))
            branches.clear()

    def _branch(
        self, key: Key, scalar: Scalar, value: Node, scope: tuple[str, ...], before: list[When]
    ) -> When:
        if key.form == "otherwise" and not before:
            self._fail(scalar.line, "`otherwise` follows a `when`")
        if before and before[-1].condition is None:
            self._fail(scalar.line, "nothing can follow `otherwise`")
        skip = isinstance(value, Scalar) and value.value == "skip"
        return When(key.condition, None if skip else self._rules(value, scope), scalar.line)

    def _rule(self, key: Key, scalar: Scalar, value: Node, scope: tuple[str, ...]) -> Rule:
        full = scope + key.target
        kind = self._kind(scalar.line, full)
        line = scalar.line
        if key.form == "each":
            assert key.source is not None
            if kind != "objects":
                self._fail(line, f"{'.'.join(full)} is no list of objects", TARGET)
            rules = self._rules(value, full)
            return Each(key.target, key.source, key.condition, rules, line)
        if key.form == "within":
            assert key.source is not None
            if kind != "object":
                self._fail(line, f"{'.'.join(full)} is no object", TARGET)
            return Within(key.target, key.source, self._rules(value, full), line)
        if kind in ("object", "objects"):
            self._fail(line, f"{'.'.join(full)} is no single value", TARGET)
        if isinstance(value, Sequence):
            if kind != "texts":
                self._fail(line, f"{'.'.join(full)} is no list of texts", TARGET)
            items = tuple(self._expression(self._scalar(item)) for item in value.items)
            return Gather(key.target, items, line)
        return Assign(key.target, self._expression(self._scalar(value)), line)

    def _kind(self, line: int, target: tuple[str, ...]) -> Kind:
        if target in [(name,) for name in _SET_BY_HUB]:
            self._fail(line, f"{target[0]} is set by the hub", TARGET)
        try:
            return kind_at(self._model, target)
        except TargetError as error:
            self._fail(line, str(error), TARGET)

    def _expression(self, scalar: Scalar) -> Expression:
        expression = self._parsed(scalar.line, grammar.expression, scalar.value)
        for transform in expression.transforms:
            if transform.name == "code":
                table = transform.arguments[0] if len(transform.arguments) == 1 else ""
                if table not in self._codes:
                    hint = suggestion(table, self._codes)
                    self._fail(scalar.line, f"there is no code table {table!r}{hint}")
                continue
            if transform.name not in TRANSFORMS:
                hint = suggestion(transform.name, (*TRANSFORMS, "code"))
                self._fail(scalar.line, f"there is no transform {transform.name!r}{hint}")
            try:
                TRANSFORMS[transform.name](*transform.arguments)
            except (TypeError, ValueError):
                self._fail(scalar.line, f"{transform.name!r} does not take these arguments")
        return expression

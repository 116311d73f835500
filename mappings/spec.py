"""A mapping file as read and checked: its header, rules, code tables, ignore list and examples."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NoReturn, TypeVar

from mappings import declared, direction, grammar, lists
from mappings.errors import RULE, SYNTAX, TARGET, suggestion
from mappings.grammar import GrammarError, Key
from mappings.own import Function
from mappings.rules import (
    Assign,
    Choice,
    Constant,
    Each,
    Expression,
    Gather,
    Path,
    Rule,
    Rules,
    When,
    Within,
)
from mappings.target import Kind, TargetError, kind_at, takes
from mappings.transforms import COERCIONS
from mappings.vocabulary import Vocabulary
from mappings.yaml_text import Map, Node, Scalar, Sequence, parse
from schemas.envelope import DOCUMENTS
from schemas.model import Canonical
from schemas.problem import Cause, ConfigError

__all__ = ["SET_BY_HUB", "Example", "Spec", "read", "version_of"]

_HEADER = ("mapping", "reads", "to", "summary", "rules", "codes", "ignore", "unset", "examples")
_KEYS = (*_HEADER, *declared.KEYS)
SET_BY_HUB = (("system",),)
"""Targets that a mapping may not fill."""
TEXT_MAX = 2000
BRANCHES_MAX = 40
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
    unset: dict[tuple[str, ...], str]
    """Targets that stay empty on purpose, each with the reason in words."""
    examples: tuple[Example, ...]
    text: str
    file: str
    version: str
    declared: declared.Declared
    functions: Mapping[str, Function] = field(default_factory=dict)
    """What the connector adds to the language. No part of the text or its version."""

    @property
    def vocabulary(self) -> Vocabulary:
        """What rules may name behind a ``|``."""
        return Vocabulary(self.codes, self.functions)


def read(text: str, file: str, functions: Mapping[str, Function] | None = None) -> Spec:
    """Read the text of a mapping file, whose connector has ``functions`` of its own.

    Raises ``ConfigError`` naming file, line and what to do.
    """
    return _Reader(text, file, functions or {}).spec()


def version_of(text: str) -> str:
    """Name a mapping by its text, 16 hex digits: the same text is the same version everywhere."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Reader:
    def __init__(self, text: str, file: str, functions: Mapping[str, Function]) -> None:
        self._text = text
        self._file = file
        self._functions = functions
        self._model: type[Canonical] = Canonical
        self._reads = ""
        self._codes: dict[str, dict[str, str]] = {}

    def spec(self) -> Spec:
        header = {key.value: (key, node) for key, node in parse(self._text, self._file).entries}
        for key, (scalar, _) in header.items():
            if key not in _KEYS:
                self._fail(scalar.line, f"unknown key {key!r}{suggestion(key, _KEYS)}")
        for key in ("mapping", "reads", "to", "rules"):
            if key not in header:
                self._fail(1, f"the key {key!r} is missing")
        name, reads, to = (self._scalar(header[k][1]) for k in ("mapping", "reads", "to"))
        if not re.fullmatch(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*", name.value):
            self._fail(name.line, "the name of a mapping is like `shop.order`")
        if reads.value not in ("xml", "json"):
            self._fail(reads.line, "`reads` is xml or json")
        self._reads = reads.value
        if to.value not in DOCUMENTS:
            hint = suggestion(to.value, DOCUMENTS)
            self._fail(to.line, f"there is no canonical document {to.value!r}{hint}", TARGET)
        self._model = DOCUMENTS[to.value]
        if "codes" in header:
            self._codes = {self._word(k): self._table(n) for k, n in self._map(header["codes"][1])}
        ignore = self._ignore(header["ignore"][1]) if "ignore" in header else ()
        examples = self._examples(header["examples"][1]) if "examples" in header else ()
        spec = Spec(
            name=name.value,
            reads="xml" if reads.value == "xml" else "json",
            to=to.value,
            model=self._model,
            rules=self._rules(header["rules"][1], ()),
            codes=self._codes,
            ignore=ignore,
            unset=dict(self._unset(header["unset"][1])) if "unset" in header else {},
            examples=examples,
            text=self._text,
            file=self._file,
            version=version_of(self._text),
            declared=declared.read(header, reads=reads.value, file=self._file),
            functions=self._functions,
        )
        for line in lists.misplaced(spec.rules):
            self._fail(line, "`.[]` stands for the elements of a group, and this is in none")
        direction.check(spec)
        return spec

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

    def _word(self, scalar: Scalar) -> str:
        if " " in scalar.value:
            self._fail(scalar.line, "the name of a code table is a single word")
        return scalar.value

    def _table(self, node: Node) -> dict[str, str]:
        return {key.value: self._scalar(value).value for key, value in self._map(node)}

    def _ignore(self, node: Node) -> tuple[Path, ...]:
        return tuple(self._ignored(self._scalar(item)) for item in self._sequence(node))

    def _ignored(self, scalar: Scalar) -> Path:
        path = self._parsed(scalar.line, lambda text: grammar.path(text, many=True), scalar.value)
        self._check_readable(scalar.line, path)
        return path

    def _unset(self, node: Node) -> Iterator[tuple[tuple[str, ...], str]]:
        for key, value in self._map(node):
            target = self._parsed(key.line, grammar.target, key.value)
            if target in SET_BY_HUB:
                self._fail(key.line, f"{key.value} is set by the hub", TARGET)
            try:
                kind_at(self._model, target)
            except TargetError as error:
                self._fail(key.line, str(error), TARGET)
            reason = self._scalar(value)
            if not reason.value.strip():
                self._fail(key.line, f"say in words why {key.value} stays empty")
            yield target, reason.value

    def _examples(self, node: Node) -> tuple[Example, ...]:
        examples = []
        for item in self._sequence(node):
            fields = {key.value: self._scalar(value).value for key, value in self._map(item)}
            if set(fields) != {"from", "expect"}:
                self._fail(item.line, "an example has exactly the keys `from` and `expect`")
            examples.append(Example(fields["from"], fields["expect"], item.line))
        return tuple(examples)

    def _parsed(self, line: int, function: Callable[[str], _T], text: str) -> _T:
        if len(text) > TEXT_MAX:
            self._fail(line, f"longer than {TEXT_MAX} characters")
        try:
            return function(text)
        except GrammarError as error:
            self._fail(line, str(error))

    def _check_readable(self, line: int, *paths: Path) -> None:
        if self._reads == "json" and any(path.reads_attribute for path in paths):
            self._fail(line, "JSON has no attributes: write the name without @")

    def _rules(self, node: Node, scope: tuple[str, ...]) -> Rules:
        rules: list[Rule] = []
        branches: list[When] = []
        seen: set[tuple[str, ...]] = set()
        for scalar, value in self._map(node):
            key = self._parsed(scalar.line, grammar.key, scalar.value)
            self._check_readable(scalar.line, *key.paths)
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
        if len(before) == BRANCHES_MAX:
            self._fail(scalar.line, f"more than {BRANCHES_MAX} branches; a code table may do")
        skip = isinstance(value, Scalar) and value.value == "skip"
        if skip and not self._in_list(scope):
            self._fail(scalar.line, "`skip` leaves out an element of a list, and this is in none")
        return When(key.condition, None if skip else self._rules(value, scope), scalar.line)

    def _in_list(self, scope: tuple[str, ...]) -> bool:
        lengths = range(1, len(scope) + 1)
        return any(kind_at(self._model, scope[:length]) == "objects" for length in lengths)

    def _rule(self, key: Key, scalar: Scalar, value: Node, scope: tuple[str, ...]) -> Rule:
        full = scope + key.target
        kind = self._kind(scalar.line, full, len(scope))
        line = scalar.line
        if key.form == "each":
            assert key.source is not None
            if kind != "objects":
                self._fail(line, f"{'.'.join(full)} is no list of objects", TARGET)
            rules = self._rules(value, full)
            return Each(key.target, key.source, key.condition, rules, line, key.shape)
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
            items = tuple(self._expression(self._scalar(item), "text") for item in value.items)
            return Gather(key.target, items, line)
        assign = Assign(key.target, self._expression(self._scalar(value), kind), line)
        self._check_words(assign, full, kind)
        return assign

    def _kind(self, line: int, target: tuple[str, ...], outside: int) -> Kind:
        """The kind of a target whose first ``outside`` names are those of rules around it."""
        if target in SET_BY_HUB:
            self._fail(line, f"{target[0]} is set by the hub", TARGET)
        try:
            kind = kind_at(self._model, target)
        except TargetError as error:
            self._fail(line, str(error), TARGET)
        for length in range(outside + 1, len(target)):
            if (inside := kind_at(self._model, target[:length])) != "object":
                name = ".".join(target[:length])
                hint = f"write `{name}[] from ...`" if inside == "objects" else "fill it whole"
                self._fail(line, f"{name} is no single object: {hint}", TARGET)
        return kind

    def _check_words(self, rule: Assign, target: tuple[str, ...], kind: Kind) -> None:
        """Refuse a constant or an entry of a code table that the target can never take."""
        for word in self._words(rule.expression):
            try:
                fits = takes(self._model, target, COERCIONS[kind](word))
            except ValueError:
                fits = False
            if not fits:
                self._fail(rule.line, f"{'.'.join(target)} cannot be {word!r}", TARGET)

    def _words(self, expression: Expression) -> Iterator[str]:
        """What the mapping itself says a target may be, as far as it is told before running."""
        last = expression.transforms[-1] if expression.transforms else None
        if last is not None:
            table = self._codes[last.arguments[0]] if last.name == "code" else {}
            yield from (word for word in table.values() if word)
        elif isinstance(constant := expression.sources[-1], Constant):
            yield constant.value

    def _expression(self, scalar: Scalar, kind: Kind) -> Expression:
        expression = self._parsed(scalar.line, grammar.expression, scalar.value)
        self._check_readable(scalar.line, *expression.paths)
        try:
            Vocabulary(self._codes, self._functions).check(expression, kind=kind)
        except GrammarError as error:
            self._fail(scalar.line, str(error))
        return expression

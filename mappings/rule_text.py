"""Reading the rules of a mapping: each becomes a checked value that knows its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn, TypeVar

from mappings import grammar
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
from mappings.yaml_text import Map, Node, Scalar, Sequence
from schemas.envelope import DOCUMENTS
from schemas.model import Canonical
from schemas.problem import Cause, ConfigError

__all__ = ["BRANCHES_MAX", "SET_BY_HUB", "TEXT_MAX", "RuleReader"]

SET_BY_HUB = (("system",),)
"""Targets that a mapping may not fill."""
TEXT_MAX = 2000
BRANCHES_MAX = 40
_T = TypeVar("_T")


class RuleReader:
    """Reads rules that fill a ``model`` from what is ``reads``, with these tables and functions."""

    def __init__(self, file: str, functions: Mapping[str, Function]) -> None:
        self.file = file
        self.functions = functions
        self.model: type[Canonical] = Canonical
        self.reads = ""
        self.codes: dict[str, dict[str, str]] = {}

    def filling(self, model: type[Canonical]) -> RuleReader:
        """A reader of rules that fill another model, all else alike."""
        other = RuleReader(self.file, self.functions)
        other.model, other.reads, other.codes = model, self.reads, self.codes
        return other

    def fail(self, line: int, detail: str, cause: Cause = RULE) -> NoReturn:
        """Raises ``ConfigError`` naming file and line."""
        raise ConfigError(cause.at(f"line {line}: {detail}", rule=f"{self.file}:{line}"))

    def canonical(self, to: Scalar) -> type[Canonical]:
        """The canonical document of this name."""
        if to.value not in DOCUMENTS:
            hint = suggestion(to.value, DOCUMENTS)
            self.fail(to.line, f"there is no canonical document {to.value!r}{hint}", TARGET)
        return DOCUMENTS[to.value]

    def scalar(self, node: Node) -> Scalar:
        """A node that is a text."""
        if not isinstance(node, Scalar):
            self.fail(node.line, "a text was expected here", SYNTAX)
        return node

    def map(self, node: Node) -> tuple[tuple[Scalar, Node], ...]:
        """The entries of a node that is a map."""
        if not isinstance(node, Map):
            self.fail(node.line, "a map of keys was expected here", SYNTAX)
        return node.entries

    def sequence(self, node: Node) -> tuple[Node, ...]:
        """The items of a node that is a list."""
        if not isinstance(node, Sequence):
            self.fail(node.line, "a list was expected here", SYNTAX)
        return node.items

    def parsed(self, line: int, function: Callable[[str], _T], text: str) -> _T:
        """What a function of the grammar makes of a text."""
        if len(text) > TEXT_MAX:
            self.fail(line, f"longer than {TEXT_MAX} characters")
        try:
            return function(text)
        except GrammarError as error:
            self.fail(line, str(error))

    def check_readable(self, line: int, *paths: Path) -> None:
        """Refuse paths that mean nothing in what the mapping reads."""
        if self.reads == "json" and any(path.reads_attribute for path in paths):
            self.fail(line, "JSON has no attributes: write the name without @")

    def unset(self, node: Node) -> Iterator[tuple[tuple[str, ...], str]]:
        """Targets that stay empty on purpose, each with the reason in words."""
        for key, value in self.map(node):
            target = self.parsed(key.line, grammar.target, key.value)
            if target in SET_BY_HUB:
                self.fail(key.line, f"{key.value} is set by the hub", TARGET)
            try:
                kind_at(self.model, target)
            except TargetError as error:
                self.fail(key.line, str(error), TARGET)
            reason = self.scalar(value)
            if not reason.value.strip():
                self.fail(key.line, f"say in words why {key.value} stays empty")
            yield target, reason.value

    def rules(self, node: Node, scope: tuple[str, ...]) -> Rules:
        """The rules of a map; ``scope`` is the target that they stand below."""
        rules: list[Rule] = []
        branches: list[When] = []
        seen: set[tuple[str, ...]] = set()
        for scalar, value in self.map(node):
            key = self.parsed(scalar.line, grammar.key, scalar.value)
            self.check_readable(scalar.line, *key.paths)
            if key.form in ("when", "otherwise"):
                branches.append(self._branch(key, scalar, value, scope, branches))
                continue
            self._close(rules, branches)
            if key.form != "each" and key.target in seen:
                self.fail(scalar.line, f"{'.'.join(key.target)} is filled twice")
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
            self.fail(scalar.line, "`otherwise` follows a `when`")
        if before and before[-1].condition is None:
            self.fail(scalar.line, "nothing can follow `otherwise`")
        if len(before) == BRANCHES_MAX:
            self.fail(scalar.line, f"more than {BRANCHES_MAX} branches; a code table may do")
        skip = isinstance(value, Scalar) and value.value == "skip"
        if skip and not self._in_list(scope):
            self.fail(scalar.line, "`skip` leaves out an element of a list, and this is in none")
        return When(key.condition, None if skip else self.rules(value, scope), scalar.line)

    def _in_list(self, scope: tuple[str, ...]) -> bool:
        lengths = range(1, len(scope) + 1)
        return any(kind_at(self.model, scope[:length]) == "objects" for length in lengths)

    def _rule(self, key: Key, scalar: Scalar, value: Node, scope: tuple[str, ...]) -> Rule:
        full = scope + key.target
        kind = self._kind(scalar.line, full, len(scope))
        line = scalar.line
        if key.form == "each":
            assert key.source is not None
            if kind != "objects":
                self.fail(line, f"{'.'.join(full)} is no list of objects", TARGET)
            rules = self.rules(value, full)
            return Each(key.target, key.source, key.condition, rules, line, key.shape)
        if key.form == "within":
            assert key.source is not None
            if kind != "object":
                self.fail(line, f"{'.'.join(full)} is no object", TARGET)
            return Within(key.target, key.source, self.rules(value, full), line)
        if kind in ("object", "objects"):
            self.fail(line, f"{'.'.join(full)} is no single value", TARGET)
        if isinstance(value, Sequence):
            if kind != "texts":
                self.fail(line, f"{'.'.join(full)} is no list of texts", TARGET)
            items = tuple(self.expression(self.scalar(item), "text") for item in value.items)
            return Gather(key.target, items, line)
        assign = Assign(key.target, self.expression(self.scalar(value), kind), line)
        self._check_words(assign, full, kind)
        return assign

    def _kind(self, line: int, target: tuple[str, ...], outside: int) -> Kind:
        """The kind of a target whose first ``outside`` names are those of rules around it."""
        if target in SET_BY_HUB:
            self.fail(line, f"{target[0]} is set by the hub", TARGET)
        try:
            kind = kind_at(self.model, target)
        except TargetError as error:
            self.fail(line, str(error), TARGET)
        for length in range(outside + 1, len(target)):
            if (inside := kind_at(self.model, target[:length])) != "object":
                name = ".".join(target[:length])
                hint = f"write `{name}[] from ...`" if inside == "objects" else "fill it whole"
                self.fail(line, f"{name} is no single object: {hint}", TARGET)
        return kind

    def _check_words(self, rule: Assign, target: tuple[str, ...], kind: Kind) -> None:
        """Refuse a constant or an entry of a code table that the target can never take."""
        for word in self._words(rule.expression):
            try:
                fits = takes(self.model, target, COERCIONS[kind](word))
            except ValueError:
                fits = False
            if not fits:
                self.fail(rule.line, f"{'.'.join(target)} cannot be {word!r}", TARGET)

    def _words(self, expression: Expression) -> Iterator[str]:
        """What the mapping itself says a target may be, as far as it is told before running."""
        last = expression.transforms[-1] if expression.transforms else None
        if last is not None:
            table = self.codes[last.arguments[0]] if last.name == "code" else {}
            yield from (word for word in table.values() if word)
        elif isinstance(constant := expression.sources[-1], Constant):
            yield constant.value

    def expression(self, scalar: Scalar, kind: Kind) -> Expression:
        """The right side of a rule for a target of a kind."""
        expression = self.parsed(scalar.line, grammar.expression, scalar.value)
        self.check_readable(scalar.line, *expression.paths)
        try:
            Vocabulary(self.codes, self.functions).check(expression, kind=kind)
        except GrammarError as error:
            self.fail(scalar.line, str(error))
        return expression

"""Source documents that a mapping can read, made from its own rules: every value of its kind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from mappings.direction import alone
from mappings.rules import (
    Assign,
    Choice,
    Condition,
    Each,
    Expression,
    Gather,
    Path,
    Rules,
    Step,
    Within,
)
from mappings.source_tree import (
    Names,
    Node,
    WriteError,
    check_xml,
    names_of,
    written_json,
    written_xml,
)
from mappings.spec import Spec
from mappings.target import kind_at

__all__ = ["source"]

_LETTERS = "abzäЖ文 '\"<&|=.,-_0 7"


def _text(random: Random) -> str:
    text = "".join(random.choices(_LETTERS, k=random.randrange(1, 9))).strip()
    return text or str(random.randrange(10**14))


def _decimal(random: Random) -> str:
    return f"{random.randrange(-(10**6), 10**6)}{random.choice(['', '.5', '.00', '.123'])}"


def _moment(random: Random) -> str:
    clock = datetime.fromisoformat("1900-01-01") + timedelta(seconds=random.randrange(10**10))
    return f"{clock.isoformat()}{random.choice(['', '', '.5', 'Z', '+01:00', '-0330'])}"


_KINDS: dict[str, Callable[[Random], str]] = {
    "text": _text,
    "decimal": _decimal,
    "integer": lambda random: str(random.randrange(10**6)),
    "flag": lambda random: random.choice(["true", "false", "1", "0"]),
    "date": lambda random: _moment(random)[:10],
    "moment": _moment,
}
_NUMERIC = {"negate", "absolute", "decimal", "times"}


def source(spec: Spec, random: Random) -> Any:
    """A document of the source: JSON values, or an element."""
    root = Node()
    _Filling(random, spec).fill(spec.rules, root, (), ())
    if spec.reads == "xml":
        return written_xml(root, spec.declared.root or "Root")
    return written_json(root, alone(spec))


class _Filling:
    def __init__(self, random: Random, spec: Spec) -> None:
        self._random = random
        self._spec = spec
        self._alone = alone(spec) if spec.reads == "json" else frozenset()

    def _often(self) -> bool:
        return self._random.random() < 0.7

    def fill(self, rules: Rules, node: Node, above: Names, target: tuple[str, ...]) -> None:
        for rule in rules:
            if isinstance(rule, Choice):
                for branch in rule.branches:
                    if self._random.random() < 0.5:
                        self._test(branch.condition, node)
                        self.fill(branch.rules or (), node, above, target)
            elif isinstance(rule, Assign):
                kind = kind_at(self._spec.model, (*target, *rule.target))
                self._value(rule.expression, kind, node)
            elif isinstance(rule, Gather):
                for expression in rule.expressions:
                    self._value(expression, "text", node)
            elif isinstance(rule, Within):
                if self._often():
                    inner = node.make(rule.source.steps)
                    inside = names_of(rule.source, above)
                    self.fill(rule.rules, inner, inside, (*target, *rule.target))
            else:
                self._list(rule, node, above, (*target, *rule.target))

    def _list(self, rule: Each, node: Node, above: Names, target: tuple[str, ...]) -> None:
        *outer, last = rule.source.steps
        inside = names_of(rule.source, above)
        for _ in range(self._random.randrange(2 if inside in self._alone else 4)):
            try:
                parent = node.make(tuple(Step(step.name) for step in outer))
            except WriteError:
                return
            found = parent.children.setdefault(last.name, [])
            if inside in self._alone and found:
                element = found[0]
            else:
                found.append(element := Node())
            self._test(rule.where, element)
            self.fill(rule.rules, element, inside, target)
            if element.value is None and not element.children and not element.attributes:
                found.remove(element)

    def _test(self, condition: Condition | None, node: Node) -> None:
        for test in condition.tests if condition else ():
            if test.operator == "in" and self._often():
                self._put(node, test.path, self._random.choice(test.values))

    def _value(self, expression: Expression, kind: str, node: Node) -> None:
        for source in expression.sources:
            if isinstance(source, Path) and self._often():
                self._put(node, source, self._drawn(expression, kind))

    def _drawn(self, expression: Expression, kind: str) -> Any:
        names = [transform.name for transform in expression.transforms]
        if "code" in names:
            table = self._spec.codes[expression.transforms[names.index("code")].arguments[0]]
            codes = [code for code in table if code != "*"]
            return self._random.choice([*codes, _text(self._random)])
        if _NUMERIC & set(names):
            return _decimal(self._random)
        if kind != "texts":
            return _KINDS[kind](self._random)
        texts = [_text(self._random) for _ in range(self._random.randrange(1, 4))]
        return ", ".join(texts) if names or self._spec.reads == "xml" else texts

    def _put(self, node: Node, path: Path, value: Any) -> None:
        if path.from_top:
            return
        try:
            if self._spec.reads == "xml":
                check_xml(value)
            node.put(path, value)
        except WriteError:
            return  # Another rule has put something there; that is a document, too.

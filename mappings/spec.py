"""A mapping file as read and checked: its header, rules, code tables, ignore list and examples."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from mappings import declared, direction, further_text, grammar, lists
from mappings.errors import suggestion
from mappings.further import Further
from mappings.own import Function
from mappings.rule_text import SET_BY_HUB, RuleReader
from mappings.rules import Path, Rules
from mappings.vocabulary import Vocabulary
from mappings.yaml_text import Node, Scalar, parse
from schemas.model import Canonical

__all__ = ["SET_BY_HUB", "Example", "Spec", "of_part", "read", "version_of"]

_HEADER = (
    "mapping",
    "reads",
    "to",
    "summary",
    "rules",
    "further",
    "codes",
    "ignore",
    "unset",
    "examples",
)
_KEYS = (*_HEADER, *declared.KEYS)


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
    further: tuple[Further, ...] = ()
    part: Further | None = None
    """The further documents that this is about, if it is not about the document itself."""

    @property
    def every(self) -> tuple[Rules, ...]:
        """The rules of the document itself, and those of each kind of further documents."""
        return (self.rules, *(part.rules for part in self.further))

    @property
    def vocabulary(self) -> Vocabulary:
        """What rules may name behind a ``|``."""
        return Vocabulary(self.codes, self.functions)


def read(text: str, file: str, functions: Mapping[str, Function] | None = None) -> Spec:
    """Read the text of a mapping file, whose connector has ``functions`` of its own.

    Raises ``ConfigError`` naming file, line and what to do.
    """
    return _Reader(text, file, functions or {}).spec()


def of_part(spec: Spec, part: Further) -> Spec:
    """The mapping of one kind of further documents: its rules read a ``Part``."""
    return replace(
        spec,
        to=part.to,
        model=part.model,
        rules=part.rules,
        unset=part.unset,
        examples=(),
        declared=declared.Declared(),
        further=(),
        part=part,
    )


def version_of(text: str) -> str:
    """Name a mapping by its text, 16 hex digits: the same text is the same version everywhere."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Reader(RuleReader):
    def __init__(self, text: str, file: str, functions: Mapping[str, Function]) -> None:
        super().__init__(file, functions)
        self._text = text

    def spec(self) -> Spec:
        header = {key.value: (key, node) for key, node in parse(self._text, self.file).entries}
        for key, (scalar, _) in header.items():
            if key not in _KEYS:
                self.fail(scalar.line, f"unknown key {key!r}{suggestion(key, _KEYS)}")
        for key in ("mapping", "reads", "to", "rules"):
            if key not in header:
                self.fail(1, f"the key {key!r} is missing")
        name, reads, to = (self.scalar(header[k][1]) for k in ("mapping", "reads", "to"))
        if not re.fullmatch(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*", name.value):
            self.fail(name.line, "the name of a mapping is like `shop.order`")
        if reads.value not in ("xml", "json"):
            self.fail(reads.line, "`reads` is xml or json")
        self.reads = reads.value
        self.model = self.canonical(to)
        if "codes" in header:
            self.codes = {self._word(k): self._table(n) for k, n in self.map(header["codes"][1])}
        ignore = self._ignore(header["ignore"][1]) if "ignore" in header else ()
        examples = self._examples(header["examples"][1]) if "examples" in header else ()
        spec = Spec(
            name=name.value,
            reads="xml" if reads.value == "xml" else "json",
            to=to.value,
            model=self.model,
            rules=self.rules(header["rules"][1], ()),
            further=further_text.read(header["further"][1], self) if "further" in header else (),
            codes=self.codes,
            ignore=ignore,
            unset=dict(self.unset(header["unset"][1])) if "unset" in header else {},
            examples=examples,
            text=self._text,
            file=self.file,
            version=version_of(self._text),
            declared=declared.read(header, reads=reads.value, file=self.file),
            functions=self.functions,
        )
        for line in (line for rules in spec.every for line in lists.misplaced(rules)):
            self.fail(line, "`.[]` stands for the elements of a group, and this is in none")
        direction.check(spec)
        return spec

    def _word(self, scalar: Scalar) -> str:
        if " " in scalar.value:
            self.fail(scalar.line, "the name of a code table is a single word")
        return scalar.value

    def _table(self, node: Node) -> dict[str, str]:
        return {key.value: self.scalar(value).value for key, value in self.map(node)}

    def _ignore(self, node: Node) -> tuple[Path, ...]:
        return tuple(self._ignored(self.scalar(item)) for item in self.sequence(node))

    def _ignored(self, scalar: Scalar) -> Path:
        path = self.parsed(scalar.line, lambda text: grammar.path(text, many=True), scalar.value)
        self.check_readable(scalar.line, path)
        return path

    def _examples(self, node: Node) -> tuple[Example, ...]:
        examples = []
        for item in self.sequence(node):
            fields = {key.value: self.scalar(value).value for key, value in self.map(item)}
            if set(fields) != {"from", "expect"}:
                self.fail(item.line, "an example has exactly the keys `from` and `expect`")
            examples.append(Example(fields["from"], fields["expect"], item.line))
        return tuple(examples)

"""What a mapping says of the way back, and whether its rules can keep it.

Each field is two-way, lossy or one-way. A two-way field comes back to its place in the source as
it was spelt there; a lossy one comes back as something that is read the same; a one-way field is
not written. What a rule is by itself is worked out here; where that is less than two-way, a mapping
with ``direction: both`` must say so, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mappings.errors import DIRECTION, suggestion
from mappings.inversion import INVERSES, WITHOUT_INVERSE
from mappings.rules import (
    Assign,
    Choice,
    Condition,
    Constant,
    Each,
    Expression,
    Gather,
    Path,
    Rules,
    Template,
    Test,
    Total,
    Transform,
    When,
    Within,
)
from mappings.source_tree import Names, names_of
from mappings.undo import simple
from schemas.problem import ConfigError

if TYPE_CHECKING:
    from mappings.spec import Spec

__all__ = ["Field", "Way", "alone", "check", "fields"]

Way = Literal["two-way", "lossy", "one-way"]
Target = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A rule's target, which way it goes, and what prevents or limits the way back."""

    target: Target
    line: int
    way: Way
    why: str


def fields(spec: Spec) -> tuple[Field, ...]:
    """Every target with the way that is in force: the declared one, or what the rule can do."""
    return tuple(_in_force(spec, each) for each in _natural(spec))


def _in_force(spec: Spec, each: Field) -> Field:
    if why := spec.declared.why_one_way(each.target):
        return Field(each.target, each.line, "one-way", why)
    if each.way != "one-way" and (why := spec.declared.why_lossy(each.target)):
        return Field(each.target, each.line, "lossy", why)
    return each


def check(spec: Spec) -> None:
    """Raise ``ConfigError`` where a mapping of both directions does not say what it loses."""
    declared = spec.declared
    if not declared.both:
        return
    found = list(_natural(spec))
    known = {".".join(f.target[:n]) for f in found for n in range(1, len(f.target) + 1)}
    for target, line in declared.lines.items():
        if target not in known:
            hint = suggestion(target, known)
            _fail(spec, line, f"{target} is declared, and no rule fills it{hint}")
    for each in found:
        name = ".".join(each.target)
        if each.way == "two-way" or declared.why_one_way(each.target):
            continue
        if each.way == "one-way":
            _fail(spec, each.line, f"{name} has no way back: {each.why}", "one_way")
        if not declared.why_lossy(each.target):
            _fail(spec, each.line, f"{name} comes back changed: {each.why}", "lossy or one_way")


def _fail(spec: Spec, line: int, detail: str, where: str = "") -> None:
    detail = f"{detail}; list it under {where} with the reason" if where else detail
    raise ConfigError(DIRECTION.at(f"line {line}: {detail}", rule=f"{spec.file}:{line}"))


def alone(spec: Spec) -> frozenset[Names]:
    """The places that a mapping reads as one thing, without choosing among several."""
    found: set[Names] = set()
    for path, above in _paths(spec.rules, ()):
        names = () if path.from_top else above
        for step in path.steps:
            names = (*names, step.name)
            if step.where is not None:
                chosen_by = step.where[0].split(".")
                found.update((*names, *chosen_by[:n]) for n in range(1, len(chosen_by) + 1))
            elif not step.many and step.index is None:
                found.add(names)
    return frozenset(found)


def _paths(rules: Rules, above: Names) -> Iterator[tuple[Path, Names]]:
    """Every path that a mapping reads, with the names of the element that it is seen from."""
    for rule in rules:
        if isinstance(rule, (Assign, Gather)):
            for expression in _expressions(rule):
                yield from ((path, above) for path in expression.paths)
        elif isinstance(rule, Choice):
            for branch in rule.branches:
                yield from ((test.path, above) for test in _tests(branch.condition))
                yield from _paths(branch.rules or (), above)
        else:
            inside = names_of(rule.source, above)
            yield rule.source, above
            if isinstance(rule, Each):
                yield from ((path, inside) for path in rule.looks_at)
            yield from _paths(rule.rules, inside)


def _expressions(rule: Assign | Gather) -> tuple[Expression, ...]:
    return (rule.expression,) if isinstance(rule, Assign) else rule.expressions


def _tests(condition: Condition | None) -> tuple[Test, ...]:
    return condition.tests if condition else ()


def _natural(spec: Spec) -> Iterator[Field]:
    kept: set[Names] = set()
    for path, above in _written(spec, spec.rules, (), ()):
        names = names_of(path, above)
        kept.update(names[:length] for length in range(1, len(names) + 1))
    return _Ways(spec, frozenset(kept)).of(spec.rules, (), ())


def _written(
    spec: Spec, rules: Rules, above: Names, target: Target
) -> Iterator[tuple[Path, Names]]:
    """The paths that the way back writes by itself, whatever the conditions say."""
    for rule in rules:
        if isinstance(rule, Choice):
            for branch in rule.branches:
                yield from _written(spec, branch.rules or (), above, target)
        elif spec.declared.why_one_way((*target, *rule.target)):
            continue
        elif isinstance(rule, (Assign, Gather)):
            for expression in _expressions(rule):
                if isinstance(first := expression.sources[0], Path):
                    yield first, above
        else:
            inside = names_of(rule.source, above)
            yield rule.source, above
            yield from _written(spec, rule.rules, inside, (*target, *rule.target))


def _of_shape(rule: Each) -> Iterator[tuple[Way, str]]:
    """What an arranged list cannot say of the list that it was made from."""
    if rule.put_together:
        yield "one-way", "the elements that were left out or put together are not kept"
    if rule.shape is not None and rule.shape.sort:
        yield "lossy", "the order in which the elements stood is not kept"


class _Ways:
    """Works out what each rule can do by itself."""

    def __init__(self, spec: Spec, kept: frozenset[Names]) -> None:
        self._spec = spec
        self._kept = kept

    def of(self, rules: Rules, above: Names, target: Target) -> Iterator[Field]:
        for rule in rules:
            if isinstance(rule, (Assign, Gather)):
                yield self._leaf(rule, target)
            elif isinstance(rule, Choice):
                yield from self._choice(rule, above, target)
            else:
                yield from self._inside(rule, above, target)

    def _leaf(self, rule: Assign | Gather, target: Target) -> Field:
        problems = [self._expression(each) for each in _expressions(rule)]
        if len(problems) > 1:
            problems.append(("lossy", "which of the places a text stood in is not kept"))
        return _worst((*target, *rule.target), rule.line, problems)

    def _inside(self, rule: Within | Each, above: Names, target: Target) -> Iterator[Field]:
        full, inside = (*target, *rule.target), names_of(rule.source, above)
        if isinstance(rule, Each):
            problems = [self._test(test, inside) for test in _tests(rule.where)]
            if sum(step.many for step in rule.source.steps) > 1:
                problems.append(("lossy", "which of the outer list each came from is not kept"))
            problems += _of_shape(rule)
            yield _worst(full, rule.line, problems)
        yield from self.of(rule.rules, inside, full)

    def _choice(self, rule: Choice, above: Names, target: Target) -> Iterator[Field]:
        before: list[tuple[Way, str]] = []
        for branch in rule.branches:
            tested = [self._test(test, above) for test in _tests(branch.condition)]
            problems = before if branch.condition is None else tested
            for each in self.of(branch.rules or (), above, target):
                yield self._told_by_condition(each, branch, target, problems)
            unkept = [t.path for t in _tests(branch.condition) if not self._keeps(t.path, above)]
            before += [("lossy", f"what else than `when` says stood in {p}") for p in unkept]

    @staticmethod
    def _told_by_condition(
        each: Field, branch: When, target: Target, problems: list[tuple[Way, str]]
    ) -> Field:
        """A constant says what the condition found, and is all that is left of it."""
        constants = {
            (*target, *rule.target)
            for rule in branch.rules or ()
            if isinstance(rule, Assign) and rule.expression.constant is not None
        }
        if each.target not in constants:
            return each
        return _worst(each.target, each.line, [(each.way, each.why), *problems])

    def _keeps(self, path: Path, above: Names) -> bool:
        return names_of(path, above) in self._kept

    def _test(self, test: Test, above: Names) -> tuple[Way, str]:
        if test.operator == "missing" or test.path.from_top or self._keeps(test.path, above):
            return "two-way", ""
        if test.operator == "in":
            if len(test.values) == 1:
                return "two-way", ""
            return "lossy", f"which of the texts stood in {test.path} is not kept"
        if test.operator == "exists" and self._spec.reads == "xml" and not test.path.attribute:
            return "two-way", ""
        if test.operator == "not in":
            return "lossy", f"what stood in {test.path} is not kept"
        return "one-way", f"nothing says what to write to {test.path}"

    def _expression(self, expression: Expression) -> tuple[Way, str]:
        problems = [self._transform(transform) for transform in expression.transforms]
        if isinstance(template := expression.sources[0], Template):
            if not simple(template):
                why = "nothing says where the parts of this text begin, or which are there"
                problems.append(("one-way", why))
            elif len(template.parts) > 1:
                problems.append(("lossy", "where one part ends and another begins is not kept"))
        if isinstance(total := expression.sources[0], Total):
            problems.append(("one-way", f"{total} does not say what each of them was"))
        if len(expression.sources) > 1:
            other = expression.sources[1]
            said = "it stood there or was absent" if isinstance(other, Constant) else ""
            problems.append(("lossy", f"whether {said}" if said else f"{other} may have said it"))
        found = _worst((), 0, problems)
        return found.way, found.why

    def _transform(self, transform: Transform) -> tuple[Way, str]:
        if transform.by is not None or transform.where is not None:
            return "one-way", f"`{transform.name}` depends on another place"
        if transform.name == "code":
            return self._table(transform.arguments[0])
        if transform.name in WITHOUT_INVERSE:
            return "one-way", f"`{transform.name}` {WITHOUT_INVERSE[transform.name]}"
        try:
            inversion = INVERSES[transform.name](*transform.arguments)
        except ValueError as error:
            return "one-way", f"`{transform.name}`: {error}"
        if inversion.loses:
            return "lossy", f"`{transform.name}` loses {inversion.loses}"
        return "two-way", ""

    def _table(self, name: str) -> tuple[Way, str]:
        table = self._spec.codes[name]
        words = [word for word in table.values() if word]
        twice = next((word for word in words if words.count(word) > 1), None)
        if twice is not None:
            return "lossy", f"several codes of {name} become {twice!r}"
        if len(words) < len(table):
            return "lossy", f"a code of {name} becomes nothing"
        if "*" in table:
            return "lossy", f"any other code of {name} becomes {table['*']!r}"
        return "two-way", ""


def _worst(target: Target, line: int, problems: list[tuple[Way, str]]) -> Field:
    order: tuple[Way, ...] = ("one-way", "lossy")
    for way in order:
        for found, why in problems:
            if found == way:
                return Field(target, line, way, why)
    return Field(target, line, "two-way", "")

"""What a mapping says in vain: branches that are never taken, values that never stay, idle tables.

Only what follows from the text alone is told, whatever document comes: nothing here is a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mappings.rules import (
    Assign,
    Choice,
    Condition,
    Each,
    Expression,
    Gather,
    Rules,
    Test,
    When,
    Within,
)
from mappings.spec import Spec
from mappings.transforms import as_decimal

__all__ = ["Vain", "expressions", "idle_tables", "unreachable"]


@dataclass(frozen=True, slots=True)
class Vain:
    """A rule that does nothing, with its line and the reason in words."""

    line: int
    detail: str


def unreachable(spec: Spec) -> tuple[Vain, ...]:
    """The rules that can do nothing in any document, in the order of the text."""
    return tuple(sorted(_of_rules(spec.rules, ()), key=lambda vain: vain.line))


def idle_tables(spec: Spec) -> tuple[str, ...]:
    """The code tables that no rule looks anything up in."""
    used = {
        transform.arguments[0]
        for rules in spec.every
        for expression in expressions(rules)
        for transform in expression.transforms
        if transform.name == "code"
    }
    return tuple(name for name in spec.codes if name not in used)


def expressions(rules: Rules) -> Iterator[Expression]:
    """Every expression of the rules, also those inside others, in the order of the text."""
    for rule in rules:
        if isinstance(rule, Assign):
            yield from rule.expression.inner
        elif isinstance(rule, Gather):
            for expression in rule.expressions:
                yield from expression.inner
        elif isinstance(rule, Choice):
            for branch in rule.branches:
                yield from expressions(branch.rules or ())
        else:
            yield from expressions(rule.rules)


def _of_rules(rules: Rules, known: tuple[Test, ...]) -> Iterator[Vain]:
    """``known`` are the tests that hold for the element at hand, or nobody would be here."""
    yield from _overwritten(rules)
    for rule in rules:
        if isinstance(rule, Choice):
            yield from _of_choice(rule, known)
        elif isinstance(rule, (Each, Within)):
            # Inside, names mean something else; only what is said from the top stays true.
            above = tuple(test for test in known if test.path.from_top)
            where = rule.where if isinstance(rule, Each) else None
            if where and (reason := _contradiction((*above, *where.tests))):
                yield Vain(rule.line, f"no element is ever taken: {reason}")
            yield from _of_rules(rule.rules, (*above, *(where.tests if where else ())))


def _of_choice(choice: Choice, known: tuple[Test, ...]) -> Iterator[Vain]:
    before: list[When] = []
    for branch in choice.branches:
        tests = (*known, *(branch.condition.tests if branch.condition else ()))
        taken = next((w for w in before if w.condition and _implies(tests, w.condition)), None)
        if taken is not None:
            yield Vain(branch.line, f"never reached: line {taken.line} takes all of it before")
        elif reason := _contradiction(tests):
            yield Vain(branch.line, f"never reached: {reason}")
        else:
            yield from _of_rules(branch.rules or (), tests)
        before.append(branch)


def _overwritten(rules: Rules) -> Iterator[Vain]:
    """Values that a later choice replaces or drops in every one of its branches."""
    for number, rule in enumerate(rules):
        if not isinstance(rule, (Assign, Gather)):
            continue
        for later in rules[number + 1 :]:
            if isinstance(later, Choice) and _always_sets(later, rule.target):
                detail = f"{'.'.join(rule.target)} is replaced on line {later.line} in every case"
                yield Vain(rule.line, detail)
                break


def _always_sets(choice: Choice, target: tuple[str, ...]) -> bool:
    if choice.branches[-1].condition is not None:
        return False
    return all(
        branch.rules is None or any(_sets(rule, target) for rule in branch.rules)
        for branch in choice.branches
    )


def _sets(rule: object, target: tuple[str, ...]) -> bool:
    """Only a constant is there in every document; anything else may be absent."""
    if isinstance(rule, Choice):
        return _always_sets(rule, target)
    return (
        isinstance(rule, Assign)
        and rule.target == target
        and (rule.expression.constant is not None)
    )


def _implies(tests: tuple[Test, ...], condition: Condition) -> bool:
    """Whether ``condition`` holds wherever all the tests do."""
    return all(any(_follows(wanted, test) for test in tests) for wanted in condition.tests)


def _follows(wanted: Test, given: Test) -> bool:
    """Whether ``wanted`` is true wherever ``given`` is; ``False`` where that is not certain."""
    if wanted.path != given.path:
        return False
    if wanted == given:
        return True
    follow = _FOLLOW.get((given.operator, wanted.operator))
    return follow is not None and follow(given, wanted)


def _fewer(given: Test, wanted: Test) -> bool:
    return set(given.values) <= set(wanted.values)


def _more(given: Test, wanted: Test) -> bool:
    return set(given.values) >= set(wanted.values)


def _always(_given: Test, _wanted: Test) -> bool:
    return True


_FOLLOW: dict[tuple[str, str], Callable[[Test, Test], bool]] = {
    ("in", "in"): _fewer,
    ("not in", "not in"): _more,
    ("in", "not in"): lambda given, wanted: not set(given.values) & set(wanted.values),
    # What has a text or a number is there; what is not there is no text.
    ("in", "exists"): _always,
    ("<", "exists"): _always,
    (">", "exists"): _always,
    ("missing", "not in"): _always,
    ("<", "<"): lambda given, wanted: as_decimal(given.values[0]) <= as_decimal(wanted.values[0]),
    (">", ">"): lambda given, wanted: as_decimal(given.values[0]) >= as_decimal(wanted.values[0]),
}


def _contradiction(tests: tuple[Test, ...]) -> str | None:
    """Why these tests can never hold together, or ``None`` where they may."""
    for number, one in enumerate(tests):
        for other in tests[number + 1 :]:
            if one.path == other.path and (_excludes(one, other) or _excludes(other, one)):
                return f"{one.path} cannot be both"
    return None


def _excludes(one: Test, other: Test) -> bool:
    match one.operator, other.operator:
        case "missing", ("exists" | "in" | "<" | ">"):
            return True
        case "in", "in":
            return not set(one.values) & set(other.values)
        case "in", "not in":
            return set(one.values) <= set(other.values)
        case "<", ">":
            return as_decimal(one.values[0]) <= as_decimal(other.values[0])
        case _:
            return False

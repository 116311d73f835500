"""Running the rules of a mapping backwards: what each writes into the source, and what it cannot.

Nothing here decides whether a document arrives as it is: that is known once what was written has
been mapped forward again. What is noted here says why it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mappings import canonical
from mappings.canonical import Place
from mappings.rules import (
    Assign,
    Choice,
    Condition,
    Constant,
    Each,
    Gather,
    Path,
    Rule,
    Rules,
    Template,
    Test,
    Total,
    When,
    Within,
)
from mappings.source_tree import Names, Node, WriteError, check_xml, holds, names_of
from mappings.spec import Spec
from mappings.target import kind_at
from mappings.trial import Flaw, Trial
from mappings.undo import comes_back, taken_apart, undone

__all__ = ["Backward"]


@dataclass(frozen=True, slots=True)
class _Scope:
    """A canonical object, its place and its names, and the names of the source element."""

    value: dict[str, Any]
    at: Place
    names: tuple[str, ...]
    source: Names


class Backward:
    """Runs the rules of one mapping backwards."""

    def __init__(self, spec: Spec, document: dict[str, Any], single: frozenset[Names]) -> None:
        self._spec = spec
        self._document = document
        self._xml = spec.reads == "xml"
        self._alone = frozenset() if self._xml else single

    def write(self, root: Node, trial: Trial) -> None:
        """Write the document below ``root`` and note in ``trial`` what came of it."""
        self._block(self._spec.rules, root, _Scope(self._document, (), (), ()), trial)
        for path, raw, place, line in trial.top:
            self._put(root, Path(path.steps, path.attribute), raw, trial, place, line)

    def _block(self, rules: Rules, node: Node, scope: _Scope, trial: Trial) -> None:
        """Run rules backwards, also without those whose work a branch may do as well.

        What a branch fills replaces what an earlier rule has filled: either may have said it.
        """
        plain = {rule.target: rule for rule in rules if isinstance(rule, Assign)}
        twice = {id(plain[target]) for target in _in_branches(rules) if target in plain}
        tries = []
        for left_out in (set(), twice) if twice else ():
            tried, copy = trial.another(), node.copy()
            kept = tuple(rule for rule in rules if id(rule) not in left_out)
            self._run(kept, copy, scope, tried)
            tries.append((tried, copy))
        if not tries:
            self._run(rules, node, scope, trial)
            return
        best, written = min(tries, key=lambda tried: tried[0].merit)
        node.take(written)
        trial.keep(best)

    def _run(self, rules: Rules, node: Node, scope: _Scope, trial: Trial) -> None:
        """Run rules backwards: those that need to know what others wrote come later."""
        lists: dict[tuple[str, ...], list[Each]] = {}
        for rule in sorted(rules, key=_turn):
            if isinstance(rule, Each):
                lists.setdefault(rule.target, []).append(rule)
        for rule in sorted(rules, key=_turn):
            if isinstance(rule, Choice):
                self._choice(rule, node, scope, trial)
            elif self._spec.declared.why_one_way((*scope.names, *rule.target)):
                continue
            elif isinstance(rule, Each):
                self._each(lists.pop(rule.target, []), node, scope, trial)
            elif isinstance(rule, Within):
                self._within(rule, node, scope, trial)
            elif isinstance(rule, Gather):
                self._gather(rule, node, scope, trial)
            else:
                self._assign(rule, node, scope, trial)

    def _assign(self, rule: Assign, node: Node, scope: _Scope, trial: Trial) -> None:
        value = canonical.at(scope.value, rule.target)
        place = (*scope.at, *rule.target)
        constant = rule.expression.constant
        if value is None:
            if constant is not None:
                reason = f"it is always {constant!r} here"
                trial.flaws[place] = Flaw(reason, rule.line, other=True)
            return
        kind = kind_at(self._spec.model, (*scope.names, *rule.target))
        try:
            value = canonical.fitted(kind, value)
            self._value(rule, value, kind, node, trial, place)
        except ValueError as error:
            other = isinstance(rule.expression.sources[0], Constant)
            trial.flaws[place] = Flaw(str(error), rule.line, other=other)

    def _value(
        self, rule: Assign, value: Any, kind: str, node: Node, trial: Trial, place: Place
    ) -> None:
        expression = rule.expression
        if isinstance(first := expression.sources[0], Constant):
            if not comes_back(expression, first.value, value, kind, self._spec.codes):
                raise WriteError(f"it is always {first.value!r} here")
            trial.covered.add(place)
            return
        raw = undone(expression, canonical.raw(kind, value), self._spec.codes)
        if not comes_back(expression, raw, value, kind, self._spec.codes):
            raise WriteError("no value of the source becomes this one")
        trial.covered.add(place)
        if isinstance(first, Template):
            for path, text in taken_apart(first, raw):
                self._put(node, path, text, trial, place, rule.line)
            return
        if isinstance(first, Total):
            raise WriteError("what it is the total of is not known")
        last = expression.sources[-1]
        if not (isinstance(last, Constant) and raw == last.value):
            self._put(node, first, raw, trial, place, rule.line)

    def _put(self, node: Node, path: Path, raw: Any, trial: Trial, place: Place, line: int) -> None:
        if path.from_top:
            trial.top.append((path, raw, place, line))
            return
        try:
            if self._xml:
                check_xml(raw)
            node.put(path, raw)
        except WriteError as error:
            trial.flaws[place] = Flaw(str(error), line)

    def _gather(self, rule: Gather, node: Node, scope: _Scope, trial: Trial) -> None:
        """Texts go to the places in their order; a constant stands for itself."""
        texts = canonical.at(scope.value, rule.target)
        place = (*scope.at, *rule.target)
        if texts is None:
            return
        left = list(texts) if isinstance(texts, list) else [texts]
        for expression in rule.expressions:
            if left and (expression.constant in (None, left[0])):
                assign = Assign(rule.target, expression, rule.line)
                try:
                    self._value(assign, left[0], "text", node, trial, place)
                except ValueError as error:
                    trial.flaws[place] = Flaw(str(error), rule.line)
                left.pop(0)
        if left:
            many = len(rule.expressions)
            trial.flaws[place] = Flaw(f"the source has {many} places for texts", rule.line)

    def _within(self, rule: Within, node: Node, scope: _Scope, trial: Trial) -> None:
        value = canonical.at(scope.value, rule.target)
        if not isinstance(value, dict):
            return
        place = (*scope.at, *rule.target)
        if rule.source.from_top:
            trial.flaws[place] = Flaw("an object at the top is not written", rule.line)
            return
        try:
            inner = node.make(rule.source.steps)
        except WriteError as error:
            trial.flaws[place] = Flaw(str(error), rule.line)
            return
        names = (*scope.names, *rule.target)
        source = names_of(rule.source, scope.source)
        self._block(rule.rules, inner, _Scope(value, place, names, source), trial)

    def _each(self, rules: list[Each], node: Node, scope: _Scope, trial: Trial) -> None:
        """Every element goes to the first rule that can make it as it is."""
        if not rules:
            return
        target = rules[0].target
        elements, latest = canonical.at(scope.value, target), 0
        for index, element in enumerate(elements if isinstance(elements, list) else ()):
            if not isinstance(element, dict):
                continue
            place = (*scope.at, *target, index)
            inner = _Scope(element, place, (*scope.names, *target), ())
            leaves = set(canonical.places(self._spec.model, inner.names, element, place))
            tries = [self._element(rule, node, inner, scope) for rule in rules]
            done = leaves - self._declared(leaves)
            # What one rule makes comes before what the next one makes.
            number, (tried, commit) = min(
                enumerate(tries),
                key=lambda each: (*_lacks(each[1][0], done), each[0] < latest),
            )
            # One that is not made whole still takes its place, so that those behind it keep theirs.
            if refusal := tried.flaws.get(place) or _for_another(tried):
                many = refusal.other and len(rules) > 1
                trial.dropped[place] = Flaw("no rule makes it", None) if many else refusal
                continue
            commit()
            trial.keep(tried)
            latest = number

    def _declared(self, places: set[Place]) -> set[Place]:
        return {p for p in places if self._spec.declared.why_one_way(canonical.names(p))}

    def _element(
        self, rule: Each, node: Node, inner: _Scope, scope: _Scope
    ) -> tuple[Trial, Callable[[], None]]:
        """Try to make an element by a rule; nothing is written before it is committed."""
        *outer, last = rule.source.steps
        trial, source = Trial(), names_of(rule.source, scope.source)
        parent = node.find(tuple(outer))
        found = parent.children.get(last.name, []) if parent else []
        free = next((each for each in found if not each.claimed), None)
        element = free.copy() if free else Node()
        if rule.source.from_top:
            trial.flaws[inner.at] = Flaw("a list at the top is not written", rule.line)
        elif found and free is None and source in self._alone:
            trial.flaws[inner.at] = Flaw(f"the source has one {'.'.join(source)}", rule.line)
        reading = _Scope(inner.value, inner.at, inner.names, source)
        self._block(rule.rules, element, reading, trial)
        self._require(rule.where, element, trial, inner.at, rule.line)

        def commit() -> None:
            place = free
            if place is None:
                place = Node()
                node.make(tuple(outer)).children.setdefault(last.name, []).append(place)
            place.take(element)
            place.claimed = True

        return trial, commit

    def _choice(self, rule: Choice, node: Node, scope: _Scope, trial: Trial) -> None:
        """Take the branch that contradicts nothing and says most; none if there is no `otherwise`.

        A branch counts only if, of what was written, its condition is the first that holds.
        """
        tries: list[tuple[Trial, Node]] = []
        open_ended = rule.branches[-1].condition is not None
        for number, branch in enumerate(rule.branches):
            if branch.rules is not None:
                tries.append(
                    self._branch(rule.branches[: number + 1], node, scope, trial.another())
                )
        if open_ended:
            none = (*rule.branches, When(None, (), rule.line))
            tries.insert(0, self._branch(none, node, scope, trial.another()))
        if not tries:
            return
        best = min(tries, key=lambda tried: tried[0].merit)
        for tried in tries:
            if tried is not best:
                trial.turned_down(tried[0])
        node.take(best[1])
        trial.keep(best[0])

    def _branch(
        self, branches: tuple[When, ...], node: Node, scope: _Scope, trial: Trial
    ) -> tuple[Trial, Node]:
        """Try the last of ``branches``, where the others must not hold."""
        *before, branch = branches
        copy = node.copy()
        self._block(branch.rules or (), copy, scope, trial)
        if branch.condition and any(test.path.from_top for test in branch.condition.tests):
            trial.unsure |= trial.covered
        place = next(iter(sorted(trial.covered, key=str)), scope.at)
        self._require(branch.condition, copy, trial, place, branch.line)
        for earlier in before:
            tests = earlier.condition.tests if earlier.condition else ()
            if all(self._holds(test, copy) is True for test in tests):
                reason = f"the condition in line {earlier.line} would be taken"
                trial.flaws[place] = Flaw(reason, branch.line)
        return trial, copy

    def _holds(self, test: Test, node: Node) -> bool | None:
        """Whether a test holds of what was written; ``None`` where that is not known yet."""
        return None if test.path.from_top else holds(test, node, xml=self._xml)

    def _require(
        self, condition: Condition | None, node: Node, trial: Trial, place: Place, line: int
    ) -> None:
        """Make a condition hold, by writing the text or the empty element that it asks for."""
        for test in condition.tests if condition else ():
            if self._holds(test, node) is not False:
                continue
            trial.asked += 1
            if test.operator == "in":
                self._put(node, test.path, test.values[0], trial, place, line)
            elif test.operator == "exists" and self._xml and _is_plain(test.path):
                node.make(test.path.steps)
            if self._holds(test, node) is False:
                reason = f"the condition on {test.path} would not hold"
                trial.flaws.setdefault(place, Flaw(reason, line))


def _for_another(trial: Trial) -> Flaw | None:
    return next((flaw for flaw in trial.flaws.values() if flaw.other), None)


def _lacks(trial: Trial, places: set[Place]) -> tuple[bool, int]:
    """How far what was tried is from the whole."""
    return _for_another(trial) is not None, len(trial.flaws) + len(places - trial.covered)


def _in_branches(rules: Rules) -> Iterator[tuple[str, ...]]:
    """The targets that are filled in branches of some rules."""
    for rule in rules:
        for branch in rule.branches if isinstance(rule, Choice) else ():
            yield from (r.target for r in branch.rules or () if isinstance(r, Assign))
            yield from _in_branches(branch.rules or ())


def _turn(rule: Rule) -> int:
    """When a rule is run: plain values, objects and lists, chosen elements, then choices."""
    if isinstance(rule, Choice):
        return 3
    if isinstance(rule, (Within, Each)):
        return 1
    expressions = (rule.expression,) if isinstance(rule, Assign) else rule.expressions
    firsts = (e.sources[0] for e in expressions)
    return 2 if any(isinstance(path, Path) and _chooses(path) for path in firsts) else 0


def _chooses(path: Path) -> bool:
    return any(step.where is not None or step.index is not None for step in path.steps)


def _is_plain(path: Path) -> bool:
    return path.attribute is None and not _chooses(path)

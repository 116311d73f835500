"""Compiling a mapping to Python: a fast form for the hot path, a traced form for explanations.

One generator writes both, so they cannot drift apart: the traced form is the fast one plus a note
at every rule and every value. The generated source holds nothing but our own names; every text of
the mapping is a bound constant, so nothing a mapping says is ever run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mappings.reader import JsonReader, Reader, XmlReader
from mappings.rules import (
    Assign,
    Condition,
    Constant,
    Each,
    Expression,
    Gather,
    Path,
    Rule,
    Rules,
    Step,
    Test,
    When,
    Within,
)
from mappings.scope import Scope, Writer
from mappings.spec import Spec
from mappings.target import kind_at
from mappings.transforms import COERCIONS, TRANSFORMS, as_decimal, as_text

__all__ = ["compile_fast", "compile_traced"]


def compile_fast(spec: Spec) -> Callable[[Any, list[tuple[str, str, str]]], dict[str, Any]]:
    """Build ``f(body, unknown) -> document``; codes without entry are added: target, table, raw."""
    function: Callable[[Any, list[tuple[str, str, str]]], dict[str, Any]]
    function = _Compiler(spec, traced=False).function()
    return function


def compile_traced(spec: Spec) -> Callable[[Any, list[tuple[str, str, str]], Any], dict[str, Any]]:
    """Build ``f(body, unknown, trace) -> document`` that also reports to ``trace``.

    ``trace.at(line, target, place)`` is called before a rule runs, ``trace.read(place, value)``
    before something is made of a value, ``trace.set(target, source, line, value)`` once a target
    is filled, ``trace.enter(target, place, rule)`` before the rules inside an object or a list
    element run, and ``trace.drop(target)`` when the element is left out after all.
    """
    function: Callable[[Any, list[tuple[str, str, str]], Any], dict[str, Any]]
    function = _Compiler(spec, traced=True).function()
    return function


_UNKNOWN_MAX = 100


def _unknown(value: Any, table: dict[str, str], name: str, where: str, unknown: Any) -> str:
    """Look a code up that is not there as it stands; what no table knows is kept and reported."""
    raw = as_text(value)
    found = table.get(raw, table.get("*"))
    if found is None:
        unknown.append((where, name, raw))
        return f"unknown:{raw[:_UNKNOWN_MAX]}"
    return found


def _is_constant(rule: Rule) -> bool:
    return (
        isinstance(rule, Assign) and len(rule.target) == 1 and rule.expression.constant is not None
    )


class _Compiler:
    def __init__(self, spec: Spec, *, traced: bool) -> None:
        self._spec = spec
        self._traced = traced
        self._w = Writer()
        self._reader: Reader = XmlReader(self._w) if spec.reads == "xml" else JsonReader(self._w)

    def function(self) -> Any:
        parameters = "body, unknown, trace" if self._traced else "body, unknown"
        self._w.line(f"def run({parameters}):")
        with self._w.indented():
            top = Scope.top(self._w, "body")
            self._scope(self._spec.rules, top, ())
            self._w.line(f"return {top.out}")
        return self._w.function(f"mapping {self._spec.name}")

    def _scope(self, rules: Rules, scope: Scope, target: tuple[str, ...]) -> None:
        """Write all rules of one source element, then hang what they made onto its document.

        Constants come last and only onto a document that has something else: an identifier of
        kind ``loyalty`` without a value says nothing and is left out.
        """
        scope.prepare(rules)
        constants = [rule for rule in rules if _is_constant(rule)] if target else []
        others = tuple(rule for rule in rules if rule not in constants)
        if not others:
            constants, others = [], rules
        self._block(others, scope, target)
        scope.attach()
        if constants:
            with self._w.block(f"if {scope.out}:"):
                self._block(tuple(constants), scope, target)

    def _block(self, rules: Rules, scope: Scope, target: tuple[str, ...]) -> None:
        for rule in rules:
            if isinstance(rule, Assign):
                self._assign(rule, scope, target)
            elif isinstance(rule, Gather):
                self._gather(rule, scope)
            elif isinstance(rule, Within):
                self._within(rule, scope, target)
            elif isinstance(rule, Each):
                self._each(rule, scope, target)
            else:
                self._choice(rule.branches, scope, target)

    def _target_text(self, scope: Scope, target: tuple[str, ...]) -> str:
        name = self._w.constant(".".join(target))
        return f"{scope.target} + {name}" if scope.target else name

    def _source_text(self, scope: Scope, source: Path) -> str:
        place = "" if source.from_top else scope.place
        if not source.steps and source.attribute is None and place:
            return f"{place}[:-1]"
        text = self._w.constant(str(source).lstrip("/.") or ".")
        return f"{place} + {text}" if place else text

    def _note(self, line: int, scope: Scope, target: tuple[str, ...], source: Any) -> None:
        if self._traced:
            name, place = self._target_text(scope, target), self._place(source, scope)
            self._w.line(f"trace.at({line}, {name}, {place})")

    def _note_value(self, place: str, raw: str) -> None:
        if self._traced:
            self._w.line(f"trace.read({place}, {raw})")

    def _assign(self, rule: Assign, scope: Scope, target: tuple[str, ...]) -> None:
        self._note(rule.line, scope, rule.target, rule.expression.sources[0])
        kind = kind_at(self._spec.model, target + rule.target)
        raw, place = self._value(rule.expression, scope)
        constant = rule.expression.constant
        if constant is not None and kind != "moment":
            fitted = self._w.constant(COERCIONS[kind](constant))
            self._set(rule, scope, fitted, fitted, place)
            return
        with self._w.block(f"if {self._reader.present(raw)}:"):
            self._note_value(place, raw)
            value = self._transformed(rule, raw, scope)
            changed = value != raw
            with self._w.block(f"if {value} is not None:", when=changed):
                fitted = self._fitted(value, kind, changed=changed)
                self._set(rule, scope, fitted, raw, place)

    def _set(self, rule: Assign, scope: Scope, fitted: str, raw: str, place: str) -> None:
        out, key = scope.slot(rule.target)
        self._w.line(f"{out}[{key}] = {fitted}")
        if self._traced:
            name = self._target_text(scope, rule.target)
            self._w.line(f"trace.set({name}, {place}, {rule.line}, {raw})")

    def _transformed(self, rule: Assign, raw: str, scope: Scope) -> str:
        value = raw
        for transform in rule.expression.transforms:
            before, value = value, self._w.fresh("v")
            if transform.name == "code":
                table = self._w.constant(self._spec.codes[transform.arguments[0]])
                name = self._w.constant(transform.arguments[0])
                where = self._target_text(scope, rule.target)
                unknown = self._w.constant(_unknown)
                self._w.line(f"{value} = {table}.get({before})")
                with self._w.block(f"if {value} is None:"):
                    call = f"{unknown}({before}, {table}, {name}, {where}, unknown)"
                    self._w.line(f"{value} = {call}")
                self._w.line(f"if {value} == '': {value} = None")
            else:
                function = TRANSFORMS[transform.name](*transform.arguments)
                self._w.line(f"{value} = {self._w.constant(function)}({before})")
            if transform is not rule.expression.transforms[-1]:
                self._w.line(f"if {value} is not None:")
                self._w.push()
        return value

    def _fitted(self, value: str, kind: str, *, changed: bool) -> str:
        if kind == "text":
            if self._reader.gives_text and not changed:
                return value
            return f"{value} if type({value}) is str else {self._w.constant(as_text)}({value})"
        return f"{self._w.constant(COERCIONS[kind])}({value})"

    def _value(self, expression: Expression, scope: Scope) -> tuple[str, str]:
        """Write the code that finds the raw value; give its variable and its source text."""
        raw = self._source(expression.sources[0], scope)
        place = self._place(expression.sources[0], scope)
        if len(expression.sources) == 1:
            return raw, place
        value, where, depth = self._w.fresh("v"), self._w.fresh("p"), self._w.depth
        self._take(value, raw, where, place)
        for source in expression.sources[1:]:
            self._w.line(f"if not ({self._reader.present(value)}):")
            self._w.push()
            scope = scope.branch()
            self._take(value, self._source(source, scope), where, self._place(source, scope))
        self._w.pop(self._w.depth - depth)
        return value, where

    def _take(self, value: str, raw: str, where: str, place: str) -> None:
        self._w.line(f"{value} = {raw}")
        if self._traced:
            self._w.line(f"{where} = {place}")

    def _source(self, source: Path | Constant, scope: Scope) -> str:
        if isinstance(source, Constant):
            return self._w.constant(source.value)
        return self._reader.leaf(source, scope)

    def _place(self, source: Path | Constant, scope: Scope) -> str:
        if isinstance(source, Constant):
            return self._w.constant(str(source))
        return self._source_text(scope, source)

    def _gather(self, rule: Gather, scope: Scope) -> None:
        found = self._w.fresh("r")
        self._w.line(f"{found} = []")
        text = self._w.constant(as_text)
        for expression in rule.expressions:
            self._note(rule.line, scope, rule.target, expression.sources[0])
            raw, place = self._value(expression, scope)
            assign = Assign(rule.target, expression, rule.line)
            with self._w.block(f"if {self._reader.present(raw)}:"):
                self._note_value(place, raw)
                value = self._transformed(assign, raw, scope)
                with self._w.block(f"if {value} is not None:", when=value != raw):
                    if self._traced:
                        name = self._target_text(scope, rule.target)
                        name = f"{name} + '[' + str(len({found})) + ']'"
                        self._w.line(f"trace.set({name}, {place}, {rule.line}, {raw})")
                    self._w.line(f"{found}.append({text}({value}))")
        out, key = scope.slot(rule.target)
        self._w.line(f"if {found}: {out}[{key}] = {found}")

    def _within(self, rule: Within, scope: Scope, target: tuple[str, ...]) -> None:
        self._note(rule.line, scope, rule.target, rule.source)
        node = self._reader.node(rule.source, scope)
        with self._w.block(f"if {self._reader.is_node(node)}:"):
            place = "" if rule.source.from_top else scope.place
            if rule.source.steps:
                place = self._prefix(self._source_text(scope, rule.source))
            name = self._prefix(self._target_text(scope, rule.target))
            inner = Scope(self._w, node, scope.object(rule.target), place, name)
            inner.in_list, inner.element = scope.in_list, scope.element
            self._enter(inner, rule)
            self._scope(rule.rules, inner, target + rule.target)

    def _enter(self, scope: Scope, rule: Within | Each) -> None:
        if self._traced:
            place, made_by = scope.place or repr(""), self._w.constant(rule)
            self._w.line(f"trace.enter({scope.target}, {place}, {made_by})")

    def _prefix(self, text: str) -> str:
        """A variable that holds ``text`` and a dot, for the places inside it; traced form only."""
        if not self._traced:
            return ""
        variable = self._w.fresh("p")
        self._w.line(f"{variable} = {text} + '.'")
        return variable

    def _each(self, rule: Each, scope: Scope, target: tuple[str, ...]) -> None:
        made = scope.list(rule.target)
        depth = self._w.depth
        inner = scope
        run: list[Step] = []
        from_top = rule.source.from_top
        for step in rule.source.steps:
            run.append(step)
            if step.many:
                if self._traced:
                    place = self._source_text(inner, Path(tuple(run), None, from_top))
                    name = self._target_text(scope, rule.target)
                    self._w.line(f"trace.at({rule.line}, {name}, {place})")
                inner = self._loop(Path(tuple(run), None, from_top), inner)
                run, from_top = [], False
        name = self._target_text(scope, rule.target)
        if self._traced:
            name = self._prefix(f"{name} + '[' + str(len({made})) + ']'")
        document = self._w.fresh("o")
        known = inner.known
        inner = Scope(self._w, inner.node, document, inner.place, name if self._traced else "")
        inner.known = known
        inner.in_list, inner.element = True, inner.target
        if rule.where is not None:
            self._note(rule.line, inner, (), rule.where.tests[0].path)
            self._w.line(f"if {self._condition(rule.where, inner)}:")
            self._w.push()
        self._enter(inner, rule)
        self._w.line(f"{document} = {{}}")
        self._scope(rule.rules, inner, target + rule.target)
        self._w.line(f"if {document}: {made}.append({document})")
        self._w.pop(self._w.depth - depth)

    def _loop(self, source: Path, scope: Scope) -> Scope:
        element, index = self._w.fresh("e"), self._w.fresh("i")
        inner = Scope(self._w, element, "", "", "")
        target, elements = self._reader.many(source, scope, inner)
        if not self._traced:
            self._w.line(f"for {target} in {elements}:")
            self._w.push()
            return inner
        self._w.line(f"for {index}, {target} in enumerate({elements}):")
        self._w.push()
        plain = Path((*source.steps[:-1], Step(source.steps[-1].name)), None, source.from_top)
        place = self._source_text(scope, plain)
        inner.place = self._prefix(f"{place} + {self._reader.at(elements, index)}")
        return inner

    def _choice(self, branches: tuple[When, ...], scope: Scope, target: tuple[str, ...]) -> None:
        depth = self._w.depth
        for when in branches:
            if when.condition is not None:
                self._note(when.line, scope, (), when.condition.tests[0].path)
                self._w.line(f"if {self._condition(when.condition, scope)}:")
                self._w.push()
            self._branch(when, scope.branch(), target)
            if when.condition is not None:
                self._w.pop(1)
                self._w.line("else:")
                self._w.push()
                scope = scope.branch()
        if branches[-1].condition is not None:
            self._w.line("pass")
        self._w.pop(self._w.depth - depth)

    def _branch(self, when: When, scope: Scope, target: tuple[str, ...]) -> None:
        if when.rules is not None:
            self._block(when.rules, scope, target)
            self._w.line("pass")
            return
        if self._traced:
            self._w.line(f"trace.drop({scope.element})")
        self._w.line("continue")

    def _condition(self, condition: Condition, scope: Scope) -> str:
        return " and ".join(self._test(test, scope) for test in condition.tests)

    def _test(self, test: Test, scope: Scope) -> str:
        if test.operator in ("exists", "missing"):
            found = self._reader.exists(test.path, scope)
            return found if test.operator == "exists" else f"not ({found})"
        value = self._reader.leaf(test.path, scope)
        present = self._reader.present(value)
        if self._traced:
            value = f"trace.read({self._place(test.path, scope)}, {value})"
        text = value if self._reader.gives_text else f"{self._w.constant(as_text)}({value})"
        if test.operator in ("in", "not in"):
            values = self._w.constant(frozenset(test.values))
            found = f"({present} and {text} in {values})"
            return found if test.operator == "in" else f"not {found}"
        number = self._w.constant(as_decimal(test.values[0]))
        read = self._w.constant(as_decimal)
        return f"({present} and {read}({value}) {test.operator} {number})"

"""Writing the code of values: where one is found, what is done to it, and whether a test holds.

The compiler writes rules, and calls on this for all that stands on the right of one and behind
``when`` and ``where``.
"""

from __future__ import annotations

from typing import Any

from mappings.reader import Reader
from mappings.rules import Assign, Condition, Constant, Expression, Path, Test
from mappings.scope import Scope, Writer
from mappings.spec import Spec
from mappings.target import kind_at
from mappings.trace import Site, place_in
from mappings.transforms import COERCIONS, TRANSFORMS, as_decimal, as_text

__all__ = ["Values"]

_UNKNOWN_MAX = 100


def _unknown(value: Any, table: dict[str, str], name: str, where: str, unknown: Any) -> str:
    """Look a code up that is not there as it stands; what no table knows is kept and reported."""
    raw = as_text(value)
    found = table.get(raw, table.get("*"))
    if found is None:
        unknown.append((where, name, raw))
        return f"unknown:{raw[:_UNKNOWN_MAX]}"
    return found


class Values:
    """Writes expressions and conditions of one mapping, in one form, into one writer."""

    def __init__(self, spec: Spec, writer: Writer, reader: Reader, *, traced: bool) -> None:
        self._spec = spec
        self._w = writer
        self._reader = reader
        self._traced = traced

    def name(self, target: tuple[str, ...]) -> str:
        """The constant of a target's name, as seen from the element."""
        return self._w.constant(".".join(target))

    def note(self, line: int, scope: Scope, target: tuple[str, ...], source: Any) -> None:
        """Keep at hand which rule looks where from now on."""
        if self._traced:
            site = self._w.constant(Site(line, ".".join(target), place_in(source)))
            self._w.line(f"site = {site}; here = {scope.here}; source = value = None")

    def note_value(self, place: str, raw: str) -> None:
        """Keep at hand what is about to be made use of."""
        if self._traced:
            self._w.line(f"source = {place}; value = {raw}")

    def note_filled(self, scope: Scope, name: str, line: int, place: str, raw: str) -> None:
        """Note where the value of a target came from."""
        if self._traced:
            self._w.line(f"note(({scope.here}, {name}, {line}, {place}, {raw}))")

    def assign(self, rule: Assign, scope: Scope, target: tuple[str, ...]) -> None:
        """Write a rule that fills one target."""
        self.note(rule.line, scope, rule.target, rule.expression.sources[0])
        kind = kind_at(self._spec.model, target + rule.target)
        raw, place = self.find(rule.expression, scope)
        constant = rule.expression.constant
        if constant is not None and kind != "moment":
            fitted = self._w.constant(COERCIONS[kind](constant))
            self._set(rule, scope, fitted, fitted, place)
            return
        with self._w.block(f"if {self._reader.present(raw)}:"):
            self.note_value(place, raw)
            value = self.transformed(rule, raw, scope)
            changed = value != raw
            with self._w.block(f"if {value} is not None:", when=changed):
                fitted = self._fitted(value, kind, changed=changed)
                self._set(rule, scope, fitted, raw, place)

    def _set(self, rule: Assign, scope: Scope, fitted: str, raw: str, place: str) -> None:
        out, key = scope.slot(rule.target)
        self._w.line(f"{out}[{key}] = {fitted}")
        self.note_filled(scope, self.name(rule.target), rule.line, place, raw)

    def transformed(self, rule: Assign, raw: str, scope: Scope) -> str:
        """Write the transforms of a rule; give the variable of what they leave.

        What is written next stands inside the guards against nothing being left.
        """
        value = raw
        for transform in rule.expression.transforms:
            before, value = value, self._w.fresh("v")
            if transform.name == "code":
                table = self._w.constant(self._spec.codes[transform.arguments[0]])
                name = self._w.constant(transform.arguments[0])
                where = self.name(rule.target)
                if self._traced:
                    where = f"{scope.here}[0] + {where}"
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

    def find(self, expression: Expression, scope: Scope) -> tuple[str, str]:
        """Write the code that finds the raw value; give its variable and its source text."""
        raw = self._source(expression.sources[0], scope)
        place = self._place(expression.sources[0])
        if len(expression.sources) == 1:
            return raw, place
        value, where, depth = self._w.fresh("v"), self._w.fresh("p"), self._w.depth
        self._take(value, raw, where, place)
        for source in expression.sources[1:]:
            self._w.line(f"if not ({self._reader.present(value)}):")
            self._w.push()
            scope = scope.branch()
            self._take(value, self._source(source, scope), where, self._place(source))
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

    def _place(self, source: Path | Constant) -> str:
        return self._w.constant(place_in(source))

    def condition(self, condition: Condition, scope: Scope) -> str:
        """An expression that is true where all tests of a condition hold."""
        return " and ".join(self._test(test, scope) for test in condition.tests)

    def _test(self, test: Test, scope: Scope) -> str:
        if test.operator in ("exists", "missing"):
            found = self._reader.exists(test.path, scope)
            return found if test.operator == "exists" else f"not ({found})"
        value = self._reader.leaf(test.path, scope)
        present = self._reader.present(value)
        if self._traced:
            value = f"(source := {self._place(test.path)}, value := {value})[1]"
        text = value if self._reader.gives_text else f"{self._w.constant(as_text)}({value})"
        if test.operator in ("in", "not in"):
            values = self._w.constant(frozenset(test.values))
            found = f"({present} and {text} in {values})"
            return found if test.operator == "in" else f"not {found}"
        number = self._w.constant(as_decimal(test.values[0]))
        read = self._w.constant(as_decimal)
        return f"({present} and {read}({value}) {test.operator} {number})"

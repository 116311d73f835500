"""Writing the code of values: where one is found, what is done to it, and whether a test holds.

The compiler writes rules, and calls on this for all that stands on the right of one and behind
``when`` and ``where``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mappings.lists import total
from mappings.loops import Loops
from mappings.reader import Reader
from mappings.reference import LOOKUPS
from mappings.rules import (
    Assign,
    By,
    Condition,
    Constant,
    Expression,
    Gather,
    Path,
    Source,
    Test,
    Total,
    Transform,
)
from mappings.scope import Scope, Writer
from mappings.spec import Spec
from mappings.target import kind_at
from mappings.template import joined
from mappings.trace import Site, place_in, several
from mappings.transforms import COERCIONS, as_decimal, as_text
from mappings.vocabulary import bind_by

__all__ = ["Found", "Values"]

Found = tuple[str, str]
"""The variable of a value, and an expression for where it was found."""

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

    def __init__(
        self, spec: Spec, writer: Writer, reader: Reader, loops: Loops, *, traced: bool
    ) -> None:
        self._spec = spec
        self._w = writer
        self._reader = reader
        self._loops = loops
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
        raw, place = self.find(rule, rule.expression, scope)
        constant = rule.expression.constant
        if constant is not None and kind != "moment":
            fitted = self._w.constant(COERCIONS[kind](constant))
            self._set(rule, scope, fitted, fitted, place)
            return
        with self._w.block(f"if {self._reader.present(raw)}:"):
            self.note_value(place, raw)
            value = self.transformed(rule, rule.expression, (raw, place), scope)
            changed = value != raw
            with self._w.block(f"if {value} is not None:", when=changed):
                fitted = self._fitted(value, kind, changed=changed)
                self._set(rule, scope, fitted, raw, place)

    def _set(self, rule: Assign, scope: Scope, fitted: str, raw: str, place: str) -> None:
        out, key = scope.slot(rule.target)
        self._w.line(f"{out}[{key}] = {fitted}")
        self.note_filled(scope, self.name(rule.target), rule.line, place, raw)

    def transformed(
        self, rule: Assign | Gather, expression: Expression, found: Found, scope: Scope
    ) -> str:
        """Write the transforms of an expression; give the variable of what they leave.

        What is written next stands inside the guards against nothing being left.
        """
        value, scope = found[0], scope.branch()
        for transform in expression.transforms:
            before, value = value, self._w.fresh("v")
            depth = self._w.depth
            if transform.where is not None:
                self._w.line(f"{value} = {before}")
                self._w.line(f"if {self.condition(transform.where, scope)}:")
                self._w.push()
                # The tests looked at other values than the one that this is about.
                self.note_value(found[1], found[0])
            self._step(rule, transform, (before, value), found, scope)
            self._w.pop(self._w.depth - depth)
            if transform is not expression.transforms[-1]:
                self._w.line(f"if {value} is not None:")
                self._w.push()
        return value

    def _step(
        self,
        rule: Assign | Gather,
        transform: Transform,
        variables: tuple[str, str],
        found: Found,
        scope: Scope,
    ) -> None:
        """Write one transform, from the first of the two variables to the second."""
        before, value = variables
        if transform.name == "code":
            self._code(transform.arguments[0], variables, self._full_name(rule, scope))
        elif transform.name in LOOKUPS:
            look_up = self._w.constant(LOOKUPS[transform.name](*transform.arguments))
            where = self._full_name(rule, scope)
            self._w.line(f"{value} = {look_up}({before}, reference, {where}, unknown)")
        elif transform.by is not None:
            argument, place = self._inner(rule, transform.by, scope)
            bound, bind = self._w.fresh("f"), self._w.constant(bind_by(transform))
            self.note_value(place, argument)
            self._w.line(f"{bound} = {bind}({argument})")
            self.note_value(found[1], found[0])
            self._w.line(f"{value} = {bound}({before})")
        else:
            function = self._w.constant(self._spec.vocabulary.bound(transform))
            self._w.line(f"{value} = {function}({before})")

    def _full_name(self, rule: Assign | Gather, scope: Scope) -> str:
        """An expression for the name of a target from the top, as far as anybody asks for it."""
        name = self.name(rule.target)
        return f"{scope.here}[0] + {name}" if self._traced else name

    def _code(self, table_name: str, variables: tuple[str, str], where: str) -> None:
        before, value = variables
        table = self._w.constant(self._spec.codes[table_name])
        name = self._w.constant(table_name)
        unknown = self._w.constant(_unknown)
        self._w.line(f"{value} = {table}.get({before})")
        with self._w.block(f"if {value} is None:"):
            call = f"{unknown}({before}, {table}, {name}, {where}, unknown)"
            self._w.line(f"{value} = {call}")
        self._w.line(f"if {value} == '': {value} = None")

    def _fitted(self, value: str, kind: str, *, changed: bool) -> str:
        if kind == "text":
            if self._reader.gives_text and not changed:
                return value
            return f"{value} if type({value}) is str else {self._w.constant(as_text)}({value})"
        return f"{self._w.constant(COERCIONS[kind])}({value})"

    def find(self, rule: Assign | Gather, expression: Expression, scope: Scope) -> Found:
        """Write the code that finds the raw value; give its variable and its source text."""
        raw, place = self._source(rule, expression.sources[0], scope)
        if len(expression.sources) == 1:
            return raw, place
        value, where, depth = self._w.fresh("v"), self._w.fresh("p"), self._w.depth
        self._take(value, raw, where, place)
        for source in expression.sources[1:]:
            self._w.line(f"if not ({self._reader.present(value)}):")
            self._w.push()
            scope = scope.branch()
            raw, place = self._source(rule, source, scope)
            self._take(value, raw, where, place)
        self._w.pop(self._w.depth - depth)
        return value, where

    def _take(self, value: str, raw: str, where: str, place: str) -> None:
        self._w.line(f"{value} = {raw}")
        if self._traced:
            self._w.line(f"{where} = {place}")

    def _source(self, rule: Assign | Gather, source: Source, scope: Scope) -> Found:
        place = self._place(source)
        if isinstance(source, Constant):
            return self._w.constant(source.value), place
        if isinstance(source, Path):
            return self._reader.leaf(source, scope), place
        if isinstance(source, Total):
            return self._total(rule, source, scope)
        # The parts of a template, and then what puts them together.
        parts = [self._inner(rule, part.expression, scope)[0] for part in source.parts]
        text = self._w.fresh("v")
        self._w.line(f"{text} = {self._w.constant(joined(source))}({', '.join(parts)})")
        return text, place

    def _total(self, rule: Assign | Gather, source: Total, scope: Scope) -> Found:
        """Write the loops that collect what a total is made of, and then the total."""
        found, places, value = (self._w.fresh(letter) for letter in "rpv")
        self._w.line(f"{found} = []")
        if self._traced:
            self._w.line(f"{places} = []")
        depth = self._w.depth
        inner = self._loops.through(
            source.path, scope, lambda path, at: self.note(rule.line, at, rule.target, path)
        )
        place = ""
        if self._traced:
            text = place_in(source.inside)
            below = "[:-1]" if text == "." else f" + {self._w.constant(text)}"
            place = f"'/' + {inner.here}[1]{below}"
        self._collect(source, inner, found, place)
        if self._traced:
            self._w.line(f"{places}.append({place})")
        self._w.pop(self._w.depth - depth)
        self.note(rule.line, scope, rule.target, source)
        self._w.line(f"{value} = {self._w.constant(total(source.function))}({found})")
        return value, f"{self._w.constant(several)}({places}, {self._place(source)})"

    def _collect(self, source: Total, scope: Scope, found: str, place: str) -> None:
        """Write what becomes of one element; what is written next is for those that count."""
        inside = source.inside
        if source.function == "count" and not inside.steps and inside.attribute is None:
            self._w.line(f"{found}.append(1)")
            return
        raw = self._reader.leaf(inside, scope)
        self._w.line(f"if {self._reader.present(raw)}:")
        self._w.push()
        self.note_value(place, raw)
        number = f"{self._w.constant(as_decimal)}({raw})" if source.function == "sum" else "1"
        self._w.line(f"{found}.append({number})")

    def _inner(self, rule: Assign | Gather, expression: Expression, scope: Scope) -> Found:
        """Write an expression inside another one; its variable is ``None`` where it is absent."""
        value = self._w.fresh("v")
        found = self.find(rule, expression, scope)
        self._w.line(f"{value} = None")
        with self._w.block(f"if {self._reader.present(found[0])}:"):
            self.note_value(found[1], found[0])
            made = self.transformed(rule, expression, found, scope)
            changed = made != found[0]
            with self._w.block(f"if {made} is not None:", when=changed):
                self._w.line(f"{value} = {self._fitted(made, 'text', changed=changed)}")
        return value, found[1]

    def read(
        self,
        rule: Assign | Gather,
        expression: Expression,
        scope: Scope,
        function: Callable[[Any], str],
    ) -> str:
        """Write a value that goes through a function; its variable is ``None`` if it is absent."""
        value = self._w.fresh("v")
        found = self.find(rule, expression, scope)
        self._w.line(f"{value} = None")
        with self._w.block(f"if {self._reader.present(found[0])}:"):
            self.note_value(found[1], found[0])
            made = self.transformed(rule, expression, found, scope)
            with self._w.block(f"if {made} is not None:", when=made != found[0]):
                self._w.line(f"{value} = {self._w.constant(function)}({made})")
        return value

    def _place(self, source: Source) -> str:
        return self._w.constant(place_in(source))

    def key(self, by: By, scope: Scope) -> str:
        """Write what an element is arranged by; the variable is ``None`` where it is absent."""
        raw, key = self._reader.leaf(by.path, scope), self._w.fresh("v")
        self._w.line(f"{key} = None")
        with self._w.block(f"if {self._reader.present(raw)}:"):
            self.note_value(self._place(by.path), raw)
            read = self._w.constant(as_decimal if by.number else as_text)
            self._w.line(f"{key} = {read}({raw})")
        return key

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

"""Compiling a mapping to Python: a fast form for the hot path, a traced form for explanations.

One generator writes both, so they cannot drift apart: the traced form is the fast one plus a note
at every rule and every value. The generated source holds nothing but our own names; every text of
the mapping is a bound constant, so nothing a mapping says is ever run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mappings.lists import arranger
from mappings.loops import Loops
from mappings.reader import JsonReader, Reader, XmlReader
from mappings.reference import Reference
from mappings.rules import (
    Assign,
    Choice,
    Each,
    Gather,
    Rules,
    Shape,
    When,
    Within,
    skips,
)
from mappings.scope import Scope, Writer
from mappings.spec import Spec
from mappings.trace import TOP, Trace
from mappings.transforms import as_text
from mappings.values import Values

__all__ = ["Unknown", "compile_fast", "compile_traced"]


Unknown = list[tuple[str, str, str]]


def compile_fast(
    spec: Spec, *, sparse: bool = False
) -> Callable[[Any, Unknown, Reference], dict[str, Any]]:
    """Build ``f(body, unknown, reference) -> document``.

    Codes and numbers without an entry are added to ``unknown``: target, table, raw. What is built
    ``sparse`` does the same, sooner if there are but a few rules.
    """
    function: Callable[[Any, Unknown, Reference], dict[str, Any]]
    function = _Compiler(spec, traced=False, sparse=sparse).function()
    return function


def compile_traced(spec: Spec) -> Callable[[Any, Unknown, Reference, Any], dict[str, Any]]:
    """Build ``f(body, unknown, reference, trace) -> document``, which takes notes in a ``Trace``.

    A note is one tuple for each target that is filled. What is looked at is kept in variables
    and told to the trace only if it cannot be done.
    """
    function: Callable[[Any, Unknown, Reference, Trace], dict[str, Any]]
    function = _Compiler(spec, traced=True).function()
    return function


def _is_constant(rule: Assign) -> bool:
    return len(rule.target) == 1 and rule.expression.constant is not None


def _chosen(rules: Rules, target: tuple[str, ...]) -> bool:
    """Whether some branch among these rules fills the target."""
    for rule in rules:
        for when in rule.branches if isinstance(rule, Choice) else ():
            inside = when.rules or ()
            if _chosen(inside, target) or any(
                isinstance(each, Assign) and each.target == target for each in inside
            ):
                return True
    return False


class _Compiler:
    def __init__(self, spec: Spec, *, traced: bool, sparse: bool = False) -> None:
        self._spec = spec
        self._traced = traced
        self._w = Writer()
        self._reader: Reader = (
            XmlReader(self._w, sparse=sparse) if spec.reads == "xml" else JsonReader(self._w)
        )
        self._loops = Loops(self._w, self._reader, traced=traced)
        self._values = Values(spec, self._w, self._reader, self._loops, traced=traced)

    def function(self) -> Any:
        trace = ", trace" if self._traced else ""
        self._w.line(f"def run(body, unknown, reference{trace}):")
        with self._w.indented():
            inside = self._spec.part is not None
            if inside:
                self._w.line("body, node, place = body")
            top = Scope.top(self._w, "node" if inside else "body")
            if self._traced:
                self._traced_body(top)
            else:
                self._scope(self._spec.rules, top, ())
            self._w.line(f"return {top.out}")
        return self._w.function(f"mapping {self._spec.name}")

    def _traced_body(self, top: Scope) -> None:
        part = self._spec.part is not None
        top.here = self._loops.here("''", "place") if part else self._w.constant(TOP)
        self._w.line("notes = trace.notes")
        self._w.line("note, enter = notes.append, trace.entered.append")
        self._w.line("take = trace.taken.add")
        self._w.line("site = here = source = value = None")
        with self._w.block("try:"):
            self._scope(self._spec.rules, top, ())
        with self._w.block("except failures:"):
            self._w.line("trace.failed(site, here, source, value)")
            self._w.line("raise")

    def _scope(self, rules: Rules, scope: Scope, target: tuple[str, ...]) -> None:
        """Write all rules of one source element, then hang what they made onto its document.

        Constants come last and only onto a document that has something else: an identifier of
        kind ``loyalty`` without a value says nothing and is left out.
        """
        scope.prepare(rules)
        constants = [
            rule for rule in rules if target and isinstance(rule, Assign) and _is_constant(rule)
        ]
        others = tuple(rule for rule in rules if rule not in constants)
        if not others:
            constants, others = [], rules
        self._block(others, scope, target)
        scope.attach()
        if constants:
            with self._w.block(f"if {scope.out}:"):
                for rule in constants:
                    out, key = scope.slot(rule.target)
                    # What a later branch has filled is not replaced by what stands before it.
                    later = rules[rules.index(rule) + 1 :]
                    with self._w.block(f"if {key} not in {out}:", when=_chosen(later, rule.target)):
                        self._block((rule,), scope, target)

    def _block(self, rules: Rules, scope: Scope, target: tuple[str, ...]) -> None:
        for rule in rules:
            if isinstance(rule, Assign):
                self._values.assign(rule, scope, target)
            elif isinstance(rule, Gather):
                self._gather(rule, scope)
            elif isinstance(rule, Within):
                self._within(rule, scope, target)
            elif isinstance(rule, Each):
                self._each(rule, scope, target)
            else:
                self._choice(rule.branches, scope, target)

    def _gather(self, rule: Gather, scope: Scope) -> None:
        found = self._w.fresh("r")
        self._w.line(f"{found} = []")
        text = self._w.constant(as_text)
        for expression in rule.expressions:
            self._values.note(rule.line, scope, rule.target, expression.sources[0])
            raw, place = self._values.find(rule, expression, scope)
            with self._w.block(f"if {self._reader.present(raw)}:"):
                self._values.note_value(place, raw)
                value = self._values.transformed(rule, expression, (raw, place), scope)
                with self._w.block(f"if {value} is not None:", when=value != raw):
                    name = f"f'{{{self._values.name(rule.target)}}}[{{len({found})}}]'"
                    self._values.note_filled(scope, name, rule.line, place, raw)
                    self._w.line(f"{found}.append({text}({value}))")
        out, key = scope.slot(rule.target)
        self._w.line(f"if {found}: {out}[{key}] = {found}")

    def _within(self, rule: Within, scope: Scope, target: tuple[str, ...]) -> None:
        self._values.note(rule.line, scope, rule.target, rule.source)
        node = self._reader.node(rule.source, scope)
        with self._w.block(f"if {self._reader.is_node(node)}:"):
            inner = Scope(self._w, node, scope.object(rule.target))
            inner.in_list, inner.element = scope.in_list, scope.element
            if self._traced:
                place = "''" if rule.source.from_top else f"{scope.here}[1]"
                if rule.source.steps:
                    place = self._loops.below(scope, rule.source, "")
                name = f"f'{{{scope.here}[0]}}{{{self._values.name(rule.target)}}}.'"
                inner.here = self._loops.here(name, place)
            self._enter(inner, rule)
            self._scope(rule.rules, inner, target + rule.target)

    def _enter(self, scope: Scope, rule: Within | Each) -> None:
        if self._traced:
            self._w.line(f"enter(({scope.here}, {self._w.constant(rule)}))")

    def _each(self, rule: Each, scope: Scope, target: tuple[str, ...]) -> None:
        made, rows = scope.list(rule.target), ""
        depth = self._w.depth
        if rule.shape is not None:
            rows = self._w.fresh("r")
            self._w.line(f"{rows} = []")
        found = self._loops.through(
            rule.source,
            scope,
            lambda source, at: self._values.note(rule.line, at, rule.target, source),
        )
        if rule.shape is not None:
            self._collect(rule, rule.shape, found, rows)
            self._w.pop(self._w.depth - depth)
            found = self._arranged(rule.shape, rows, scope)
        document = self._w.fresh("o")
        inner = Scope(self._w, found.node, document)
        inner.known, inner.group, inner.in_list = found.known, found.group, True
        if self._traced:
            name = f"f'{{{scope.here}[0]}}{{{self._values.name(rule.target)}}}[{{len({made})}}].'"
            inner.here = self._loops.here(name, f"{found.here}[1]")
            if skips(rule.rules):
                inner.element = self._w.fresh("m")
                self._w.line(f"{inner.element} = len(notes), len(unknown)")
        if rule.shape is None:
            self._where(rule, inner)
        self._enter(inner, rule)
        self._w.line(f"{document} = {{}}")
        self._scope(rule.rules, inner, target + rule.target)
        self._w.line(f"if {document}: {made}.append({document})")
        self._w.pop(self._w.depth - depth)

    def _where(self, rule: Each, scope: Scope) -> None:
        if rule.where is not None:
            self._values.note(rule.line, scope, (), rule.where.tests[0].path)
            self._w.line(f"if {self._values.condition(rule.where, scope)}:")
            self._w.push()

    def _collect(self, rule: Each, shape: Shape, found: Scope, rows: str) -> None:
        """Write a row of each element: what it is arranged by is read once, while it is at hand."""
        self._where(rule, found)
        keys = []
        for by in shape.keys:
            self._values.note(rule.line, found, (), by.path)
            keys.append(self._values.key(by, found))
        place = f"{found.here}[1]" if self._traced else "None"
        self._w.line(f"{rows}.append(({found.node}, {place}, ({''.join(f'{k}, ' for k in keys)})))")

    def _arranged(self, shape: Shape, rows: str, scope: Scope) -> Scope:
        element, place, group = (self._w.fresh(letter) for letter in "epg")
        arrange = self._w.constant(arranger(shape))
        self._w.line(f"for {element}, {place}, {group} in {arrange}({rows}):")
        self._w.push()
        inner = self._loops.at(element, place, scope)
        inner.group = group if shape.group else ""
        return inner

    def _choice(self, branches: tuple[When, ...], scope: Scope, target: tuple[str, ...]) -> None:
        depth = self._w.depth
        for when in branches:
            if when.condition is not None:
                self._values.note(when.line, scope, (), when.condition.tests[0].path)
                self._w.line(f"if {self._values.condition(when.condition, scope)}:")
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
        if self._traced:
            self._w.line(f"take({when.line})")
        if when.rules is not None:
            self._block(when.rules, scope, target)
            self._w.line("pass")
            return
        if self._traced:
            self._w.line(f"del notes[{scope.element}[0]:], unknown[{scope.element}[1]:]")
        self._w.line("continue")

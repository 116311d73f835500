"""What the compiler writes with: lines of source, bound constants, and scopes of variables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mappings.rules import Choice, Each, Path, Rules, Within

__all__ = ["Scope", "Writer"]


class Writer:
    """Source text under construction and the constants it refers to by name."""

    def __init__(self) -> None:
        self.depth = 0
        self._lines: list[str] = []
        self._constants: dict[str, Any] = {}
        self._names: dict[tuple[type, Any], str] = {}
        self._count = 0

    def line(self, text: str) -> None:
        """Write a line at the depth at hand."""
        self._lines.append("    " * (self.depth + 1) + text)

    def push(self) -> None:
        """Go one block deeper."""
        self.depth += 1

    def pop(self, count: int) -> None:
        """Leave ``count`` blocks."""
        self.depth -= count

    @contextmanager
    def indented(self) -> Iterator[None]:
        """Write one block deeper."""
        self.push()
        yield
        self.pop(1)

    @contextmanager
    def block(self, header: str, *, when: bool = True) -> Iterator[None]:
        """Write ``header`` and what follows inside it; without ``when`` only what follows."""
        depth = self.depth
        if when:
            self.line(header)
            self.push()
        yield
        self.depth = depth

    def fresh(self, letter: str) -> str:
        """The name of a new variable."""
        self._count += 1
        return f"{letter}{self._count}"

    def constant(self, value: Any) -> str:
        """Bind a value and give its name; equal texts share one name."""
        key = (type(value), value) if isinstance(value, str) else (type(value), id(value))
        if key not in self._names:
            name = f"k{len(self._constants)}"
            self._names[key] = name
            self._constants[name] = value
        return self._names[key]

    def function(self, title: str) -> Any:
        """Compile what was written: a factory that closes over the constants gives ``run``."""
        header = f"def make({', '.join(self._constants)}):"
        source = "\n".join([header, *self._lines, "    return run"])
        namespace: dict[str, Any] = {"__builtins__": _BUILTINS}
        # The source holds only names made here; every text of the mapping is an argument.
        exec(compile(source, f"<{title}>", "exec"), namespace)  # noqa: S102
        return namespace["make"](*self._constants.values())


_BUILTINS = {
    "dict": dict,
    "enumerate": enumerate,
    "failures": (ValueError, TypeError, AttributeError, KeyError, ArithmeticError),
    "len": len,
    "list": list,
    "next": next,
    "str": str,
    "type": type,
    "zip": zip,
}


class Scope:
    """One source element and the document being made of it.

    ``node`` and ``out`` are variables of the generated code; ``here`` is one that holds the
    ``Element`` of the trace, in the traced form only. ``known`` remembers which source nodes and
    values already have a variable here, so that nothing is looked up twice; ``loops`` counts how
    many rules go through a list of this element; ``element`` is a variable that holds how much had
    been noted before the list element that ``skip`` leaves out; ``group`` is one that holds the
    elements of the group at hand and their places, if there is one.
    """

    def __init__(self, writer: Writer, node: str, out: str) -> None:
        self._writer = writer
        self.node = node
        self.out = out
        self.here = ""
        self.in_list = False
        self.element = ""
        self.group = ""
        self.known: dict[Any, str] = {}
        self._objects: dict[tuple[str, ...], str] = {(): out}
        self._lists: dict[tuple[str, ...], str] = {}
        self.list_parents: set[tuple[Any, ...]] = set()
        self.loops: Counter[Path] = Counter()

    @classmethod
    def top(cls, writer: Writer, node: str) -> Scope:
        """The whole document, its result begun."""
        scope = cls(writer, node, writer.fresh("o"))
        writer.line(f"{scope.out} = {{}}")
        return scope

    def branch(self) -> Scope:
        """The same element in a branch of the code: what becomes known there stays there."""
        copy = Scope(self._writer, self.node, self.out)
        copy.here, copy.in_list, copy.element = self.here, self.in_list, self.element
        copy.group = self.group
        copy.known = dict(self.known)
        copy._objects = self._objects
        copy._lists = self._lists
        copy.list_parents = self.list_parents
        copy.loops = self.loops
        return copy

    def prepare(self, rules: Rules) -> None:
        """Write the empty objects and lists that the rules of this scope fill."""
        for rule in rules:
            if isinstance(rule, Choice):
                for when in rule.branches:
                    self.prepare(when.rules or ())
                continue
            depth = len(rule.target) if isinstance(rule, Within) else len(rule.target) - 1
            for length in range(1, depth + 1):
                self._prepare_object(rule.target[:length])
            if isinstance(rule, Each):
                if not rule.source.in_group:
                    self.list_parents.add(rule.source.steps[:-1])
                    self.loops[rule.source.first_list] += 1
                if rule.target not in self._lists:
                    self._lists[rule.target] = variable = self._writer.fresh("r")
                    self._writer.line(f"{variable} = []")

    def _prepare_object(self, target: tuple[str, ...]) -> None:
        if target not in self._objects:
            self._objects[target] = variable = self._writer.fresh("o")
            self._writer.line(f"{variable} = {{}}")

    def slot(self, target: tuple[str, ...]) -> tuple[str, str]:
        """The object that holds a target and the constant of its last name."""
        return self._objects[target[:-1]], self._writer.constant(target[-1])

    def object(self, target: tuple[str, ...]) -> str:
        """The variable of an object that was prepared."""
        return self._objects[target]

    def list(self, target: tuple[str, ...]) -> str:
        """The variable of a list that was prepared."""
        return self._lists[target]

    def attach(self) -> None:
        """Hang the filled lists and objects where they belong, the innermost first."""
        for target, variable in self._lists.items():
            out, key = self.slot(target)
            self._writer.line(f"if {variable}: {out}[{key}] = {variable}")
        for target in sorted(self._objects, key=len, reverse=True):
            if target:
                out, key = self.slot(target)
                variable = self._objects[target]
                self._writer.line(f"if {variable}: {out}[{key}] = {variable}")
